"""Physical constants, in SI units, each with its source."""

from __future__ import annotations

from typing import Final

# Earth: WGS 84 (NIMA TR8350.2, 2000) and EGM96 zonal harmonics (Lemoine et al. 1998).
EARTH_GM: Final = 3.986004418e14  # m³/s², WGS 84
EARTH_RADIUS: Final = 6378137.0  # m, equatorial, WGS 84
EARTH_FLATTENING: Final = 1 / 298.257223563  # WGS 84
EARTH_J2: Final = 1.08262668e-3  # EGM96
EARTH_J3: Final = -2.53265649e-6  # EGM96
EARTH_J4: Final = -1.61962159e-6  # EGM96
EARTH_ROTATION: Final = 7.292115e-5  # rad/s, WGS 84

# Orbits
LEO_PROTECTED_ALTITUDE: Final = (
    2.0e6  # m, top of low orbit: IADC Space Debris Mitigation Guidelines (2007), 3.3.2
)

# Sun: IAU 2012 Resolution B2 (astronomical unit), IAU 2015 Resolution B3 (nominal solar radius).
ASTRONOMICAL_UNIT: Final = 1.495978707e11  # m, exact
SOLAR_RADIUS: Final = 6.957e8  # m, nominal

# Fundamental: 2019 SI, CODATA 2018.
SPEED_OF_LIGHT: Final = 299792458.0  # m/s, exact
PLANCK: Final = 6.62607015e-34  # J s, exact
BOLTZMANN: Final = 1.380649e-23  # J/K, exact
STEFAN_BOLTZMANN: Final = 5.670374419e-8  # W/(m² K⁴)
STANDARD_GRAVITY: Final = 9.80665  # m/s², exact
PROTON_MASS_MEV: Final = 938.27208816  # MeV/c², CODATA 2018
NUCLEON_MASS_MEV: Final = 931.49410242  # MeV/c² per nucleon of a nucleus: atomic mass constant, CODATA 2018
ELECTRON_MASS_MEV: Final = 0.51099895  # MeV/c², CODATA 2018

ZERO_CELSIUS: Final = 273.15  # K, exact

# Time: Explanatory Supplement to the Astronomical Almanac (3rd ed.).
MINUTE: Final = 60.0  # s
HOUR: Final = 3600.0  # s
DAY: Final = 86400.0  # s
JULIAN_YEAR: Final = 365.25 * DAY  # s
TROPICAL_YEAR: Final = 365.24219 * DAY  # s
J2000_JD: Final = 2451545.0  # days, Julian date of 2000-01-01 12:00 TT

# Energy.
KILOWATT_HOUR: Final = 3.6e6  # J, exact
