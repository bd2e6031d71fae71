"""``skyhall run``: a job on a fleet of processes that live like satellites, to a result with a proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from skyhall.cli import show
from skyhall.cli.extras import need_torch
from skyhall.cli.live import satellites_on_a_terminal
from skyhall.cli.options import DEFAULT, Folder, as_json, call, loaded, number_of, simulated
from skyhall.errors import CheckFailed, Place, ValueProblem

if TYPE_CHECKING:
    from skyhall.runtime.evidence import Evidence
    from skyhall.runtime.run import RunOptions
    from skyhall.scenario import Scenario
    from skyhall.work.job_file import JobFile

__all__ = ["command"]


@click.command("run")
@click.argument("job", default="gpt-train")
@click.option(
    "--scenario", default=DEFAULT, show_default=True, help="Built-in name or file: whose satellites."
)
@click.option(
    "--set", "sets", multiple=True, metavar="KEY=VALUE",
    help="Of the job: protect, copies, or a parameter (--list); with a dot (launch.price), of the scenario.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="Processes of this machine, or a Ray cluster (extra 'ray').",
)  # fmt: skip
@click.option("--address", default="", help="Of a running Ray cluster; left out, one is started.")
@click.option(
    "--speedup", default=120.0, show_default=True, type=click.FloatRange(0.0, min_open=True),
    help="Simulated seconds in a second.",
)  # fmt: skip
@click.option(
    "--faults", default="none", show_default=True,
    help="Upsets that hit the job: a number over the whole run, or x1e6: the twin's rates times so much.",
)  # fmt: skip
@click.option(
    "--kill", "kills", multiple=True, metavar="N | SATELLITE@WHEN[:HOW]",
    help="Kill N satellites that compute, or one: 'sat-0@40 min:lose', 'any@30 %:stop'. May be repeated.",
)  # fmt: skip
@click.option("--satellites", type=click.IntRange(1), help="Processes; default the copies and two more.")
@click.option(
    "--every", type=click.IntRange(1), help="Steps between two comparisons; default by the upset rate."
)
@click.option("--start", help="ISO 8601 in UTC; default the season with the longest eclipses.")
@click.option(
    "--duration", default="1 day", show_default=True, help="Simulated time after which it gives up."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of upsets and kills.")
@click.option("--no-reference", is_flag=True, help="Leave out the undisturbed run, and with it the verdict.")
@click.option("--resume", type=Folder(), help="Continue the run that was ended in this folder.")
@click.option("--list", "listed", is_flag=True, help="List the kinds of job and their parameters.")
@click.option("--out", type=Folder(), help="Folder of the record; default runs/NAME.")
@as_json
def command(
    job: str, scenario: str, listed: bool, resume: Path | None, out: Path | None, json: bool, **asked: Any
) -> None:
    """Run JOB on satellites that see dusk, are killed, and have their bits flipped.

    JOB is a kind of job (--list) or a YAML file. Simulated time runs `--speedup` times faster than the clock. The
    result is compared bit for bit with an undisturbed run's; the record of the run shows who computed what.
    """
    need_torch("running jobs")
    if listed:
        _list(json=json)
        return
    from skyhall.runtime.run import asked_in, run_job

    if resume is not None:
        _refuse_beside_resume()
        file, known, options = asked_in(resume)
        folder = resume
    else:
        file, known, options = _asked(job, scenario, **asked)
        folder = out or Path("runs") / file.name
    try:
        with satellites_on_a_terminal(json=json) as (progress, watch):
            evidence = run_job(
                file, known, options, folder=folder, resume=resume is not None, watch=watch, progress=progress
            )
    except ValueProblem as error:
        typed = {text.partition("=")[0].strip() for text in asked["sets"]}
        if error.place.file == "--set" and error.place.key not in typed:  # a parameter of the job file
            error.place = Place(job, f"parameters.{error.place.key}")
        raise
    except KeyboardInterrupt:
        if not json and (folder / "journal.jsonl").exists():
            click.echo(f"continue it: {call('run', resume=folder)}", err=True)
        raise
    if json:
        show.document(evidence.summary())
    else:
        _show(evidence, file, options)
    if evidence.kept is False:
        raise CheckFailed(
            f"the result is not what {file.protect} promises",
            place=Place(str(folder / "digests.json")),
            right="the record shows where it left the undisturbed run",
        )


def _asked(
    job: str,
    scenario: str,
    *,
    sets: tuple[str, ...],
    engine: Literal["local", "ray"],
    address: str,
    speedup: float,
    faults: str,
    kills: tuple[str, ...],
    satellites: int | None,
    every: int | None,
    start: str | None,
    duration: str,
    seed: int,
    no_reference: bool,
) -> tuple[JobFile, Scenario, RunOptions]:
    from skyhall.jobs.kinds import KINDS
    from skyhall.runtime.run import RunOptions
    from skyhall.work.job_file import load_job

    own = [text for text in sets if "." not in text.partition("=")[0]]
    file = load_job(job, list(KINDS), own)
    if satellites is not None:
        file = file.model_copy(
            update={"resources": file.resources.model_copy(update={"satellites": satellites})}
        )
    known = loaded(scenario, [text for text in sets if text not in own], {"--start": ("flight.start", start)})
    if address and engine != "ray":
        raise ValueProblem("is of a Ray cluster", place=Place("--address"), right="add --engine ray")
    if speedup == float("inf"):
        raise ValueProblem("is not finite", place=Place("--speedup"), right="write a number, as 120")
    number, acceleration = _faults(faults)
    begin, lasts = simulated(known, duration)
    options = RunOptions(
        engine=engine,
        address=address,
        speedup=speedup,
        start=None if start is None else begin,
        duration=lasts,
        faults=number,
        acceleration=acceleration,
        kills=kills,
        seed=seed,
        round_units=every,
        reference=not no_reference,
    )
    return file, known, options


def _refuse_beside_resume() -> None:
    """Refuse whatever else was typed: a run goes on with what was asked for when it began."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        typed = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if typed and name not in ("resume", "json"):
            raise ValueProblem(
                "cannot be changed in a run that goes on",
                place=Place(parameter.opts[0] if isinstance(parameter, click.Option) else name.upper()),
                right="give --resume alone, or begin a new run",
            )


def _faults(text: str) -> tuple[float | None, float | None]:
    """Return the number of upsets, or the acceleration, that a text asks for."""
    text = text.strip().lower()
    if text == "none":
        return None, None
    value = number_of(text.removeprefix("x"))
    if value is None:
        raise ValueProblem(
            f"'{text}' is no number of faults", place=Place("--faults"), right="write none, 1000, or x1e6"
        )
    return (None, value) if text.startswith("x") else (value, None)


def _list(*, json: bool) -> None:
    from skyhall.jobs.kinds import KINDS, parameters_of

    kinds = {
        name: {"meaning": meaning, "parameters": parameters_of(name)}
        for name, (_, _, meaning) in KINDS.items()
    }
    if json:
        show.document(kinds)
        return
    for name, kind in kinds.items():
        show.heading(name, str(kind["meaning"]))
        show.pairs([(each, str(default)) for each, default in cast(Any, kind["parameters"]).items()])
    show.next_commands(call("run", next(iter(kinds)), faults="20", kill="1"))


def _show(evidence: Evidence, file: JobFile, options: RunOptions) -> None:
    from skyhall.jobs.kinds import meanings_of

    summary, meanings = evidence.summary(), meanings_of(file.kind)
    faults = summary["faults"]
    copies = evidence.plan.copies
    show.title(file.name, f"{file.kind} at {file.protect}, {'1 copy' if copies == 1 else f'{copies} copies'}")
    show.heading("Result")
    rows = [
        ("steps", f"{summary['steps']:,}", f"each verified, in {summary['verified_digests'] - 1:,} rounds")
    ]
    for name, value in evidence.outcome.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            rows.append((name.replace("_", " "), show.number(value), meanings.get(name, "")))
    rows.append(("digest", summary["digest"][:16], "SHA-256 of the final state"))
    if evidence.reference is not None:
        rows.append(("undisturbed run's", str(summary["reference_digest"])[:16], _beside(summary)))
    show.facts(rows)
    show.heading(
        "On the way", f"{show.number(summary['simulated_h'], 'h', 3)} simulated, × {options.speedup:g}"
    )
    show.facts(
        [
            ("eclipses", f"{summary['eclipses']:,}", "that copies moved away from"),
            (
                "moves",
                f"{summary['moves']:,}",
                f"{show.number(summary['moved_mb'], 'MB', 3)} over laser links in all",
            ),
            ("kills", f"{summary['kills']:,}", _kills(evidence)),
            ("flips", f"{faults['injected']:,}", _rate(summary)),
            (
                "detected",
                f"{faults['detected']:,}",
                f"{faults['corrected']:,} corrected, {show.count(faults['redone'], 'step')} redone",
            ),
            ("uncovered", *_uncovered(faults["uncovered"], file.protect)),
            *_replays(summary),
        ]
    )
    waited = evidence.latencies
    if waited is not None:
        show.heading("Waits for an answer", "of the trace's requests")
        show.facts(
            [
                ("half within", show.number(waited.p50_s, "s", 3), ""),
                ("95 % within", show.number(waited.p95_s, "s", 3), ""),
                ("99 % within", show.number(waited.p99_s, "s", 3), ""),
            ]
        )
    show.heading("Cost")
    over = summary["cost_over_undisturbed"]
    show.facts(
        [
            ("wall clock", show.number(summary["wall_s"], "s", 3), ""),
            (
                "processor time",
                show.number(summary["processor_s"], "s", 3),
                "" if over is None else f"{show.number(over, digits=3)} × the undisturbed run's",
            ),
            (
                "per verified step",
                show.number(summary["joules_per_verified_step"], "J", 3),
                f"at {show.power(evidence.plan.sky.accelerator_w)} for the time that it took here",
            ),
        ]
    )
    if evidence.kept is not None:
        show.sentence("")
        show.put(show.verdict(_verdict(evidence), good=evidence.kept))
    other = "bounded" if file.protect == "exact" else "exact"
    show.heading("Files")
    click.echo(f"{evidence.folder}/  has evidence.json, digests.json, events.jsonl and the final state")
    show.next_commands(
        call("run", file.kind, sets=[f"protect={other}"], faults="100", kill="2"),
        call("run", file.kind, scenario="starlink-shell-53", faults="100"),
        "skyhall run --list",
    )


def _beside(summary: dict[str, Any]) -> str:
    if summary["identical"]:
        return "the same, bit for bit"
    if summary["outcome_changed"]:
        return f"another, and another {summary['outcome_changed'][0].replace('_', ' ')}"
    return f"another; numbers differ by {show.percent(summary['outcome_difference'])}"


def _kills(evidence: Evidence) -> str:
    missed = len(evidence.plan.strikes) - len(evidence.state.struck)
    late = f"; {missed:,} more would have come after the end" if missed else ""
    return f"{show.count(evidence.state.counts['units_lost'], 'verified step')} lost and done again{late}"


def _rate(summary: dict[str, Any]) -> str:
    rate = summary["acceleration"]
    return f"the twin's rates × {rate:.3g}" if rate else "none were asked for"


def _replays(summary: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what executions on a second satellite showed, where there were any."""
    if not summary["replays"] + summary["replays_differed"]:
        return []
    told = f"on another satellite too, {summary['replays_differed']:,} differed"
    if summary["defective"]:
        gone = show.count(summary["defective"], "satellite")
        told += f"; {gone} given up, {show.count(summary['steps_in_doubt'], 'step')} in doubt"
    return [("replays", f"{summary['replays']:,}", told)]


def _uncovered(count: int | None, protect: str) -> tuple[str, str]:
    if count is None:
        return "unknown", "there is no undisturbed run to compare with"
    meaning = {
        "exact": "verified digests that are not the undisturbed run's",
        "bounded": "flips below the checks' thresholds, or without effect",
        "none": "nothing was checked",
    }
    return f"{count:,}", meaning[protect]


def _verdict(evidence: Evidence) -> str:
    if evidence.plan.protect == "exact":
        return (
            "exact: bit for bit the undisturbed run, after every round"
            if evidence.kept
            else f"exact: {len(evidence.differing)} verified digests are not the undisturbed run's"
        )
    from skyhall.runtime.evidence import BOUNDED_ERROR

    if evidence.outcome_changed:
        return f"bounded: not the undisturbed run's: {', '.join(evidence.outcome_changed)}"
    difference = show.percent(evidence.outcome_difference)
    return f"bounded: the result's numbers differ by {difference}; {show.percent(BOUNDED_ERROR)} is promised"
