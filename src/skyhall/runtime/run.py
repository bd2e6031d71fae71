"""From a job and a scenario to evidence: the whole of a run."""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skyhall.constants import DAY
from skyhall.errors import CheckFailed, FileProblem, Place, ValueProblem
from skyhall.files import make_folder, read_text, write_text
from skyhall.fleet import Fleet, design
from skyhall.jobs.job import make_job
from skyhall.runtime.engines.engine import Engine, WorkerSpec
from skyhall.runtime.engines.local import LocalEngine
from skyhall.runtime.evidence import Evidence
from skyhall.runtime.mission import Mission, Watch
from skyhall.runtime.reference import outcome_of, undisturbed
from skyhall.runtime.sky import Sky, chosen, darkest, sky_of
from skyhall.runtime.state import RunPlan, Strike
from skyhall.scenario import Scenario, load, resolved_yaml
from skyhall.units import parse
from skyhall.work.job_file import JobFile

__all__ = ["RunOptions", "asked_in", "run_job", "strikes_of"]

_SPARE = 2  # satellites beyond the copies
_MOST_SATELLITES = 64
_HANG_S = 600.0  # of a stop, simulated
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a job is run.

    Attributes
    ----------
    engine : "local", or "ray" with the address of a cluster (empty: one is started).
    speedup : simulated seconds in a second.
    start : s after the scenario's epoch; None for the season with the longest eclipses.
    duration : simulated time until the run gives up, s.
    faults : expected upsets in the whole run; or
    acceleration : by which the twin's rates are multiplied.
    kills : texts for `strikes_of`.
    seed : of upsets and kills.
    round_units : steps between two comparisons; None lets the upset rate and the light decide.
    reference : whether the undisturbed run is made.
    """

    engine: Literal["local", "ray"] = "local"
    address: str = ""
    speedup: float = 120.0
    start: float | None = None
    duration: float = DAY
    faults: float | None = None
    acceleration: float | None = None
    kills: tuple[str, ...] = ()
    seed: int = 0
    round_units: int | None = None
    reference: bool = True


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
        For parameters that do not fit: too few satellites for the copies, no link between them.
    CheckFailed
        When the run ends without a result.
    """
    asked = options or RunOptions()
    began = time.monotonic()
    _make_room(folder, resumed=resume)
    progress("fleet", 0.0)
    known = load(scenario) if isinstance(scenario, str) else scenario
    fleet = design(known)
    made = make_job(job.kind, job.parameters)
    plan = _plan(job, fleet, asked, made.units, made.parts)
    _write_down(folder, job, known, asked, plan)

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
        wall = time.monotonic() - clock
    progress("outcome", 0.0)
    outcome = outcome_of(spec(0, 0), folder / "result.checkpoint")
    evidence = Evidence(plan, state, outcome, quiet, made.arrivals, wall, folder)
    _write_evidence(evidence, folder, time.monotonic() - began)
    return evidence


def strikes_of(
    texts: Sequence[str], names: Sequence[str], start: float, units: int, seed: int
) -> list[Strike]:
    """Return what texts ask to be done to satellites.

    A number is so many kills of satellites that compute, spread at random over the job. SATELLITE@WHEN[:HOW] is one:
    a name or its place in the list, or "any"; a time after the start ("40 min") or a share of the job ("30 %"); and
    kill, lose or stop.

    Raises
    ------
    ValueProblem
        For a text of another form.
    """
    rng = np.random.default_rng([seed, 1])
    found: list[Strike] = []
    for text in texts:
        place = Place("--kill", text)
        right = "write a number, or SATELLITE@WHEN[:kill|lose|stop], as in 'sat-0@40 min:lose' or 'any@30 %'"
        if text.strip().isdigit():
            # Neither at the very begin nor at the very end, where a kill finds nothing to lose.
            shares = np.sort(rng.uniform(0.05, 0.9, size=int(text)))
            found += [Strike("kill", unit=int(share * units)) for share in shares]
            continue
        who, at, rest = text.partition("@")
        when, _, how = rest.partition(":")
        kind = how.strip() or "kill"
        if not at or kind not in ("kill", "lose", "stop"):
            raise ValueProblem("is no kill", place=place, right=right)
        known = {**{str(index): index for index in range(len(names))}, **{n: i for i, n in enumerate(names)}}
        if who.strip() != "any" and who.strip() not in known:
            raise ValueProblem(
                f"there is no satellite '{who.strip()}'", place=place, right=f"any, {', '.join(names)}"
            )
        satellite = None if who.strip() == "any" else known[who.strip()]
        share = when.strip().endswith("%")
        try:
            moment = parse(when.strip(), "" if share else "s")
        except ValueProblem as error:
            error.place, error.right = place, right
            raise
        if moment < 0.0 or (share and moment >= 1.0):
            raise ValueProblem(
                f"'{when.strip()}' is not within the run",
                place=place,
                right="from 0 % to 99 %, or a time after the start",
            )
        due = {"unit": int(moment * units)} if share else {"time": start + moment}
        found.append(Strike(kind, satellite, lasts=_HANG_S, **due))  # type: ignore[arg-type]
    return found


def _plan(job: JobFile, fleet: Fleet, asked: RunOptions, units: int, parts: int) -> RunPlan:
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
        strikes=tuple(strikes_of(asked.kills, sky.names, start, units, asked.seed)),
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


def _make_room(folder: Path, *, resumed: bool) -> None:
    """Make the folder, or clear it of a run that had ended."""
    journal, evidence = folder / "journal.jsonl", folder / "evidence.json"
    if resumed and (evidence.exists() or not journal.exists()):
        what = "the run in it has ended" if evidence.exists() else "holds no run"
        raise ValueProblem(what, place=Place(str(folder)), right="leave out --resume to run anew")
    if not resumed and journal.exists() and not evidence.exists():
        raise ValueProblem(
            "holds a run that was not ended",
            place=Place(str(folder)),
            right=f"continue it with --resume {folder}, or choose another folder with --out",
        )
    make_folder(folder)
    if not resumed and evidence.exists():
        earlier = json.loads(read_text(folder / "run.json"))["satellites"]
        made = (
            "evidence.json",
            "journal.jsonl",
            "events.jsonl",
            "digests.json",
            "result.checkpoint",
            *earlier,
        )
        for old in [folder / each for each in made]:
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)


def asked_in(folder: Path) -> tuple[JobFile, Scenario, RunOptions]:
    """Return what the run in a folder was asked for; `FileProblem` or `ValueProblem` when it holds none."""
    path = folder / "run.json"
    if not path.exists():
        raise ValueProblem("holds no run", place=Place(str(folder)), right="leave out --resume to run anew")
    try:
        document = json.loads(read_text(path))
        options = RunOptions(**{**document["options"], "kills": tuple(document["options"]["kills"])})
        job = JobFile.model_validate(document["job"])
    except (ValueError, KeyError, TypeError):
        raise FileProblem("is not what a run was asked for", place=Place(str(path))) from None
    return job, load(folder / "scenario.resolved.yaml"), options


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


def _write_down(folder: Path, job: JobFile, scenario: Scenario, asked: RunOptions, plan: RunPlan) -> None:
    """Write what the run was asked for, before it begins."""
    write_text(folder / "scenario.resolved.yaml", resolved_yaml(scenario))
    document = {
        "job": job.model_dump(mode="json"),
        "options": asdict(asked),
        "satellites": plan.sky.names,
        "start_s": plan.sky.start,
        "units": plan.units,
        "skyhall": version("skyhall"),
        "python": platform.python_version(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_text(folder / "run.json", json.dumps(document, indent=2) + "\n")


def _write_evidence(evidence: Evidence, folder: Path, wall_s: float) -> None:
    """Write the record's head and the digests, each beside the undisturbed run's."""
    write_text(folder / "evidence.json", json.dumps(evidence.summary(), indent=2) + "\n")
    quiet = evidence.reference
    rows: list[dict[str, Any]] = [
        {"done": done, "digests": digest, "undisturbed": None if quiet is None else quiet["digests"][done]}
        for done, digest in sorted(evidence.state.digests.items())
    ]
    write_text(folder / "digests.json", json.dumps(rows, indent=1) + "\n")
