"""Running a fleet that nobody can visit: operations, failures, spares and replenishment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from skyhall.economics.ranges import require

__all__ = [
    "Operations",
    "OrbitReliability",
    "Replacement",
    "mean_degradation",
    "replenished_per_year",
]

Array = npt.NDArray[np.float64]
Number = float | Array
Replacement = Literal["none", "replenish"]


@dataclass(frozen=True, slots=True)
class Operations:
    """What running the fleet costs each year.

    Parameters
    ----------
    satellite_usd_per_year : operations of one satellite.
    fleet_usd_per_year : control centre and staff that any fleet needs, however small.
    ground_segment_usd_per_gpu_year : ground stations and downlink.
    disposal_usd_per_satellite : end of life, once.
    insurance_rate : premium for launch and first year over the value insured.
    insured_share : share of the value that is insured; 0 where the operator carries the risk.
    sources : names of the catalogue's parts that the numbers come from.
    """

    satellite_usd_per_year: float
    fleet_usd_per_year: float = 0.0
    ground_segment_usd_per_gpu_year: float = 0.0
    disposal_usd_per_satellite: float = 0.0
    insurance_rate: float = 0.0
    insured_share: float = 0.0
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(
            self,
            not_negative=(
                "satellite_usd_per_year",
                "fleet_usd_per_year",
                "ground_segment_usd_per_gpu_year",
                "disposal_usd_per_satellite",
                "insurance_rate",
            ),
            shares=("insured_share",),
        )


@dataclass(frozen=True, slots=True)
class OrbitReliability:
    """What fails in orbit, and what protection costs; rates 1/yr, shares of time or work.

    Parameters
    ----------
    accelerator_failures, satellite_failures : constant hazards of permanent loss, 1/yr.
    spares_share : spare accelerators aboard over working ones.
    replacement : "none" (capacity decays) or "replenish" (lost capacity is built and launched again).
    upset_loss_share : share of the running time lost to upsets, their detection and the work done again.
    failure_shape : Weibull shape of an accelerator's life (1: constant hazard). cold_spares : spares are switched off.
    protection_overhead : extra compute for protection over the work itself (0.1: a tenth; 2: three copies).
    sources : names of the catalogue's parts that the numbers come from.
    """

    accelerator_failures: float
    satellite_failures: float
    spares_share: float = 0.0
    replacement: Replacement = "none"
    upset_loss_share: float = 0.0
    protection_overhead: float = 0.0
    failure_shape: float = 1.0
    cold_spares: bool = False
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(
            self,
            not_negative=(
                "accelerator_failures",
                "satellite_failures",
                "spares_share",
                "protection_overhead",
            ),
            shares=("upset_loss_share",),
        )

    @property
    def verified_share(self) -> float:
        """Share of the running time that ends as verified work."""
        return (1.0 - self.upset_loss_share) / (1.0 + self.protection_overhead)


def mean_degradation(rate_per_year: Number, years: Number) -> Array:
    """Return the mean over `years` of (1 - rate)^t as the calculators take it: (1 - (1-r)^n) / (n r)."""
    safe = np.where(rate_per_year > 0, rate_per_year, 1.0)
    mean = (1.0 - (1.0 - rate_per_year) ** years) / (years * safe)
    return np.asarray(np.where(rate_per_year > 0, mean, 1.0))


def replenished_per_year(
    accelerator_failures: Number,
    satellite_failures: Number,
    spares_share: Number,
    life_years: Number,
) -> Array:
    """Return the share of the fleet to build and launch each year to keep its capacity, 1/yr.

    Lost satellites, and lost accelerators beyond what the spares aboard make good over the life.
    Replacements arrive at once: the months between a loss and the next launch are left out.
    """
    spared = np.log1p(spares_share) / life_years
    beyond_spares = np.maximum(accelerator_failures - spared, 0.0)
    return np.asarray(satellite_failures + beyond_spares)
