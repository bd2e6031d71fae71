"""Building satellites: what each subsystem costs, and how the price falls with production."""

from __future__ import annotations

import math
from dataclasses import dataclass

from skyhall.economics.launch import wright_average_price
from skyhall.economics.ranges import require

__all__ = [
    "BuildPrices",
    "Builder",
    "SatelliteBill",
    "learned_costs",
    "learning_factor",
    "subsystem_costs",
]

COMMODITIES = ("propellant",)  # bought on a market: their price does not fall with the satellites built


@dataclass(frozen=True, slots=True)
class SatelliteBill:
    """What one satellite is made of, as the price needs it.

    Parameters
    ----------
    mass_kg : launch mass with propellant.
    bus_kg : dry mass apart from what has a price of its own below, the thruster, and the accelerators.
    array_w : array power at begin of life, W.
    battery_kwh : installed at begin of life.
    radiator_m2 : planform area.
    cooling_kw : heat that the coolant loop carries.
    terminals : laser or radio terminals; downlinks : those for the ground, of another price.
    accelerators : accelerators that work (spares not counted).
    it_power_w : IT input power of the working accelerators and their hosts, W.
    stowed_volume_m3 : folded for launch; 0 where it is not known.
    propellant_kg : at launch.
    """

    mass_kg: float
    bus_kg: float
    array_w: float
    battery_kwh: float
    radiator_m2: float
    accelerators: float
    it_power_w: float
    cooling_kw: float = 0.0
    terminals: float = 0.0
    downlinks: float = 0.0
    stowed_volume_m3: float = 0.0
    propellant_kg: float = 0.0

    def __post_init__(self) -> None:
        quantities = (
            "bus_kg",
            "array_w",
            "battery_kwh",
            "radiator_m2",
            "cooling_kw",
            "terminals",
            "downlinks",
        )
        rest = ("accelerators", "it_power_w", "stowed_volume_m3", "propellant_kg")
        require(self, positive=("mass_kg",), not_negative=quantities + rest)


@dataclass(frozen=True, slots=True)
class BuildPrices:
    """Prices of a satellite's parts, at the production that the builder's learning refers to.

    Parameters
    ----------
    propulsion_usd : thruster of one satellite.
    propellant_usd_per_kg, propellant_kg_per_year : market price, and what the world produces.
    lowest : prices below which learning does not bring these; None for no floor.
    sources : names of the catalogue's parts that the prices come from.
    """

    bus_usd_per_kg: float
    array_usd_per_w: float
    battery_usd_per_kwh: float
    radiator_usd_per_m2: float
    cooling_usd_per_kw: float = 0.0
    terminal_usd: float = 0.0
    downlink_usd: float = 0.0
    propulsion_usd: float = 0.0
    propellant_usd_per_kg: float = 0.0
    propellant_kg_per_year: float = math.inf
    lowest: BuildPrices | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        per_unit = ("bus_usd_per_kg", "array_usd_per_w", "battery_usd_per_kwh", "radiator_usd_per_m2")
        pieces = (
            "cooling_usd_per_kw",
            "terminal_usd",
            "downlink_usd",
            "propulsion_usd",
            "propellant_usd_per_kg",
        )
        require(self, positive=("propellant_kg_per_year",), not_negative=per_unit + pieces)


@dataclass(frozen=True, slots=True)
class Builder:
    """Who builds the satellites, and with what experience.

    Parameters
    ----------
    progress_ratio : price after each doubling of production; 1 for no learning.
    reference_kg, experience_kg : cumulative mass built at which the prices hold, and that the builder
        starts from.
    engineering_usd : one-off engineering (non-recurring) before the first satellite.
    sources : names of the catalogue's parts that the numbers come from.
    """

    progress_ratio: float = 1.0
    reference_kg: float = 1.0
    experience_kg: float = 1.0
    engineering_usd: float = 0.0
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(
            self,
            positive=("progress_ratio", "reference_kg"),
            not_negative=("experience_kg", "engineering_usd"),
            shares=("progress_ratio",),
        )


def subsystem_costs(bill: SatelliteBill, prices: BuildPrices) -> dict[str, float]:
    """Return what each subsystem of one satellite costs before learning, USD.

    Accelerators are not in it: they are the same hardware on the ground and have a line of their own.
    """
    return {
        "bus": bill.bus_kg * prices.bus_usd_per_kg,
        "solar array": bill.array_w * prices.array_usd_per_w,
        "battery": bill.battery_kwh * prices.battery_usd_per_kwh,
        "radiator": bill.radiator_m2 * prices.radiator_usd_per_m2,
        "coolant loop": bill.cooling_kw * prices.cooling_usd_per_kw,
        "terminals": bill.terminals * prices.terminal_usd + bill.downlinks * prices.downlink_usd,
        "propulsion": prices.propulsion_usd,
        "propellant": bill.propellant_kg * prices.propellant_usd_per_kg,
    }


def learned_costs(bill: SatelliteBill, prices: BuildPrices, factor: float) -> dict[str, float]:
    """Return `subsystem_costs` after learning, none below its price in `prices.lowest`, USD.

    Parameters
    ----------
    factor : mean price of the fleet over the price at the reference production (see `learning_factor`).
    """
    floors = {} if prices.lowest is None else subsystem_costs(bill, prices.lowest)
    return {
        name: cost if name in COMMODITIES else max(cost * factor, min(cost, floors.get(name, 0.0)))
        for name, cost in subsystem_costs(bill, prices).items()
    }


def learning_factor(fleet_mass_kg: float, builder: Builder) -> float:
    """Return the mean price of the fleet over the price at the builder's reference production.

    Learning goes with the mass built, not with the number of satellites: one satellite of ten tonnes
    teaches what ten satellites of one tonne do, so that the size chosen does not change the price by
    itself. All parts share the one reference mass: their prices were observed on satellites that hold them
    in like proportion, so that watts, square metres and kilograms double together.
    """
    mean = wright_average_price(
        builder.experience_kg, fleet_mass_kg, 1.0, builder.reference_kg, builder.progress_ratio
    )
    return float(mean)
