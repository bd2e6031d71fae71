"""The answer in a sentence and a dozen key figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skyhall.chain import Assessment
from skyhall.report.formats import energy, mass, money, number, percent, power

__all__ = ["Headline", "Tile", "headline", "tiles"]


@dataclass(frozen=True, slots=True)
class Headline:
    """The sentence, cut where its numbers stand, and the one below it: the break-even, or what binds."""

    fleet: str
    ratio: str
    verdict: str
    below: str
    wins: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A key figure: the summary's key and value, its text and unit, and a line below."""

    key: str
    value: Any
    name: str
    text: str
    unit: str
    below: str = ""


def headline(assessment: Assessment, summary: Mapping[str, Any]) -> Headline:
    """Return the headline of an assessment."""
    costs = assessment.costs
    count = summary["satellites"]
    who = "One satellite" if count == 1 else f"{count:,} satellites"
    ratio = costs.usd_per_delivered_gpu_h / costs.ground_usd_per_gpu_h
    wins = ratio <= 1.0
    verdict = f"{percent(1.0 - ratio, 2)} below the ground" if wins else f"{money(ratio)} times the ground"
    below = [costs.break_even().sentence, assessment.season_note]
    return Headline(
        fleet=f"{who} with {power(1e6 * summary['it_power_mw'])} of IT power",
        ratio=money(ratio),
        verdict=verdict,
        below=" ".join(f"{each[0].upper()}{each[1:]}." for each in below if each),
        wins=wins,
    )


def tiles(summary: Mapping[str, Any], vehicle: str) -> list[Tile]:
    """Return the key figures in the order of the chain."""

    def tile(key: str, name: str, shown: str, below: str = "") -> Tile:
        text, _, unit = shown.partition(" ")
        return Tile(key, summary[key], name, text, unit, below)

    def of(key: str) -> float:
        return float(summary[key])

    gpus, satellites = summary["accelerators"], summary["satellites"]
    launches = of("launches")
    return [
        tile(
            "satellites", "Satellites", number(satellites), f"{gpus:,} accelerator{'s' if gpus != 1 else ''}"
        ),
        tile(
            "satellite_kg",
            "Launch mass",
            f"{number(of('satellite_kg'), 4)} kg",
            f"each; fleet {mass(1e3 * of('fleet_t'))}",
        ),
        tile(
            "specific_mass_kg_per_kw",
            "Mass per IT power",
            f"{number(of('specific_mass_kg_per_kw'))} kg/kW",
            "launch mass",
        ),
        tile(
            "array_m2",
            "Solar array",
            f"{number(of('array_m2'))} m²",
            f"each; {power(1e3 * of('array_begin_kw'))} begin of life",
        ),
        tile(
            "radiator_planform_m2",
            "Radiator",
            f"{number(of('radiator_planform_m2'))} m²",
            f"planform; {number(of('radiator_emitting_m2'))} m² emitting",
        ),
        tile("battery_kwh", "Battery", energy(1e3 * of("battery_kwh")), "each, begin of life"),
        tile(
            "launches",
            "Launches",
            percent(launches, 2) if launches < 1 else number(launches),
            f"of a shared flight: {vehicle}" if launches < 1 else f"of {vehicle}",
        ),
        tile(
            "sunlit_year",
            "Sunlit",
            percent(of("sunlit_year")),
            f"longest eclipse {number(of('longest_eclipse_min'))} min",
        ),
        tile(
            "delivered_it_mwh_per_year",
            "Delivered IT energy",
            energy(1e6 * of("delivered_it_mwh_per_year")),
            f"a year; {percent(of('delivered_share'))} of full work",
        ),
        *(
            [
                tile(
                    "verified_share",
                    "Delivered GPU-hours",
                    percent(of("verified_share")),
                    "verified, of installed",
                )
            ]
            if summary.get("verified_share") is not None
            else []
        ),
        tile(
            "hottest_junction_c",
            "Hottest junction",
            f"{number(of('hottest_junction_c'))} °C",
            f"throttled {number(of('throttled_h_per_year'))} h a year",
        ),
        tile(
            "lowest_state_of_charge",
            "Lowest charge",
            percent(of("lowest_state_of_charge")),
            "of the capacity at end of life",
        ),
        tile(
            "launch_usd_per_kg",
            "Launch price",
            f"{number(of('launch_usd_per_kg'))} USD/kg",
            f"break-even {number(summary['breakeven_launch_usd_per_kg'])} USD/kg"
            if summary["breakeven_status"] == "closes"
            else summary["breakeven_status"],
        ),
    ]
