"""The undisturbed run: the same job in one process that nothing hits, and the digest of its state after every unit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skyhall.errors import SkyhallError
from skyhall.runtime.engines.engine import WorkerSpec

if TYPE_CHECKING:
    from skyhall.jobs.job import Job

__all__ = ["main", "outcome_of", "undisturbed"]


def undisturbed(spec: WorkerSpec, progress: Callable[[float], None]) -> dict[str, Any]:
    """Return the digests, times and the outcome of a quiet run in a process of its own, started afresh.

    Returns
    -------
    "digests" : a list, of the first state and then after each unit, of one digest for each part. "outcome" : of the
    job. "busy_s", "wall_s".
    """
    return _ask(["run", json.dumps(asdict(spec))], progress)


def outcome_of(spec: WorkerSpec, checkpoint: Path) -> dict[str, Any]:
    """Return what a job says of itself with the state of a checkpoint, in a process that nothing hits."""
    return _ask(["outcome", json.dumps(asdict(spec)), str(checkpoint)], lambda share: None)


def _ask(words: list[str], progress: Callable[[float], None]) -> dict[str, Any]:
    process = subprocess.Popen(
        [sys.executable, "-m", "skyhall.runtime.reference", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )
    said: dict[str, Any] = {}
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        for line in process.stdout:
            said = json.loads(line)
            if "share" in said:
                progress(float(said["share"]))
        problem = process.stderr.read()
        if process.wait() != 0:
            raise SkyhallError(
                f"the job fails without any fault: {(problem.strip().splitlines() or ['no reason given'])[-1]}"
            )
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    return said


def main() -> None:
    """Run a job quietly, or ask for the outcome of a checkpoint; one JSON document a line."""
    from skyhall.integrity.container import unpack
    from skyhall.integrity.determinism import current_pins, pinned
    from skyhall.jobs.job import make_job

    what, spec = sys.argv[1], WorkerSpec(**json.loads(sys.argv[2]))
    with pinned(spec.threads):
        if what == "outcome":
            job = make_job(spec.kind, spec.parameters)
            job.load(unpack(Path(sys.argv[3]).read_bytes()))
            _say(job.outcome())
            return
        digests: list[list[str]] = []
        clock, busy = time.monotonic(), 0.0
        for job, seconds, sealed in _rounds(spec):
            busy += seconds
            digests.append([each[-32:].hex() for each in sealed])
            if len(digests) % max(1, job.units // 100) == 0:
                _say({"share": len(digests) / (job.units + 1)})
        spent = {"busy_s": busy, "wall_s": time.monotonic() - clock}
        pins = current_pins().as_dict()
        _say({"digests": digests, "outcome": job.outcome(), "pins": pins, **spent})


def _rounds(spec: WorkerSpec) -> Iterator[tuple[Job, float, list[bytes]]]:
    """Yield the first part's job, processor seconds and every part's sealed state: at first and after each unit."""
    from skyhall.integrity.container import pack
    from skyhall.runtime.worker import contribution, first_state, take

    job, sealed = first_state(spec.kind, spec.parameters)
    jobs = [job, *(first_state(spec.kind, spec.parameters)[0] for _ in range(job.parts - 1))]
    yield job, 0.0, [sealed] * job.parts
    for number in range(job.units):
        began = time.process_time()
        if job.parts == 1:
            job.keep(number, job.unit(number))
        else:
            came = {part: contribution(each, number, part) for part, each in enumerate(jobs)}
            for each in jobs:
                take(each, number, came, guarded=spec.protect != "exact")
        seconds = time.process_time() - began
        yield job, seconds, [bytes(pack(each.save(number + 1))) for each in jobs]


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
