"""Radio from space to the ground: what an antenna of known G/T can receive at a range and an elevation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from skyhall.constants import SPEED_OF_LIGHT
from skyhall.errors import ValueProblem
from skyhall.network.atmosphere import radio_air_loss_db
from skyhall.types import Array, Numbers

__all__ = ["RadioLink", "free_space_loss_db", "radio_rate"]

BOLTZMANN_DB: Final = -228.59916717  # dB(W/(K Hz)), 10 log10 of 1.380649e-23 J/K, exact in the SI of 2019


@dataclass(frozen=True, slots=True)
class RadioLink:
    """A transmitter in orbit and a receiver on the ground.

    Parameters
    ----------
    eirp_dbw : transmitter's power times its antenna's gain, dBW.
    frequency : Hz.
    gain_over_temperature_db : the ground antenna's G/T under a clear sky, dB/K.
    energy_per_bit_db : Eb/N0 that the code needs, dB.
    bandwidth : Hz that may be used.
    spectral_efficiency : bits per second and Hz that the densest code carries; with `bandwidth` it caps the rate.
    other_loss_db : pointing, polarisation, implementation.
    margin_db : kept in hand.
    gas_zenith_db, rain_zenith_db : towards the zenith, see `radio_air_loss_db`.
    """

    eirp_dbw: float
    frequency: float
    gain_over_temperature_db: float
    energy_per_bit_db: float
    bandwidth: float
    spectral_efficiency: float
    other_loss_db: float = 0.0
    margin_db: float = 0.0
    gas_zenith_db: float = 0.0
    rain_zenith_db: float = 0.0

    def __post_init__(self) -> None:
        for name in ("frequency", "bandwidth", "spectral_efficiency"):
            if not getattr(self, name) > 0.0:
                raise ValueProblem(
                    f"a {name} of {getattr(self, name):g} is impossible", right="give more than 0"
                )

    @property
    def most(self) -> float:
        """The rate that the bandwidth allows, bit/s."""
        return self.bandwidth * self.spectral_efficiency


def free_space_loss_db(range_m: Numbers, frequency: Numbers) -> Array:
    """Return (4π r f/c)² in dB: Friis 1946, Proc. IRE 34, 254. `range_m` in m, `frequency` in Hz."""
    return np.asarray(20.0 * np.log10(4.0 * np.pi * range_m * frequency / SPEED_OF_LIGHT), dtype=np.float64)


def radio_rate(link: RadioLink, range_m: Numbers, elevation: Numbers) -> Array:
    """Return the rate that closes the link, bit/s: coding follows the signal, up to the bandwidth's cap.

    Parameters
    ----------
    range_m : m. elevation : rad. Both broadcast.

    References
    ----------
    Wertz, Everett and Puschell 2011, Space Mission Engineering: The New SMAD, equation 16-19, solved for the rate.
    """
    distance = np.asarray(range_m, dtype=np.float64)
    density_db = (
        link.eirp_dbw
        - free_space_loss_db(distance, link.frequency)
        - radio_air_loss_db(elevation, link.gas_zenith_db, link.rain_zenith_db)
        - link.other_loss_db
        + link.gain_over_temperature_db
        - BOLTZMANN_DB
    )
    rate = 10.0 ** (0.1 * (density_db - link.energy_per_bit_db - link.margin_db))
    return np.asarray(np.minimum(rate, link.most), dtype=np.float64)
