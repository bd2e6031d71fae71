"""Everything that the price of a fleet depends on, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skyhall.economics.build import Builder, BuildPrices, SatelliteBill
from skyhall.economics.finance import HOURS_PER_YEAR, Finance
from skyhall.economics.ground import GroundSite
from skyhall.economics.launch import Vehicle
from skyhall.economics.operate import Operations, OrbitReliability
from skyhall.economics.ranges import require
from skyhall.economics.reliability import working_share

__all__ = ["Batch", "CostInputs"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Satellites of one design that go to one orbit.

    Parameters
    ----------
    satellites, bill : how many satellites, and what one is made of.
    payload_to_orbit_kg : of the vehicle to their orbit; its reference payload if None.
    """

    satellites: int
    bill: SatelliteBill
    payload_to_orbit_kg: float | None = None

    def __post_init__(self) -> None:
        require(self, positive=("satellites",))


@dataclass(frozen=True, slots=True)
class CostInputs:
    """Everything that the price of a fleet depends on.

    Parameters
    ----------
    batches : the satellites, design by design and orbit by orbit.
    accelerator_usd : one accelerator with its share of host, memory and network; the same on the ground.
    life_years : of a satellite and, as nobody visits it, of the accelerators aboard; a ground rival whose
        servers live shorter keeps them as long (see `rival`).
    delivered_fraction : share of the installed GPU-hours that light, power and heat allow (from the twin).
    vehicle, parts, builder, operations, reliability, ground, finance : prices and rates of each family.
    accelerator_sources : names of the catalogue's parts behind `accelerator_usd`.
    hours_per_year : 8,766, or 8,760 where a source counts so.
    """

    batches: tuple[Batch, ...]
    accelerator_usd: float
    life_years: float
    delivered_fraction: float
    vehicle: Vehicle
    parts: BuildPrices
    builder: Builder
    operations: Operations
    reliability: OrbitReliability
    ground: GroundSite
    finance: Finance
    accelerator_sources: tuple[str, ...] = ()
    hours_per_year: float = HOURS_PER_YEAR

    def __post_init__(self) -> None:
        require(
            self,
            not_negative=("accelerator_usd",),
            shares=("delivered_fraction",),
            lives=("life_years",),
        )

    @property
    def accelerators(self) -> float:
        """Accelerators that are sold, spares not counted."""
        return sum(batch.satellites * batch.bill.accelerators for batch in self.batches)

    @property
    def satellites(self) -> int:
        """Satellites of all batches."""
        return sum(batch.satellites for batch in self.batches)

    @property
    def rival(self) -> GroundSite:
        """The ground site, with servers that are kept no shorter than satellites live.

        Hours of old accelerators are worth less than those of new ones: only where both sides sell hours of
        the same ages is a GPU-hour the same thing.
        """
        return replace(self.ground, server_life_years=max(self.ground.server_life_years, self.life_years))

    @property
    def surviving(self) -> float:
        """Mean share of the accelerators that work over the life; spares of one satellite do not help another."""
        hazards = self.reliability
        if hazards.replacement == "replenish":
            return 1.0
        shares = [
            working_share(
                hazards.accelerator_failures,
                hazards.satellite_failures,
                batch.bill.accelerators,
                hazards.spares_share * batch.bill.accelerators,
                self.life_years,
                shape=hazards.failure_shape,
                cold=hazards.cold_spares,
            )
            for batch in self.batches
        ]
        sold = [batch.satellites * batch.bill.accelerators for batch in self.batches]
        return float(np.average(shares, weights=sold))
