"""The report: one HTML file that opens offline, made from an assessment."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from skyhall.catalogue.parts import Confidence
from skyhall.chain import Assessment
from skyhall.constants import MINUTE
from skyhall.report import budgets, figures, price_figures
from skyhall.report.delivery import delivered_and_verified
from skyhall.report.formats import (
    energy,
    mass,
    moment,
    money,
    money_scaled,
    number,
    percent,
    power,
    written,
    written_range,
)
from skyhall.report.headline import headline, tiles
from skyhall.report.network import network_section
from skyhall.report.radiation import radiation_section
from skyhall.report.rules_table import rules_table
from skyhall.satellite.design import SatelliteDesign
from skyhall.satellite.sized import SizedSatellite

__all__ = ["render_html"]

_ZERO_CELSIUS = 273.15
_MOST_DROPPED = 30  # element sets named in the report; all are in events.jsonl
_CONFIDENCES: tuple[Confidence, ...] = ("primary", "second-hand", "derived", "scenario", "assumed")


def render_html(assessment: Assessment) -> str:
    """Return the report as one HTML text without any reference to another file or to the network."""
    fleet = assessment.fleet
    largest = int(np.argmax(fleet.counts))
    design, sized = fleet.designs[largest], fleet.sized[largest]
    summary = assessment.summary()
    text: str = _template().render(
        scenario=fleet.scenario,
        summary=summary,
        headline=headline(assessment, summary),
        tiles=tiles(summary, fleet.scenario.launch.vehicle),
        designs=_design_sheet(assessment),
        design=design,
        what_sizes=_what_sizes(sized),
        several=len(fleet.designs) > 1,
        darkest_day=_darkest_day(assessment),
        attitude=design.attitude.replace("_", " "),
        mass_budget=Markup(budgets.mass_budget(design)),
        power_budget=Markup(budgets.power_budget(design, sized)),
        specific_mass=Markup(budgets.specific_mass(assessment)),
        light_year=Markup(figures.light_year(assessment)),
        light_sentence=_light_sentence(assessment, summary),
        flown_time=Markup(figures.flown_time(assessment)),
        darkest_orbit=Markup(figures.darkest_orbit(assessment)),
        radiation=radiation_section(assessment),
        network=network_section(assessment),
        rules=Markup(rules_table(assessment.rules)),
        rules_with_limit=sum(result.passed is not None for result in assessment.rules),
        price_by_boundary=Markup(price_figures.price_by_boundary(assessment.costs)),
        gap=Markup(price_figures.gap(assessment.costs)),
        delivered_and_verified=delivered_and_verified(assessment),
        boundaries=assessment.costs.boundaries(),
        lines=assessment.costs.as_rows(),
        break_even=assessment.costs.break_even(),
        notes=assessment.costs.notes,
        parts=assessment.assumptions(),
        confidences=_confidences(assessment),
        dropped=fleet.dropped[:_MOST_DROPPED],
        dropped_more=max(0, len(fleet.dropped) - _MOST_DROPPED),
        flight=assessment.flight,
        provenance=assessment.provenance,
    )
    return text


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("skyhall.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number,
        money=money,
        money_scaled=money_scaled,
        percent=percent,
        power=power,
        written=written,
        mass=mass,
        energy=energy,
    )
    environment.globals["written_range"] = written_range
    return environment.get_template("report.html.j2")


def _design_sheet(assessment: Assessment) -> list[tuple[str, list[str]]]:
    """Return the rows of the design sheet: a quantity, and its text for each shell."""
    fleet = assessment.fleet
    columns = [
        _column(design, sized, count)
        for design, sized, count in zip(fleet.designs, fleet.sized, fleet.counts, strict=True)
    ]
    rows = [(name, [column[name] for column in columns]) for name in columns[0]]
    light = [
        f"{percent(float(np.mean(np.trapezoid(year.lit_fraction, year.seconds) / np.ptp(year.seconds))))}"
        for year in fleet.light
    ]
    return [*rows, ("Sunlit share of the year", light)]


def _column(design: SatelliteDesign, sized: SizedSatellite, count: int) -> dict[str, str]:
    return {
        "Shell": design.name,
        "Satellites": number(count),
        "Accelerators each": number(design.accelerators),
        "IT power each": power(design.it_power),
        "Bus load at full work": power(design.bus_power),
        "Bus over IT power": number(float(sized.power_overhead)),
        "Launch mass each": f"{number(design.mass, 4)} kg",
        "Mass per IT power": f"{number(design.mass / design.it_power * 1e3)} kg/kW",
        "Mass per bus power": f"{number(design.mass / design.bus_power * 1e3)} kg/kW",
        "Array": f"{number(design.array_area)} m²",
        "Array, begin of life": power(float(sized.array_power_begin)),
        "Radiator, planform": f"{number(design.radiator_area)} m²",
        "Radiator, emitting": f"{number(design.radiator_emitting_area)} m²",
        "Radiator, hot case": f"{number(design.design_radiator_temperature - _ZERO_CELSIUS)} °C",
        "Battery, begin of life": energy(float(sized.battery_capacity_begin) / 3600.0),
        "Deepest discharge": percent(float(sized.depth_of_discharge)),
        "Work kept in the dark": percent(design.night_share),
        "Longest eclipse": f"{number(float(sized.longest_eclipse) / MINUTE)} min",
    }


def _what_sizes(sized: SizedSatellite) -> list[tuple[str, str]]:
    """Return the case that sizes each part, and what is heaviest."""
    subsystem, _, why = str(sized.binding).partition(":")
    rows = [("Heaviest subsystem", f"{subsystem}, by {why}" if why else subsystem)]
    rows += [("Solar array", str(sized.array_case)), ("Battery", str(sized.battery_case))]
    rows.append(("Radiator", str(sized.radiator_case)))
    return [(name, case.replace("_", " ")) for name, case in rows]


def _light_sentence(assessment: Assessment, summary: dict[str, Any]) -> str:
    fleet = assessment.fleet
    text = (
        f"Over a year the satellites see {percent(summary['sunlit_year'])} of full sunlight; "
        f"the longest eclipse lasts {number(summary['longest_eclipse_min'])} minutes."
    )
    if len(fleet.light) == 1 and fleet.light[0].beta.ndim == 1:
        days = fleet.light[0].summary().eclipse_season_days
        text += (
            " The orbit meets the shadow on every day."
            if days > 360
            else f" The orbit meets the shadow on {number(days)} days a year."
        )
        return text if days else f"{text} It never meets the shadow."
    if len(fleet.light) == 1:
        text += f" The bands are over {fleet.light[0].beta[..., 0].size} of its orbits."
    return text


def _darkest_day(assessment: Assessment) -> str:
    chunk = assessment.darkest_orbit
    return moment(assessment.scenario.epoch, float(chunk.seconds[0]), "%-d %B %Y")


def _confidences(assessment: Assessment) -> list[tuple[str, int]]:
    counted = Counter(fact.confidence for part in assessment.assumptions() for fact in part.facts.values())
    return [(name, counted[name]) for name in _CONFIDENCES if counted[name]]
