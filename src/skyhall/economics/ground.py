"""The ground rival: the same accelerators in a data centre on Earth.

The grid is the first rival; another source of power (gas turbine, solar with batteries) is the same site
with power plant capital of its own and its own price of energy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.economics.cost_line import Boundary, CostLine
from skyhall.economics.finance import HOURS_PER_YEAR
from skyhall.economics.ranges import require

__all__ = [
    "GroundSite",
    "facility_energy_kwh_per_year",
    "fuel_usd_per_kwh",
    "ground_lines",
    "power_price_usd_per_kw_year",
]

Array = npt.NDArray[np.float64]
Number = float | Array

ENERGY: tuple[Boundary, ...] = ("launch", "build", "installed", "delivered")
BUILDING: tuple[Boundary, ...] = ("build", "installed", "delivered")
TOTAL: tuple[Boundary, ...] = ("installed", "delivered")


@dataclass(frozen=True, slots=True)
class GroundSite:
    """A data centre on Earth and where its power comes from; per W means per W of IT input power.

    Parameters
    ----------
    name : what it is called.
    facility_usd_per_w, facility_life_years : building, electrical and mechanical plant, network.
    pue : power usage effectiveness, facility energy over IT energy.
    energy_usd_per_kwh : price of a kWh at the facility's meter, or fuel for own plant.
    plant_usd_per_w : own power plant, per W of facility power (0 on the grid); lives as long as the
        facility.
    water_l_per_kwh, water_usd_per_m3 : water evaporated per kWh of IT energy and its price.
    operations_usd_per_kw_year : staff and maintenance, per kW of IT power.
    availability : share of the year that the accelerators can be used.
    load_factor : mean IT power over installed IT power.
    lost_share : share of the running time that ends as no work: checkpoints, restarts, silent errors.
    server_life_years : years until the accelerators are written off.
    accelerator_failures, repair_share : failures 1/yr, and what each costs over the price of an
        accelerator.
    sources : names of the catalogue's parts that the numbers come from.
    """

    name: str
    facility_usd_per_w: float
    facility_life_years: float
    pue: float
    energy_usd_per_kwh: float
    plant_usd_per_w: float = 0.0
    water_l_per_kwh: float = 0.0
    water_usd_per_m3: float = 0.0
    operations_usd_per_kw_year: float = 0.0
    availability: float = 1.0
    load_factor: float = 1.0
    lost_share: float = 0.0
    server_life_years: float = 5.0
    accelerator_failures: float = 0.0
    repair_share: float = 0.0
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(
            self,
            positive=("pue",),
            not_negative=(
                "facility_usd_per_w",
                "energy_usd_per_kwh",
                "plant_usd_per_w",
                "water_l_per_kwh",
                "water_usd_per_m3",
                "operations_usd_per_kw_year",
                "accelerator_failures",
                "repair_share",
            ),
            shares=("availability", "load_factor", "lost_share"),
            lives=("facility_life_years", "server_life_years"),
        )

    @property
    def running_share(self) -> float:
        """Share of the installed hours that run: availability times load."""
        return self.availability * self.load_factor

    @property
    def delivered_share(self) -> float:
        """Share of the installed hours that end as work."""
        return self.running_share * (1.0 - self.lost_share)


def power_price_usd_per_kw_year(
    energy_usd_per_kwh: Number, pue: Number, *, hours_per_year: float = HOURS_PER_YEAR
) -> Number:
    """Return what a kW of IT power costs for a year on Earth, USD/(kW yr), energy only.

    Source: arXiv:2511.19468v2 (Google, Project Suncatcher), section on launch cost.
    """
    return energy_usd_per_kwh * pue * hours_per_year


def fuel_usd_per_kwh(gas_usd_per_mmbtu: Number, heat_rate_btu_per_kwh: Number) -> Number:
    """Return the fuel cost of a kWh of own generation, USD/kWh (1 MMBtu is a million Btu)."""
    return gas_usd_per_mmbtu * heat_rate_btu_per_kwh / 1e6


def facility_energy_kwh_per_year(
    site: GroundSite, it_power_w: float, *, hours_per_year: float = HOURS_PER_YEAR
) -> float:
    """Return the energy that the whole facility draws in a year, kWh."""
    return it_power_w / 1e3 * site.load_factor * site.pue * hours_per_year


def ground_lines(
    site: GroundSite,
    *,
    accelerators: float,
    accelerator_usd: float,
    it_power_w: float,
    wacc: float,
    hours_per_year: float = HOURS_PER_YEAR,
) -> tuple[CostLine, ...]:
    """Return the cost lines of `accelerators` in a data centre on Earth.

    Energy counts from the boundary "launch only" on, because it is what launching a satellite replaces;
    building and plant from "launch and build" on; the accelerators and running costs in the totals.

    Parameters
    ----------
    accelerators, accelerator_usd, it_power_w : the same hardware as in orbit: number, USD each, W of IT
        input in all.
    wacc : cost of capital, 1/yr.
    """
    energy = facility_energy_kwh_per_year(site, it_power_w, hours_per_year=hours_per_year)
    it_energy = energy / site.pue
    servers = accelerators * accelerator_usd

    def line(
        name: str,
        family: str,
        tags: tuple[Boundary, ...],
        life: float,
        capital: float = 0.0,
        annual: float = 0.0,
    ) -> CostLine:
        return CostLine.over_life(
            name,
            family,
            tags,
            wacc=wacc,
            life_years=life,
            capital_usd=capital,
            annual_usd=annual,
            sources=site.sources,
        )

    facility_life, server_life = site.facility_life_years, site.server_life_years
    lines = (
        line("electricity", "energy", ENERGY, facility_life, annual=energy * site.energy_usd_per_kwh),
        line(
            "power plant",
            "build",
            BUILDING,
            facility_life,
            capital=it_power_w * site.pue * site.plant_usd_per_w,
        ),
        line("facility", "build", BUILDING, facility_life, capital=it_power_w * site.facility_usd_per_w),
        line("accelerators", "compute", TOTAL, server_life, capital=servers),
        line(
            "repairs",
            "compute",
            TOTAL,
            server_life,
            annual=servers * site.accelerator_failures * site.repair_share,
        ),
        line(
            "water",
            "operate",
            TOTAL,
            facility_life,
            annual=it_energy * site.water_l_per_kwh / 1e3 * site.water_usd_per_m3,
        ),
        line(
            "operations",
            "operate",
            TOTAL,
            facility_life,
            annual=it_power_w / 1e3 * site.operations_usd_per_kw_year,
        ),
    )
    return tuple(item for item in lines if item.levelized_usd_per_year)
