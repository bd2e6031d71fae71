"""Building satellites: what each subsystem costs, and how the price falls with production."""

from __future__ import annotations

from dataclasses import dataclass

from skyhall.economics.launch import wright_average_price
from skyhall.economics.ranges import require

__all__ = ["BuildPrices", "SatelliteBill", "bus_cost", "learning_factor"]


@dataclass(frozen=True, slots=True)
class SatelliteBill:
    """What one satellite is made of, as the price needs it.

    Parameters
    ----------
    mass_kg : launch mass with propellant.
    bus_kg : dry mass apart from array, battery, radiator and compute (structure, avionics, propulsion,
        links).
    array_w : array power at begin of life, W.
    battery_kwh, radiator_m2 : installed energy; radiator planform area.
    accelerators : accelerators that work (spares not counted).
    it_power_w : IT input power of the working accelerators and their hosts, W.
    stowed_volume_m3 : folded for launch; 0 where it is not known.
    """

    mass_kg: float
    bus_kg: float
    array_w: float
    battery_kwh: float
    radiator_m2: float
    accelerators: float
    it_power_w: float
    stowed_volume_m3: float = 0.0

    def __post_init__(self) -> None:
        require(
            self,
            positive=("mass_kg",),
            not_negative=(
                "bus_kg",
                "array_w",
                "battery_kwh",
                "radiator_m2",
                "accelerators",
                "it_power_w",
                "stowed_volume_m3",
            ),
        )


@dataclass(frozen=True, slots=True)
class BuildPrices:
    """Prices of a builder of satellites, and its experience.

    Parameters
    ----------
    bus_usd_per_kg, array_usd_per_w, battery_usd_per_kwh, radiator_usd_per_m2 : prices at `reference_kg`.
    progress_ratio : price after each doubling of production; 1 for none.
    reference_kg, experience_kg : cumulative dry mass built at which the prices hold, and that the builder
        starts from.
    engineering_usd : one-off engineering (non-recurring) before the first satellite.
    sources : names of the catalogue's parts that the numbers come from.
    """

    bus_usd_per_kg: float
    array_usd_per_w: float
    battery_usd_per_kwh: float
    radiator_usd_per_m2: float
    progress_ratio: float = 1.0
    reference_kg: float = 1.0
    experience_kg: float = 1.0
    engineering_usd: float = 0.0
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(
            self,
            positive=("progress_ratio", "reference_kg"),
            not_negative=(
                "bus_usd_per_kg",
                "array_usd_per_w",
                "battery_usd_per_kwh",
                "radiator_usd_per_m2",
                "experience_kg",
                "engineering_usd",
            ),
            shares=("progress_ratio",),
        )


def bus_cost(bill: SatelliteBill, prices: BuildPrices) -> dict[str, float]:
    """Return what each subsystem of one satellite costs at the builder's reference experience, USD.

    Accelerators are not in it: they are the same hardware on the ground and have a line of their own.
    """
    return {
        "bus": bill.bus_kg * prices.bus_usd_per_kg,
        "solar array": bill.array_w * prices.array_usd_per_w,
        "battery": bill.battery_kwh * prices.battery_usd_per_kwh,
        "radiator": bill.radiator_m2 * prices.radiator_usd_per_m2,
    }


def learning_factor(fleet_mass_kg: float, prices: BuildPrices) -> float:
    """Return the mean price of the fleet over the price at reference experience.

    Learning goes with the mass built, not with the number of satellites: one satellite of ten tonnes
    teaches what ten satellites of one tonne do, so that the size chosen does not change the price by
    itself.
    """
    return float(
        wright_average_price(
            prices.experience_kg, fleet_mass_kg, 1.0, prices.reference_kg, prices.progress_ratio
        )
    )
