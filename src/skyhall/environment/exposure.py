"""What radiation does to a satellite on its orbit: dose behind a shield, upsets of its devices, and where they happen.

Joins the particles (trapped, solar, cosmic) with shields and devices. The orbit is circular; its mean is taken over the
argument of latitude and over all longitudes, as a month's flight comes out. Leaves out the dose of cosmic rays (some 5
to 10 rad a year) and upsets by trapped electrons (none are known) and by secondary neutrons of thick shields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from skyhall.constants import EARTH_RADIUS, JULIAN_YEAR
from skyhall.environment import cosmic, solar_protons
from skyhall.environment.devices import HAZARDS, OUTCOMES, Device
from skyhall.environment.dose import electron_dose, proton_dose
from skyhall.environment.geomagnetic import open_sky, vertical_cutoff_gv
from skyhall.environment.globe_cells import cell_directions
from skyhall.environment.shielding import ALUMINIUM_G_CM3, aluminium_g_cm2, behind_shield
from skyhall.environment.spectra import differential
from skyhall.environment.trapped import TrappedMap, orbit_points
from skyhall.environment.upsets import ion_rate, proton_rate
from skyhall.orbit.geodetic import geodetic
from skyhall.types import Array

__all__ = [
    "ALUMINIUM_G_CM3",
    "ANOMALY_ENERGY_MEV",
    "ANOMALY_FLUX",
    "LOSSES",
    "Dose",
    "Exposure",
    "Particles",
    "Places",
    "Radiation",
    "UpsetRates",
    "aluminium_g_cm2",
    "anomaly",
    "dose_per_year",
    "expose",
    "hard_protons",
    "particles_on",
    "upset_rates",
    "upset_table",
]

LOSSES: Final = ("detected", "functional", "silent")  # the outcomes that kill or corrupt work
# Inside the South Atlantic Anomaly: more trapped protons above 30 MeV than these, 1/(cm² s). At 500 km that is the area
# over Brazil and the South Atlantic that holds nearly all of them; cosmic-ray protons
# bring 0.1 at the equator to 2 at the poles.
ANOMALY_FLUX: Final = 10.0
ANOMALY_ENERGY_MEV: Final = 30.0
_SOLAR_MEV: Final = np.geomspace(5.0, 1000.0, 60)
_COSMIC_MEV: Final = np.geomspace(10.0, 1e5, 80)
_LET: Final = np.geomspace(0.1, 100.0, 90)  # MeV cm²/mg
_CUTOFFS_GV: Final = np.concatenate([[0.0], np.geomspace(0.1, 20.0, 35)])


@dataclass(frozen=True, slots=True, eq=False)
class Radiation:
    """The particles that are met.

    Attributes
    ----------
    trapped : map of the trapped protons and electrons.
    activity : of the Sun, 0 at its minimum to 1 at its maximum, for trapped particles and cosmic rays.
    year : decimal year, for the anomaly's drift.
    confidence : chance that solar protons are no more than assumed.
    years : time in orbit, and active_years : how many of them lie in active parts of the solar cycle.
    """

    trapped: TrappedMap
    activity: float
    year: float
    confidence: float
    years: float
    active_years: float


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places, and what the belts and the Earth let there.

    Attributes
    ----------
    protons : trapped, above each energy, 1/(cm² s), (..., energies).
    l_shell : McIlwain's L, Earth radii, (...). height : geodetic, m, (...).
    """

    protons: Array
    l_shell: Array
    height: Array


@dataclass(frozen=True, slots=True, eq=False)
class Particles:
    """Particles on an orbit, its mean: above each energy, omnidirectional.

    Attributes
    ----------
    altitude, inclination : of the circular orbit, m over the equator's radius and rad.
    proton_energy_mev, protons : trapped, 1/(cm² s). electron_energy_mev, electrons : likewise.
    solar_energy_mev, solar_protons : of solar events, in a quiet magnetosphere and the Earth's shadow, 1/(cm² yr) in
        the mean over the time in orbit: not exceeded with the confidence asked for.
    solar_expected : the same, as it is expected.
    places, weight : of which the means are taken.
    """

    altitude: float
    inclination: float
    proton_energy_mev: Array
    protons: Array
    electron_energy_mev: Array
    electrons: Array
    solar_energy_mev: Array
    solar_protons: Array
    solar_expected: Array
    places: Places
    weight: Array


@dataclass(frozen=True, slots=True, eq=False)
class Dose:
    """Dose in silicon by its parts, rad a year; arrays over the thicknesses."""

    trapped_protons: Array
    electrons: Array
    solar_protons: Array

    @property
    def total(self) -> Array:
        """Sum of the parts, rad a year."""
        return np.asarray(self.trapped_protons + self.electrons + self.solar_protons)

    def parts(self) -> dict[str, Array]:
        """Return the parts by name, in the order of the report."""
        return {
            "trapped_protons": self.trapped_protons,
            "electrons": self.electrons,
            "solar_protons": self.solar_protons,
        }


@dataclass(frozen=True, slots=True, eq=False)
class UpsetRates:
    """Rates of a device's outcomes and hazards at some places, 1/s each: by trapped protons and by cosmic rays."""

    trapped: Mapping[str, Array]
    cosmic: Mapping[str, Array]

    def of(self, *outcomes: str) -> Array:
        """Return the sum over `outcomes`, whatever brought them."""
        return np.asarray(sum(self.trapped[each] + self.cosmic[each] for each in outcomes))


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """What an orbit does to one device behind one shield.

    Attributes
    ----------
    dose : per year (scalars).
    rates : mean rate of each outcome and hazard in quiet times, 1/s: trapped protons and cosmic rays.
    solar_events : the same outcomes by solar protons, expected per year in the mean over the time in orbit.
    share_in_anomaly : of the upsets that kill or corrupt work, those inside the South Atlantic Anomaly.
    time_in_anomaly : share of the time there.
    """

    dose: Dose
    rates: Mapping[str, float]
    solar_events: Mapping[str, float]
    share_in_anomaly: float
    time_in_anomaly: float

    @property
    def losses(self) -> float:
        """Mean rate of upsets that kill or corrupt work in quiet times, 1/s."""
        return sum(self.rates[each] for each in LOSSES)


def particles_on(radiation: Radiation, altitude: float, inclination: float) -> Particles:
    """Return the mean particles on a circular orbit (altitude in m over the equator's radius, inclination in rad)."""
    latitude, longitude, height, weight = orbit_points(altitude, inclination)
    places = _places(radiation, latitude, longitude, height)
    trapped = radiation.trapped
    electrons = trapped.electrons(
        latitude, longitude, height, activity=radiation.activity, year=radiation.year
    )
    share = weight @ solar_protons.access(_SOLAR_MEV, places.l_shell, height)
    free = solar_protons.event_fluence(_SOLAR_MEV, radiation.active_years, radiation.confidence)
    expected = solar_protons.mean_fluence(_SOLAR_MEV, radiation.active_years)
    return Particles(
        altitude=altitude,
        inclination=inclination,
        proton_energy_mev=trapped.proton_energy_mev,
        protons=weight @ places.protons,
        electron_energy_mev=trapped.electron_energy_mev,
        electrons=weight @ electrons,
        solar_energy_mev=_SOLAR_MEV,
        solar_protons=solar_protons.arriving(free, share) / radiation.years,
        solar_expected=solar_protons.arriving(expected, share) / radiation.years,
        places=places,
        weight=weight,
    )


def _places(radiation: Radiation, latitude: Array, longitude: Array, height: Array) -> Places:
    trapped, year = radiation.trapped, radiation.year
    return Places(
        protons=trapped.protons(latitude, longitude, height, activity=radiation.activity, year=year),
        l_shell=trapped.l_shell(latitude, longitude, height, year=year),
        height=height,
    )


def dose_per_year(particles: Particles, thickness_g_cm2: npt.ArrayLike, geometry: str = "sphere") -> Dose:
    """Return the dose in silicon behind aluminium; arrays over the thicknesses.

    Parameters
    ----------
    thickness_g_cm2 : scalar or (k,). geometry : "sphere" (at its centre) or "slab" (behind it).
    """
    thickness = np.asarray(thickness_g_cm2, dtype=np.float64)
    flat = np.atleast_1d(thickness)

    def shaped(dose: Array) -> Array:
        return np.asarray(dose.reshape(thickness.shape))

    here = particles
    return Dose(
        shaped(proton_dose(here.proton_energy_mev, here.protons, flat, geometry) * JULIAN_YEAR),
        shaped(electron_dose(here.electron_energy_mev, here.electrons, flat, geometry) * JULIAN_YEAR),
        shaped(proton_dose(here.solar_energy_mev, here.solar_protons, flat, geometry)),
    )


def upset_rates(
    radiation: Radiation,
    device: Device,
    latitude: Array,
    longitude: Array,
    height: Array,
    thickness_g_cm2: float,
) -> UpsetRates:
    """Return a device's rates in quiet times at geodetic places (rad, rad, m), behind an aluminium sphere."""
    return _rates_at(radiation, device, _places(radiation, latitude, longitude, height), thickness_g_cm2)


def _rates_at(radiation: Radiation, device: Device, places: Places, thickness_g_cm2: float) -> UpsetRates:
    energy = radiation.trapped.proton_energy_mev
    spectrum = behind_shield(energy, differential(energy, places.protons), thickness_g_cm2)
    cutoff, sky = vertical_cutoff_gv(places.l_shell), open_sky(places.height)
    by_cutoff = _cosmic_by_cutoff(radiation, device, thickness_g_cm2)
    return UpsetRates(
        trapped={name: proton_rate(energy, spectrum, each) for name, each in device.responses.items()},
        cosmic={name: sky * np.interp(cutoff, _CUTOFFS_GV, rates) for name, rates in by_cutoff.items()},
    )


def _cosmic_by_cutoff(radiation: Radiation, device: Device, thickness: float) -> dict[str, Array]:
    """Return each effect's rate under an open sky at the cutoffs of `_CUTOFFS_GV`, 1/s: protons and heavier nuclei."""
    protons, nuclei = _cosmic_spectra(cosmic.modulation(radiation.activity), thickness)
    return {
        name: proton_rate(_COSMIC_MEV, protons, each) + ion_rate(_LET, nuclei, each)
        for name, each in device.responses.items()
    }


@lru_cache(maxsize=32)
def _cosmic_spectra(modulation: float, thickness: float) -> tuple[Array, Array]:
    """Return (protons at each energy, nuclei above each LET) behind the shield at the cutoffs of `_CUTOFFS_GV`."""
    protons = cosmic.proton_flux(_COSMIC_MEV, _CUTOFFS_GV, modulation=modulation)
    nuclei = cosmic.let_flux(_LET, _CUTOFFS_GV, modulation=modulation, thickness_g_cm2=thickness)
    return behind_shield(_COSMIC_MEV, protons, thickness), nuclei


def expose(
    radiation: Radiation,
    device: Device,
    particles: Particles,
    thickness_g_cm2: float,
    geometry: str = "sphere",
) -> Exposure:
    """Return dose, upsets and hazards of a device on an orbit.

    Parameters
    ----------
    particles : on that orbit, of the same `radiation`.
    thickness_g_cm2 : of aluminium. geometry : of the dose, "sphere" or "slab"; upsets are behind a sphere.
    """
    places, weight = particles.places, particles.weight
    rates = _rates_at(radiation, device, places, thickness_g_cm2)
    inside = places.protons[..., _hard_column(radiation)] > ANOMALY_FLUX
    losses = weight * rates.of(*LOSSES)
    solar = behind_shield(
        _SOLAR_MEV, differential(_SOLAR_MEV, particles.solar_expected), thickness_g_cm2
    )  # 1/(cm² MeV yr)
    return Exposure(
        dose=dose_per_year(particles, thickness_g_cm2, geometry),
        rates={name: float(weight @ rates.of(name)) for name in (*OUTCOMES, *HAZARDS)},
        solar_events={
            name: float(proton_rate(_SOLAR_MEV, solar, each)) for name, each in device.responses.items()
        },
        share_in_anomaly=float(losses[inside].sum() / losses.sum()) if losses.any() else 0.0,
        time_in_anomaly=float(weight[inside].sum()),
    )


def hard_protons(radiation: Radiation, latitude: Array, longitude: Array, height: Array) -> Array:
    """Return the trapped protons above 30 MeV at places (geodetic, rad, rad, m), 1/(cm² s)."""
    fluxes = radiation.trapped.protons(
        latitude, longitude, height, activity=radiation.activity, year=radiation.year
    )
    return np.asarray(fluxes[..., _hard_column(radiation)])


def _hard_column(radiation: Radiation) -> int:
    """Return which of the map's energies is 30 MeV."""
    return int(np.argmin(np.abs(radiation.trapped.proton_energy_mev - ANOMALY_ENERGY_MEV)))


def anomaly(radiation: Radiation, latitude: Array, longitude: Array, height: Array) -> npt.NDArray[np.bool_]:
    """Return whether places (geodetic, rad, rad, m) lie inside the South Atlantic Anomaly (or, high up, the belt)."""
    return np.asarray(hard_protons(radiation, latitude, longitude, height) > ANOMALY_FLUX)


def upset_table(
    radiation: Radiation, device: Device, altitude: float, thickness_g_cm2: float
) -> npt.NDArray[np.float32]:
    """Return the rate of upsets that kill or corrupt work in every cell of the globe, 1/s; (2 CELLS²,).

    `altitude` is that of a circular orbit over the equator's radius, m. For `UpsetField`.
    """
    latitude, longitude, height = geodetic(cell_directions() * (EARTH_RADIUS + altitude))
    rates = upset_rates(radiation, device, latitude, longitude, height, thickness_g_cm2)
    return rates.of(*LOSSES).astype(np.float32)
