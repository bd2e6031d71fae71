"""What the air takes from a link to space: absorbed and scattered light, scintillation, gases and rain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import erfinv

from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = [
    "Turbulence",
    "air_mass",
    "clear_air_loss_db",
    "fade_loss_db",
    "radio_air_loss_db",
    "scintillation_index",
]

LOWEST_ELEVATION = np.radians(5.0)  # of gases and rain as 1/sin: ITU-R P.676-13, annex 2, 2.2
_TOP = 30e3  # m, above it the air bends no light


def air_mass(elevation: Numbers) -> Array:
    """Return the air along the line of sight beside that towards the zenith.

    Parameters
    ----------
    elevation : rad; below the horizon as at it.

    References
    ----------
    Kasten and Young 1989, Applied Optics 28, 4735, equation 3.
    """
    degrees = np.degrees(np.maximum(np.asarray(elevation, dtype=np.float64), 0.0))
    slant = np.sin(np.radians(degrees)) + 0.50572 * (degrees + 6.07995) ** -1.6364
    return np.asarray(1.0 / slant, dtype=np.float64)


def clear_air_loss_db(elevation: Numbers, zenith_transmittance: Numbers) -> Array:
    """Return what clear air absorbs and scatters of the light, dB: the zenith's transmittance to the air mass.

    Parameters
    ----------
    elevation : rad. zenith_transmittance : above 0, up to 1.
    """
    share = np.asarray(zenith_transmittance, dtype=np.float64)
    if not np.all((share > 0.0) & (share <= 1.0)):
        raise ValueProblem(
            f"a transmittance of {share.min():g} is impossible", right="give a share above 0, at most 1"
        )
    return np.asarray(-10.0 * np.log10(share) * air_mass(elevation), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Turbulence:
    """The Hufnagel-Valley profile of the air's refractive index structure (for 21 m/s and 1.7e-14: HV 5/7).

    Parameters
    ----------
    wind : root mean square from 5 to 20 km, m/s.
    ground : structure constant at the ground, m^(-2/3).
    """

    wind: float = 21.0
    ground: float = 1.7e-14

    def profile(self, height: Numbers) -> Array:
        """Return Cn² (m^(-2/3)) at `height` over the ground, m: Andrews and Phillips 2005, section 12.2.1."""
        h = np.asarray(height, dtype=np.float64)
        return np.asarray(
            0.00594 * (self.wind / 27.0) ** 2 * (1e-5 * h) ** 10 * np.exp(-h / 1000.0)
            + 2.7e-16 * np.exp(-h / 1500.0)
            + self.ground * np.exp(-h / 100.0),
            dtype=np.float64,
        )


@cache
def _moments(turbulence: Turbulence) -> tuple[float, float]:
    """Return ∫Cn² h^(5/6) dh and the height scale of aperture averaging, from the ground upwards."""
    edges = np.concatenate([[0.0], np.geomspace(1.0, _TOP, 2001)])
    height, thick = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    strength = turbulence.profile(height) * thick
    weak = float(np.sum(strength * height ** (5.0 / 6.0)))
    scale = (np.sum(strength * height**2) / weak) ** (6.0 / 7.0)
    return weak, float(scale)


def scintillation_index(
    elevation: Numbers, aperture: Numbers, wavelength: Numbers, turbulence: Turbulence | None = None
) -> Array:
    """Return the variance of the power received from space over its squared mean, weak fluctuations.

    Parameters
    ----------
    elevation : rad; below 20 degrees fluctuations are no longer weak and it is an upper bound.
    aperture : diameter of the receiver, m; 0 for a point.
    wavelength : m.

    References
    ----------
    Andrews and Phillips 2005, Laser Beam Propagation, equation 12.38 (plane wave from space), and Yura and McKinley
    1983, Applied Optics 22, 3353 for the averaging over the aperture.
    """
    weak, scale = _moments(turbulence or Turbulence())
    zenith_secant = 1.0 / np.sin(np.maximum(np.asarray(elevation, dtype=np.float64), np.radians(1.0)))
    number = 2.0 * np.pi / np.asarray(wavelength, dtype=np.float64)
    point = 2.25 * number ** (7.0 / 6.0) * zenith_secant ** (11.0 / 6.0) * weak
    spots = np.square(np.asarray(aperture, dtype=np.float64)) / (wavelength * scale * zenith_secant)
    return np.asarray(point / (1.0 + 1.1 * spots ** (7.0 / 6.0)), dtype=np.float64)


def fade_loss_db(scintillation: Numbers, outage: float) -> Array:
    """Return how far the power falls below its mean for a share `outage` of the time, dB (log-normal fading).

    Parameters
    ----------
    scintillation : index, zero or more. outage : share of the time that may be lost, above 0, below 0.5.

    References
    ----------
    Giggenbach and Henniger 2008, Optical Engineering 47, 046001, equation 11.
    """
    if not 0.0 < outage < 0.5:
        raise ValueProblem(f"an outage of {outage:g} is impossible", right="give a share above 0, below 0.5")
    spread = np.log1p(np.asarray(scintillation, dtype=np.float64))
    depth = erfinv(2.0 * outage - 1.0) * np.sqrt(2.0 * spread) - 0.5 * spread
    return np.asarray(-10.0 / np.log(10.0) * depth, dtype=np.float64)


def radio_air_loss_db(elevation: Numbers, gas_zenith_db: Numbers, rain_zenith_db: Numbers) -> Array:
    """Return what gases take and what is kept in hand for rain, dB: the zenith's over the sine of the elevation.

    Below 5 degrees it is that at 5 degrees: use a mask.

    Parameters
    ----------
    elevation : rad. gas_zenith_db, rain_zenith_db : dB towards the zenith, at the frequency and the place.

    References
    ----------
    ITU-R P.676-13, annex 2, 2.2 (gases, from 5 to 90 degrees); ITU-R P.618-14, 2.2.1.1 (slant path through rain).
    """
    sine = np.sin(np.maximum(np.asarray(elevation, dtype=np.float64), LOWEST_ELEVATION))
    return np.asarray((np.asarray(gas_zenith_db) + np.asarray(rain_zenith_db)) / sine, dtype=np.float64)
