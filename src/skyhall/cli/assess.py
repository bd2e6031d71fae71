"""``skyhall assess``: the whole chain on one scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.folder import writable
from skyhall.cli.options import (
    Folder,
    another,
    as_json,
    call,
    elements_option,
    loaded,
    scenario_argument,
    set_option,
)

if TYPE_CHECKING:
    from skyhall.chain import Assessment

__all__ = ["command"]

_NAMED = 3  # dropped element sets that are named


@click.command("assess")
@scenario_argument
@set_option
@elements_option
@click.option("--out", type=Folder(), help="Folder of the run's files; default runs/NAME.")
@as_json
def command(scenario: str, sets: tuple[str, ...], elements: str | None, out: Path | None, json: bool) -> None:
    """Run the whole chain on SCENARIO: a built-in name or a YAML file.

    Prints the design, its year in orbit and its price beside the ground, and writes the run's files: report.html,
    summary.json, the timeline and more.
    """
    asked = loaded(scenario, sets, {"--elements": ("orbit.elements", elements)})
    folder = out or Path("runs") / asked.name
    from skyhall.chain import assess
    from skyhall.report import write

    with writable(folder), show.progress(json=json) as told:
        assessment = assess(asked, progress=told)
        told("report", 0.0)
        write(assessment, folder)
    if json:
        show.document(_document(assessment, folder))
        return
    summary = assessment.summary()
    show.title(asked.name, asked.description, asked.orbit.elements)
    _show_design(assessment, summary)
    _show_year(assessment, summary)
    _show_radiation(assessment, summary)
    _show_network(assessment)
    _show_price(assessment, summary)
    _show_dropped(assessment)
    show.heading("Files")
    click.echo(f"{folder / 'report.html'}  opens in a browser, offline")
    click.echo(f"{folder}/  has scenario, summary, timeline, cost lines, events and orbits beside it")
    other = another(asked, sets, "launch.price=100 USD/kg", "satellite.night=ride", "satellite.life=8 yr")
    changed = Path("runs") / other.partition("=")[0].rpartition(".")[2]
    show.next_commands(
        call("design", scenario, elements=elements, sets=sets),
        call("compare", str(folder), "suncatcher-81" if asked.name == "starcloud-1" else "starcloud-1"),
        call("assess", scenario, elements=elements, sets=[*sets, other], out=changed),
    )


def _document(assessment: Assessment, folder: Path) -> dict[str, Any]:
    return {
        "summary": assessment.summary(),
        "boundaries": assessment.costs.boundaries(),
        "break_even": assessment.costs.break_even(),
        "notes": assessment.costs.notes,
        "dropped": assessment.fleet.dropped,
        "provenance": assessment.provenance,
        "folder": folder,
    }


def _show_design(assessment: Assessment, summary: dict[str, Any]) -> None:
    fleet = assessment.fleet
    asked = fleet.scenario.satellite
    each = summary["accelerators"] / summary["satellites"]
    designs = len(fleet.designs)
    show.heading("Design", f"mean of {designs} designs" if designs > 1 else "")
    show.facts(
        [
            ("satellites", f"{summary['satellites']:,}", f"{each:,.4g} × {asked.accelerator} each"),
            (
                "IT power",
                show.power(fleet.it_power),
                f"the bus takes {show.number(summary['power_overhead'])} × that",
            ),
            (
                "mass of one",
                show.number(summary["satellite_kg"], "kg"),
                f"{show.number(summary['fleet_t'], 't')} in all",
            ),
            (
                "specific mass",
                show.number(summary["specific_mass_kg_per_kw"], "kg/kW", 3),
                f"of IT; {show.number(summary['specific_mass_kg_per_kw_bus'], 'kg/kW', 3)} of bus",
            ),
            (
                "solar array of one",
                show.number(summary["array_m2"], "m²", 3),
                f"{show.number(summary['array_begin_kw'], 'kW', 3)} at begin of life",
            ),
            (
                "radiator of one",
                show.number(summary["radiator_planform_m2"], "m²", 3),
                f"planform; {show.number(summary['radiator_emitting_m2'], 'm²', 3)} emitting (both faces)",
            ),
            ("battery of one", show.number(summary["battery_kwh"], "kWh", 3), f"night: {asked.night}"),
            ("launches", *_launches(assessment, summary)),
            ("binds the mass", *_binding(summary["binding_mass"])),
        ]
    )


def _launches(assessment: Assessment, summary: dict[str, Any]) -> tuple[str, str]:
    """Return how many flights, and of what; flights that are shared count in parts."""
    vehicle, flights = assessment.scenario.launch.vehicle, summary["launches"]
    manifests = assessment.costs.manifests
    if flights < 1.0:
        return show.percent(flights), f"of a shared flight ({vehicle})"
    if not float(flights).is_integer():
        return show.number(flights), f"{vehicle}, shared flights"
    each = [f"{loading.satellites_per_flight:,.0f}" for loading in manifests if loading.parts == 1]
    texts = [vehicle]
    if each:
        texts.append(f"{' and '.join(dict.fromkeys(each))} on each")
    if len(each) < len(manifests):
        texts.append("in parts assembled in orbit")
    texts.append(f"limited by {' and '.join(dict.fromkeys(loading.limited_by for loading in manifests))}")
    return f"{flights:,.0f}", ", ".join(texts)


def _binding(text: str) -> tuple[str, str]:
    """Split "array:eclipse_season" into what is heaviest and what makes it so."""
    line, _, case = text.replace("_", " ").partition(":")
    return line, f"sized by: {case}" if case else ""


def _show_year(assessment: Assessment, summary: dict[str, Any]) -> None:
    flight = assessment.flight
    stretch = show.duration(flight.delivered.duration_s)
    how = f"{stretch} from {_start(assessment)}, steps of {flight.step_s:g} s"
    if flight.days is not None:
        how += f", {flight.days} representative days flown"
    limit = min(design.junction_limit for design in assessment.fleet.designs)
    show.heading("Year in orbit", how)
    show.facts(
        [
            ("sunlit", show.percent(summary["sunlit_year"]), "mean lit share of the Sun's disc"),
            ("longest eclipse", show.number(summary["longest_eclipse_min"], "min", 3), "Sun's centre hidden"),
            (
                "delivered IT energy",
                show.number(summary["delivered_it_mwh_per_year"], "MWh/yr"),
                f"{show.percent(summary['delivered_share'])} of what is installed",
            ),
            (
                "throttled",
                show.number(summary["throttled_h_per_year"], "h/yr", 3),
                "full-load hours shed for heat",
            ),
            (
                "lowest charge",
                show.percent(summary["lowest_state_of_charge"]),
                "of the capacity at end of life",
            ),
            (
                "hottest junction",
                show.number(summary["hottest_junction_c"], "°C", 3),
                f"limit {show.celsius(limit)}",
            ),
        ]
    )
    if assessment.season_note:
        show.sentence(f"{assessment.season_note.capitalize()}.", "yellow")


def _show_radiation(assessment: Assessment, summary: dict[str, Any]) -> None:
    fleet = assessment.fleet
    share = summary["dose_of_limit"]
    worst = max(fleet.irradiation, key=lambda each: each.dose_of_limit)
    show.heading("Radiation")
    show.facts(
        [
            ("shield", show.number(summary["shield_mm"], "mm", 3), "aluminium around the electronics"),
            ("dose", show.number(summary["dose_krad_per_year"], "krad/yr", 3), show.dose_budget(worst)),
            (
                "upsets",
                f"{summary['upsets_per_accelerator_day']:.2g} a day",
                "that kill or corrupt work, per accelerator; "
                f"{show.percent(summary['upsets_in_anomaly_share'])} in the South Atlantic Anomaly",
            ),
            (
                "lost to them",
                show.percent(summary["lost_to_upsets_share"]),
                "of the time: checkpoints, restarts, work done again",
            ),
            (
                "silent errors left",
                f"{summary['silent_left_per_accelerator_year']:.2g} a year",
                "per accelerator, that no check finds",
            ),
        ]
    )
    if share > 1.0:
        show.sentence(
            "The dose is more than the device bears: another orbit, device, life or shield is needed. The price takes "
            "it to survive.",
            "yellow",
        )
    several = len(fleet.designs) > 1
    failed = [
        result.rule.replace("_", " ") + (f" ({result.shell})" if several and result.shell else "")
        for result in assessment.rules
        if result.passed is False
    ]
    if failed:
        show.sentence(f"Rules of orbit that fail: {', '.join(failed)}; see `skyhall rules`.", "yellow")


def _show_network(assessment: Assessment) -> None:
    mesh, ground = assessment.network.mesh, assessment.network.ground
    rows = []
    if mesh:
        rows += [
            (
                "laser links",
                f"{len(mesh.now):,}",
                f"{_between(mesh.shortest / 1e3, mesh.longest / 1e3)}; "
                f"{show.percent(mesh.stands)} stand, at {show.rate(mesh.mean_rate)}",
            ),
            (
                "bisection",
                show.rate(mesh.narrowest.capacity),
                f"one way; a Clos network on the ground has {show.number(1.0 / mesh.of_clos, digits=3)} × that",
            ),
            (
                "handover",
                show.number(mesh.handover_s / 60.0, "min", 3),
                f"to move a satellite's memory, {show.size(mesh.memory_bits / 8.0)}, to a neighbour",
            ),
        ]
    if ground:
        least = "at least, of " if ground.sampled < ground.satellites else "of "
        rows += [
            (
                "contacts of one",
                show.number(ground.contact_s / 60.0, "min/day", 3),
                f"{len(ground.ground)} sites with {ground.ground.station}",
            ),
            (
                "downlink",
                show.bits(ground.fleet_bits, "/day"),
                f"{least}{show.count(ground.sampled, 'satellite')}; stations work {show.percent(ground.busy)} of the "
                "time with one in the sky",
            ),
        ]
        if assessment.scenario.network.results is not None:
            age = ground.drawn.mean_age / 60.0
            rows.append(
                (
                    "results that wait",
                    show.percent(ground.waiting_share),
                    f"of a day's at its end; those that came down were {show.number(age, 'min', 3)} old",
                )
            )
    show.heading("Network", "its first day")
    show.facts(rows)
    for what, why in (("mesh", assessment.network.no_mesh), ("contact", assessment.network.no_ground)):
        if why:
            show.sentence(f"No {what}: {why}.", "yellow" if what == "contact" else "dim")


def _between(low: float, high: float) -> str:
    """Return a range in km, or the one value that both ends show."""
    ends = [show.number(each, digits=3) for each in (low, high)]
    return f"{ends[1]} km" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} km"


def _start(assessment: Assessment) -> str:
    asked = assessment.scenario
    return (asked.flight.start or asked.epoch).strftime("%Y-%m-%d")


def _show_price(assessment: Assessment, summary: dict[str, Any]) -> None:
    costs = assessment.costs
    show.heading("Price beside the ground", "USD per GPU-hour, levelised")
    show.table(
        ("boundary", "orbit", "ground", "orbit / ground"),
        [
            (
                row.title,
                f"{row.orbit_usd_per_gpu_h:,.3f}",
                f"{row.ground_usd_per_gpu_h:,.3f}",
                show.verdict(f"{row.ratio:,.2f} ×", good=row.ratio < 1.0),
            )
            for row in costs.boundaries()
        ],
        right=(1, 2, 3),
    )
    from skyhall.report import delivered_and_verified

    show.sentence(f"{delivered_and_verified(assessment)}.")
    broken = costs.break_even()
    sentence = broken.sentence[:1].upper() + broken.sentence[1:] + "."
    show.sentence(sentence, "green" if broken.binding_term == "nothing" else "yellow")


def _show_dropped(assessment: Assessment) -> None:
    fleet, dropped = assessment.fleet, assessment.fleet.dropped
    if assessment.scenario.orbit.elements is None:
        return
    show.heading("Element sets", f"{len(fleet):,} flown, {len(fleet.dropped):,} dropped")
    if fleet.fit_error_km is not None:
        stray = show.number(fleet.fit_error_km, "km", 2)
        show.sentence(f"Flown as mean elements, which stray {stray} from SGP4 in a day (median satellite).")
    for text in dropped[:_NAMED]:
        show.sentence(text)
    if len(dropped) > _NAMED:
        show.sentence(f"and {len(dropped) - _NAMED:,} more; with --json all are named")
