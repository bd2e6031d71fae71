"""``skyhall simulate``: the twin alone."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

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
from skyhall.errors import ValueProblem

if TYPE_CHECKING:
    from skyhall.chain import Assessment
    from skyhall.fleet import Fleet
    from skyhall.scenario import Scenario
    from skyhall.twin import Flight

__all__ = ["command"]

_ASK_ABOVE = 1e9  # bytes
_SPARKS = 61


@click.command("simulate")
@scenario_argument
@click.option("--start", help="ISO 8601 in UTC; default the scenario's.")
@click.option("--duration", help='For example "1 day"; default the scenario\'s.')
@click.option("--step", help='From "1 s" to "10 min"; default the scenario\'s.')
@set_option
@elements_option
@click.option("--out", type=Folder(), help="Folder for timeline.parquet and the scenario.")
@click.option(
    "--record",
    "record_file",
    type=click.Path(path_type=Path),
    metavar="FILE.zarr",
    help="Write every satellite and step (needs the extra 'arrays'); says its size first.",
)
@click.option("--yes", is_flag=True, help="Write a record above 1 GB without asking.")
@as_json
def command(
    scenario: str,
    start: str | None,
    duration: str | None,
    step: str | None,
    sets: tuple[str, ...],
    elements: str | None,
    out: Path | None,
    record_file: Path | None,
    yes: bool,
    json: bool,
) -> None:
    """Fly the fleet of SCENARIO through light, power, battery and heat."""
    options = {
        "--start": ("flight.start", start),
        "--duration": ("flight.duration", duration),
        "--step": ("flight.step", step),
        "--elements": ("orbit.elements", elements),
    }
    asked = loaded(scenario, sets, options)
    from skyhall.chain import simulate
    from skyhall.fleet import design

    fleet = design(asked)
    if record_file is not None:
        _agree_to_record(fleet, record_file, yes=yes, json=json)
    with writable(out) if out else nullcontext(), show.progress(json=json) as told:
        flight = simulate(fleet, progress=lambda share: told("flight", share))
        if record_file is not None:
            from skyhall.cli.zarr_record import write_record

            write_record(fleet, record_file, lambda share: told("record", share))
        if out is not None:
            _write(flight, fleet, out)
    if json:
        show.document(_document(flight))
        return
    _show(flight, fleet)
    written = [str(path) for path in (out and f"{out}/", record_file) if path is not None]
    if written:
        show.heading("Files")
        click.echo("\n".join(written))
    finer = "5 s" if step == "10 s" else "10 s"
    other = another(
        asked, sets, "satellite.night=ride", "satellite.attitude=orbit_normal", "satellite.life=8 yr"
    )
    same = {"start": start, "elements": elements}
    show.next_commands(
        call("simulate", scenario, **same, duration="1 day", step=finer, sets=sets),
        call("simulate", scenario, **same, duration=duration or "6 h", step=step, sets=[*sets, other]),
        call("assess", scenario, elements=elements, sets=sets),
    )


def _agree_to_record(fleet: Fleet, path: Path, *, yes: bool, json: bool) -> None:
    """Say how large the record would be; above 1 GB go on only with consent."""
    from skyhall.cli.zarr_record import check_target
    from skyhall.twin.flight import record_bytes

    check_target(path)
    asked = fleet.scenario
    steps = max(1, round(asked.flight_duration / asked.flight.step))
    size = record_bytes(len(fleet), steps)
    told = f"{path}: {show.count(len(fleet), 'satellite')} × {steps:,} steps, {show.size(size)} before compression"
    click.echo(told, err=True) if not json else None
    if size <= _ASK_ABOVE or yes:
        return
    if json or not sys.stdin.isatty():
        raise ValueProblem(
            f"the record would take {show.size(size)} before compression", right="add --yes to write it"
        )
    if not click.confirm("Write it?", err=True):
        raise click.exceptions.Exit(2)


def _document(flight: Flight) -> dict[str, Any]:
    delivered = flight.delivered
    return {
        "steps": flight.steps,
        "satellites": flight.satellites,
        "step_s": flight.step_s,
        "wall_s": flight.wall_s,
        "satellite_steps_per_s": flight.satellite_steps_per_s,
        "representative_days": flight.days,
        "lit_fraction_mean": float(delivered.lit.mean()),
        "lit_fraction_min": float(flight.timeline.lit_lowest.min()),
        "delivered_share": delivered.share,
        "delivered_it_mwh": float(delivered.work_j.sum()) / 3.6e9,
        "lowest_state_of_charge": float(delivered.lowest_battery.min()),
        "hottest_junction_c": show.in_celsius(float(delivered.hottest_junction_k.max())),
        "coldest_coolant_c": show.in_celsius(float(delivered.coldest_coolant_k.min())),
        "throttled_h_per_year": delivered.throttled_hours_per_year,
    }


def _show(flight: Flight, fleet: Fleet) -> None:
    found = _document(flight)
    asked = fleet.scenario
    start = asked.flight.start or asked.epoch
    flown = f"{show.count(flight.satellites, 'satellite')}, {show.duration(flight.delivered.duration_s)}"
    how = f"{flown} from {start:%Y-%m-%d %H:%M}, steps of {flight.step_s:g} s"
    if flight.days is not None:
        how += f", {flight.days} representative days flown"
    if asked.orbit.elements is not None:
        how += f", on the real orbits of {Path(asked.orbit.elements).name}"
    show.heading(asked.name, how)
    show.facts(
        [
            ("flown", f"{flight.steps:,} steps", f"in {show.number(flight.wall_s, 's', 3)}"),
            ("speed", show.number(found["satellite_steps_per_s"] / 1e6, "M/s", 3), "satellite-steps"),
            ("lit, mean", show.percent(found["lit_fraction_mean"]), "of the Sun's disc, over fleet and time"),
            ("lit, least", show.percent(found["lit_fraction_min"]), "of the fleet at its darkest step"),
            (
                "delivered",
                show.energy(float(flight.delivered.work_j.sum())),
                f"{show.percent(found['delivered_share'])} of what is installed",
            ),
            (
                "throttled",
                show.number(found["throttled_h_per_year"], "h/yr", 3),
                "full-load hours shed for heat",
            ),
            (
                "lowest charge",
                show.percent(found["lowest_state_of_charge"]),
                "of the capacity at end of life",
            ),
            ("hottest junction", show.number(found["hottest_junction_c"], "°C", 3), ""),
            ("coldest coolant", show.number(found["coldest_coolant_c"], "°C", 3), ""),
        ]
    )
    line = flight.timeline
    show.sentence("")
    work_w = fleet.it_power / len(fleet)
    for name, values, top in (
        ("light", line.lit, 1.0),
        ("work", line.work_w, work_w),
        ("charge", line.battery, 1.0),
    ):
        show.sentence(f"{name:<8} {show.sparkline(show.thinned(values.tolist(), _SPARKS), top=top)}")


def _write(flight: Flight, fleet: Fleet, folder: Path) -> None:
    from skyhall.files import atomic_path, write_text
    from skyhall.report.tables import timeline_table, write_parquet
    from skyhall.scenario import resolved_yaml

    flown = cast("Assessment", _Flown(fleet.scenario, flight))  # the timeline's table reads nothing else
    with atomic_path(folder / "timeline.parquet") as path:
        write_parquet(timeline_table(flown), path)
    write_text(folder / "scenario.resolved.yaml", resolved_yaml(fleet.scenario))


@dataclass(frozen=True, slots=True)
class _Flown:
    scenario: Scenario
    flight: Flight
