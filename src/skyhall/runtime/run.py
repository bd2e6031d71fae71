"""From a job and a scenario to evidence: the whole of a run."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from skyhall.errors import CheckFailed, Place, ValueProblem
from skyhall.files import write_text
from skyhall.fleet import Fleet, design
from skyhall.jobs.job import make_job
from skyhall.jobs.outer import GUARDS
from skyhall.runtime.asked import RunOptions, asked_in, clear, inputs_of, refuse_another, room_in
from skyhall.runtime.engines.engine import Engine, WorkerSpec
from skyhall.runtime.engines.local import LocalEngine
from skyhall.runtime.evidence import Evidence
from skyhall.runtime.journal import read_journal
from skyhall.runtime.mission import Mission, Watch
from skyhall.runtime.reference import outcome_of, undisturbed
from skyhall.runtime.sky import Sky, chosen, darkest, names_of, sky_of
from skyhall.runtime.state import RunPlan
from skyhall.runtime.strikes import strikes_of
from skyhall.scenario import Scenario, load, resolved_yaml
from skyhall.work.job_file import JobFile

__all__ = ["RunOptions", "asked_in", "run_job", "strikes_of"]

_SPARE = 2  # satellites beyond the copies
_MOST_SATELLITES = 64
_MOST_SPEEDUP = 600.0  # the coordinator looks around each 0.1 s: then once in each slot of light, of 60 s
Progress = Callable[[str, float], None]


def run_job(
    job: JobFile,
    scenario: Scenario | str = "dawn-dusk-200mw",
    options: RunOptions | None = None,
    *,
    folder: Path,
    resume: bool = False,
    watch: Watch = lambda plan, state: None,
    progress: Progress = lambda what, share: None,
) -> Evidence:
    """Run a job on a fleet of processes, and return what the run proves.

    Parameters
    ----------
    folder : for the record.
    resume : continue the run that was ended in the folder, which was asked for the same.
    watch : called with plan and state while the job runs.
    progress : called with the name and the share done of what comes before and after.

    Raises
    ------
    ValueProblem
        For parameters that do not fit: too few satellites for the copies, no link between them; for a folder that
        holds anything but an ended run; when it is resumed with what it was not begun with.
    FileProblem
        When the record of an earlier run is torn.
    CheckFailed
        When the run ends without a result.
    """
    asked = options or RunOptions()
    earlier = room_in(folder, resumed=resume)
    progress("fleet", 0.0)
    known = load(scenario) if isinstance(scenario, str) else scenario
    fleet = design(known)
    made = make_job(job.kind, job.parameters)
    plan = _plan(job, fleet, asked, made.units, made.parts)
    document, resolved, lived = _document(job, asked, plan), resolved_yaml(known), 0.0
    if resume:
        refuse_another(folder, document, resolved)
        lived = _lived(folder, plan)
    else:
        clear(folder, earlier, plan.sky.names)
        write_text(folder / "scenario.resolved.yaml", resolved)
        write_text(folder / "run.json", json.dumps(document, indent=2) + "\n")

    def spec(satellite: int, epoch: int) -> WorkerSpec:
        storage = str(folder / plan.sky.names[satellite])
        return WorkerSpec(job.kind, job.parameters, job.protect, storage, satellite, epoch, asked.seed)

    quiet = None
    # First, so that an engine that cannot be had is said at once.
    with closing(_engine(asked, spec, plan.sky.names)) as engine:
        if asked.reference:
            quiet = undisturbed(spec(0, 0), lambda share: progress("undisturbed run", share))
        clock = time.monotonic()
        try:
            state = Mission(plan, engine, folder, watch).run()
        except CheckFailed as error:
            # It has ended: there is nothing to resume, and a new run may take its place.
            write_text(folder / "evidence.json", json.dumps({"failed": error.what}) + "\n")
            error.place = Place(str(folder / "events.jsonl"))
            error.right = "the record says why; --duration gives more time, --satellites more light"
            raise
        wall = lived + time.monotonic() - clock
    progress("outcome", 0.0)
    outcome = outcome_of(spec(0, 0), folder / "result.checkpoint")
    evidence = Evidence(plan, state, outcome, quiet, made.arrivals, wall, folder, made.loose)
    _write_evidence(evidence, folder)
    return evidence


def _plan(job: JobFile, fleet: Fleet, asked: RunOptions, units: int, parts: int) -> RunPlan:
    if not 0.0 < asked.speedup <= _MOST_SPEEDUP:
        raise ValueProblem(
            f"at {asked.speedup:g} a look at the clock would jump over a minute of light and dusk",
            place=Place("--speedup"),
            right=f"above 0, and at most {_MOST_SPEEDUP:g}",
        )
    if job.protect != "exact" and 1 < parts < GUARDS.fewest:
        raise ValueProblem(
            f"{parts} replicas that are executed once each are too few to say which contribution is wrong",
            place=Place("--set", "protect"),
            right=f"give protect=exact, or at least {GUARDS.fewest} replicas",
        )
    # Two copies of each part, which go back where they differ: three would be as many more satellites.
    copies = 2 if job.protect == "exact" and job.copies is None and parts > 1 else job.executions
    needed = copies * parts
    count = job.resources.satellites or min(len(fleet), needed + _SPARE)
    if count > _MOST_SATELLITES:
        raise ValueProblem(
            f"{count} satellites would be as many processes", right=f"give at most {_MOST_SATELLITES}"
        )
    if count < needed:
        of = f"{copies} copies" + (f" of {parts} parts" if parts > 1 else "")
        raise ValueProblem(
            f"{of} need {needed} satellites, and there " + ("is 1" if count == 1 else f"are {count}"),
            right="choose a scenario with more satellites, fewer copies, or protect=bounded",
        )
    satellites = chosen(fleet, count)
    sized = fleet.designs[int(fleet.design_index[satellites[0]])]
    power = job.resources.power or sized.it_power / sized.accelerators
    if power > sized.it_power:
        raise ValueProblem(
            f"the job needs {power / 1e3:.4g} kW, a satellite has {sized.it_power / 1e3:.4g} kW",
            right="ask for less power, or choose a scenario with larger satellites",
        )
    start = darkest(fleet) if asked.start is None else asked.start
    strikes = strikes_of(asked.kills, names_of(satellites), start, units, asked.seed, asked.speedup)
    sky = sky_of(fleet, satellites, start, asked.duration, power)
    _refuse_a_fleet_without_links(sky)
    return RunPlan(
        sky=sky,
        units=units,
        protect=job.protect,
        copies=copies,
        parts=parts,
        speedup=asked.speedup,
        faults=asked.faults,
        acceleration=asked.acceleration,
        strikes=tuple(strikes),
        checkpoint_s=job.checkpoint.every,
        round_units=asked.round_units,
        deadline=sky.end,
    )


def _refuse_a_fleet_without_links(sky: Sky) -> None:
    if len(sky.names) > 1 and not any(
        sky.link(0, other, sky.start + step * (sky.end - sky.start) / 12.0).rate > 0.0
        for step in range(12)
        for other in range(1, len(sky.names))
    ):
        raise ValueProblem(
            "no way over laser links joins the satellites, so that no state could move",
            right="choose a scenario with a mesh, or one satellite (resources: {satellites: 1})",
        )


def _engine(asked: RunOptions, spec: Callable[[int, int], WorkerSpec], names: Sequence[str]) -> Engine:
    if asked.engine == "local":
        return LocalEngine(spec)
    try:
        from skyhall.runtime.engines.ray import RayEngine
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ValueProblem(
            "needs the package ray, which is not installed",
            place=Place("--engine", "ray"),
            right="install the extra: pip install 'skyhall[ray]', or leave out --engine",
        ) from None
    return RayEngine(spec, names, address=asked.address)


def _lived(folder: Path, plan: RunPlan) -> float:
    """Return the real time that earlier legs ran, s: simulated time stands still while no coordinator runs."""
    events = read_journal(folder / "journal.jsonl")
    return (events[-1].time - plan.sky.start) / plan.speedup if events else 0.0


def _document(job: JobFile, asked: RunOptions, plan: RunPlan) -> dict[str, Any]:
    """Return what the run was asked for and what its bits depend on: what a later leg must have alike."""
    return {
        "job": job.model_dump(mode="json"),
        "options": asdict(asked),
        "satellites": plan.sky.names,
        "start_s": plan.sky.start,
        "units": plan.units,
        "inputs": inputs_of(job.parameters),
        "skyhall": version("skyhall"),
        "torch": version("torch"),
        "python": platform.python_version(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write_evidence(evidence: Evidence, folder: Path) -> None:
    """Write the record's head and the digests, each beside the undisturbed run's."""
    write_text(folder / "evidence.json", json.dumps(evidence.summary(), indent=2) + "\n")
    quiet = evidence.reference
    rows: list[dict[str, Any]] = [
        {"done": done, "digests": digest, "undisturbed": None if quiet is None else quiet["digests"][done]}
        for done, digest in sorted(evidence.state.digests.items())
    ]
    write_text(folder / "digests.json", json.dumps(rows, indent=1) + "\n")
