"""Published prices, computed as cost sheets in their sources' own conventions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from skyhall.economics.cost_sheet import BOUNDARIES, Boundary, CostLine, CostSheet
from skyhall.economics.finance import HOURS_PER_YEAR, levelized
from skyhall.economics.ground import (
    GroundSite,
    facility_energy_kwh_per_year,
    fuel_usd_per_kwh,
    ground_lines,
    power_price_usd_per_kw_year,
)
from skyhall.economics.launch import Vehicle, launch_cost, manifest
from skyhall.economics.operate import mean_degradation
from skyhall.validation.cases import Case
from skyhall.validation.launch_cases import CALENDAR_YEAR_H

__all__ = ["CHECKS"]

_BUILD: tuple[Boundary, ...] = ("build", "installed", "delivered")
_TOTAL: tuple[Boundary, ...] = ("installed", "delivered")


def _line(
    name: str,
    years: float,
    capital_usd: float,
    annual_usd: float = 0.0,
    tags: tuple[Boundary, ...] = tuple(BOUNDARIES),
    launched_kg: float = 0.0,
) -> CostLine:
    return CostLine.over_life(
        name,
        name,
        tags,
        wacc=0.0,
        life_years=years,
        capital_usd=capital_usd,
        annual_usd=annual_usd,
        launched_capital_kg=launched_kg,
    )


def _starcloud_sheet(given: Mapping[str, Any], launches: float) -> CostSheet:
    years, it_power = given["years"], given["it_mw"] * 1e6
    site = GroundSite("grid", 0.0, years, pue=1.0, energy_usd_per_kwh=given["ground_usd_per_kwh"])
    energy_usd = facility_energy_kwh_per_year(site, it_power) * site.energy_usd_per_kwh
    payload_kg = 100e3  # any payload: the table prices the launch, not the kilogram
    vehicle = Vehicle(
        "launch", price_usd_per_kg=given["launch_musd"] * 1e6 / payload_kg, payload_kg=payload_kg
    )
    launch_usd, _ = launch_cost(manifest(1, payload_kg, vehicle), vehicle)
    hours = given["it_mw"] * HOURS_PER_YEAR
    return CostSheet(
        orbit=(
            _line("array", years, given["array_musd"] * 1e6),
            _line("launch", years, launches * launch_usd),
            _line("shield", years, given["shield_musd"] * 1e6),
        ),
        ground=(
            _line("energy", years, 0.0, energy_usd),
            _line("chiller", years, given["chiller_musd"] * 1e6),
            _line("backup", years, given["backup_musd"] * 1e6),
        ),
        gpus=given["it_mw"],
        installed_gpu_h_per_year=hours,
        delivered_gpu_h_per_year=hours,
        ground_delivered_gpu_h_per_year=hours,
        launch_price_usd_per_kg=vehicle.price_usd_per_kg,
    )


def starcloud_table(case: Case) -> Mapping[str, Any]:
    """Return the white paper's table: one launch against ten years of energy on the ground, MUSD."""
    sheet, years = _starcloud_sheet(case.given, launches=1), case.given["years"]
    energy = next(line for line in sheet.ground if line.name == "energy")
    return {
        "ground": sheet.total("installed", "ground") * years / 1e6,
        "space": sheet.total("installed", "orbit") * years / 1e6,
        "ground_energy": energy.annual_usd * years / 1e6,
    }


def starcloud_table_all_launches(case: Case) -> Mapping[str, Any]:
    """Return what space costs in the same table when every launch is counted, MUSD."""
    found: dict[str, Any] = {"launch_1": case.given["launch_musd"]}
    for name, launches in case.given["launches"].items():
        sheet = _starcloud_sheet(case.given, launches)
        found[name] = sheet.total("installed", "orbit") * case.given["years"] / 1e6
        launch = next(line for line in sheet.orbit if line.name == "launch")
        found[f"launch_{launches}"] = launch.capital_usd / 1e6
    return found


def _mccalip_sheet(given: Mapping[str, Any], initial_w: float) -> CostSheet:
    # A megawatt of nominal power stands for an accelerator, so that its hours are MWh.
    years, target_mw = given["years"], given["target_gw"] * 1e3
    hardware, mass_kg = given["satellite_usd_per_w"] * initial_w, initial_w / given["specific_power_w_per_kg"]
    site = GroundSite(
        "gas turbine",
        facility_usd_per_w=sum(
            given[f"{name}_usd_per_w"] for name in ("electrical", "mechanical", "civil", "network")
        ),
        facility_life_years=years,
        pue=given["pue"],
        energy_usd_per_kwh=float(
            fuel_usd_per_kwh(given["gas_usd_per_mmbtu"], given["heat_rate_btu_per_kwh"])
        ),
        plant_usd_per_w=given["turbine_usd_per_kw"] / 1e3,
        load_factor=given["capacity_factor"],
    )
    hours = target_mw * CALENDAR_YEAR_H
    replaced = given["gpu_failure_per_year"] * years * hardware
    return CostSheet(
        orbit=(
            _line("launch", years, given["launch_usd_per_kg"] * mass_kg, launched_kg=mass_kg),
            _line("hardware", years, hardware, tags=_BUILD),
            _line("engineering", years, given["nre_busd"] * 1e9, tags=_TOTAL),
            _line("operations", years, given["operations_share_of_hardware"] * hardware, tags=_TOTAL),
            _line("gpu_replacement", years, replaced, tags=_TOTAL),
        ),
        ground=ground_lines(
            site,
            accelerators=0,
            accelerator_usd=0,
            it_power_w=target_mw * 1e6,
            wacc=0.0,
            hours_per_year=CALENDAR_YEAR_H,
        ),
        gpus=target_mw,
        installed_gpu_h_per_year=hours,
        delivered_gpu_h_per_year=hours,
        ground_delivered_gpu_h_per_year=hours * site.load_factor,
        launch_price_usd_per_kg=given["launch_usd_per_kg"],
    )


def mccalip_default(case: Case) -> Mapping[str, Any]:
    """Return the calculator's default: each line, both totals, per MWh, and the launch price that breaks even."""
    given, years = case.given, case.given["years"]
    degradation = float(mean_degradation(given["degradation_per_year"], years))
    initial_w = given["target_gw"] * 1e9 / (given["sun_fraction"] * degradation)
    sheet = _mccalip_sheet(given, initial_w)
    lines = {line.name: line.capital_usd / 1e9 for line in sheet.orbit}
    fuel = next(line for line in sheet.ground if line.name == "electricity")
    all_terms = sheet.break_even("installed")
    return lines | {
        "mean_degradation_factor": degradation,
        "satellites": math.ceil(initial_w / (given["satellite_kw"] * 1e3)),
        "mass": initial_w / given["specific_power_w_per_kg"] / 1e6,
        "orbital": sheet.capital("delivered") / 1e9,
        "orbital_energy": sheet.per_gpu_h("delivered"),
        "ground_fuel": fuel.annual_usd * years / 1e9,
        "ground_capital": sheet.capital("installed", "ground") / (given["target_gw"] * 1e9),
        "terrestrial": sheet.total("installed", "ground") * years / 1e9,
        "terrestrial_energy": sheet.per_gpu_h("delivered", "ground"),
        "breakeven": sheet.break_even("build").price_usd_per_kg,
        "breakeven_of_all_terms": all_terms.price_usd_per_kg,
        "binding": all_terms.binding_term,
    }


def semianalysis_2026(case: Case) -> Mapping[str, Any]:
    """Return the cost of a GPU-hour on both sides, owned and useful, USD."""
    given = case.given
    hours = given["gpus"] * CALENDAR_YEAR_H
    orbit_capital = levelized(
        given["capital_orbit_musd"] * 1e6, 0.0, given["wacc_space"], given["life_satellite_y"]
    )
    orbit = float(orbit_capital) / hours + given["operations_orbit_usd_per_gpu_h"]
    servers = levelized(given["it_musd"] * 1e6, 0.0, given["wacc_ground"], given["life_server_y"])
    building_usd = (given["capital_ground_musd"] - given["it_musd"]) * 1e6
    building = levelized(building_usd, 0.0, given["wacc_ground"], given["life_facility_y"])
    energy = given["it_kw"] * power_price_usd_per_kw_year(
        given["usd_per_kwh"], given["pue"], hours_per_year=CALENDAR_YEAR_H
    )
    ground = float(servers + building + energy) / hours
    return {
        "tco_orbit": orbit,
        "tco_ground": ground,
        "useful_orbit": orbit * (1.0 + given["spares_orbit"]) / given["useful_share"],
        "useful_ground": ground * (1.0 + given["spares_ground"]),
    }


CHECKS: Mapping[str, Callable[[Case], Mapping[str, Any]]] = {
    "starcloud-table": starcloud_table,
    "starcloud-table-all-launches": starcloud_table_all_launches,
    "mccalip-default": mccalip_default,
    "semianalysis-2026": semianalysis_2026,
}
