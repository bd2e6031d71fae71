"""A satellite's process: it holds one copy of the job, executes units, and lets upsets hit them.

It is told what to do and answers; it decides nothing and trusts nothing that it holds: every state is known by the
digest of its checkpoint, which seals weights, moments, random states and kept results. Between two rounds the state is
kept a second time as those sealed bytes, to go back to.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import queue
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_leaves

from skyhall.errors import FileProblem
from skyhall.integrity import FaultModel, Injector, ServeGuard, StepGuard
from skyhall.integrity.container import pack, unpack
from skyhall.integrity.determinism import current_pins, pinned
from skyhall.integrity.digests import digest_of
from skyhall.integrity.errors import CheckpointError
from skyhall.jobs.job import Job, PartedJob, make_job
from skyhall.runtime.engines.engine import WorkerSpec
from skyhall.runtime.storage import checkpoint_name, contribution_name, stored, write_file

__all__ = ["Worker", "contribution", "first_state", "take"]

# What an upset hits: state at rest and the kernels' results; jobs without an optimiser have fewer.
_TARGETS = ("weights", "optimizer", "activations", "gradients", "updates")
_MOST_ALARMS = 20  # of a round, that are told one by one; all are counted
# Ours, after MICRO 2021: 31.5 % of the upsets of high-bandwidth memory are multiple.
_SHAPES = {"single": 0.7, "adjacent": 0.2, "row": 0.1}


@dataclass(slots=True)
class _Held:
    """The state in memory: units done, its sealed bytes, and how many of its tensors hold NaN or infinity."""

    done: int
    sealed: bytes
    infinite: int = 0

    @property
    def digest(self) -> str:
        return self.sealed[-32:].hex()


class Worker:
    """Does what it is told, one command after another.

    Parameters
    ----------
    spec : who and what.
    answer : takes what it says, as mappings that JSON takes.
    inbox : of commands; it is looked at between two units, so that a satellite can be called off.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        answer: Callable[[dict[str, Any]], None],
        inbox: queue.Queue[Mapping[str, Any]],
    ) -> None:
        self._spec, self._say, self.inbox = spec, answer, inbox
        self._asked: int | None = None
        self._folder = Path(spec.folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._job: Job | None = None
        self._held: _Held | None = None
        self._ended: _Held | None = None
        self._guard: StepGuard | ServeGuard | None = None
        self._level = ""
        self._alarms_told = 0
        self._upsets = _Upsets(spec)
        self._watch = _InfinityWatch()

    def run(self) -> None:
        """Answer commands until "exit"."""
        with pinned(self._spec.threads):
            for torn in self._folder.glob(".step-*"):  # of a write that was killed
                torn.unlink(missing_ok=True)
            pins = hashlib.sha256(json.dumps(current_pins().as_dict(), sort_keys=True).encode()).hexdigest()
            self._answer({"kind": "up", "kept": stored(self._folder), "pins": pins})
            while (command := self.inbox.get())["kind"] != "exit":
                self._asked = command.get("asked")
                getattr(self, f"_{command['kind']}")(command)

    def _answer(self, said: dict[str, Any]) -> None:
        """Say something, as the answer to the command that is on."""
        self._say({**said, "asked": self._asked} if self._asked is not None else said)

    def _load(self, command: Mapping[str, Any]) -> None:
        """Make the first state, or take one from storage."""
        done = int(command["done"])
        try:
            if command["source"] == "fresh":
                self._drop()
                self._job, sealed = first_state(self._spec.kind, self._spec.parameters)
                self._watch.over(self._job)
                self._held = _Held(0, sealed, _infinite(self._job.save(0)))
            else:
                path = self._folder / checkpoint_name(done)
                self._adopt(_Held(done, path.read_bytes()))
        except (CheckpointError, OSError) as error:
            reason = error.what if isinstance(error, CheckpointError) else (error.strerror or str(error))
            self._answer({"kind": "failed", "what": "load", "done": done, "reason": reason})
            return
        self._begin_here()

    def _back(self, command: Mapping[str, Any]) -> None:
        """Go back to the state that the last round began with."""
        reason = "another state is kept"
        if self._held is not None and self._held.done == command["done"]:
            try:
                self._adopt(self._held)
            except CheckpointError as error:  # flipped at rest
                reason = error.what
            else:
                self._begin_here()
                return
        self._answer({"kind": "failed", "what": "back", "done": command["done"], "reason": reason})

    def _adopt(self, held: _Held) -> None:
        state = unpack(held.sealed)
        if self._job is None:
            self._job = make_job(self._spec.kind, self._spec.parameters)
            self._watch.over(self._job)
        self._job.load(state)
        self._watch.take()
        held.infinite = _infinite(state)
        self._held, self._ended = held, None

    def _begin_here(self) -> None:
        assert self._held is not None
        if self._guard is not None:
            self._guard.accept()
        self._answer({"kind": "ready", "done": self._held.done, "digest": self._held.digest})

    def _go(self, command: Mapping[str, Any]) -> None:
        """Execute units, or this satellite's part of one."""
        first, until = int(command["first"]), int(command["until"])
        if self._ended is not None and self._ended.done == first:  # it was agreed on
            self._held, self._ended = self._ended, None
        job = self._job
        if job is None or self._held is None or self._held.done != first:
            self._answer({"kind": "failed", "what": "go", "done": first, "reason": "holds another state"})
            return
        self._protect(str(command["level"]))
        part, upsets = command.get("part"), float(command["upsets_per_unit"])

        def work() -> dict[str, Any]:
            if part is not None:
                return self._contribute(job, first, int(part), upsets)
            spent = []
            for number in range(first, until):
                if self._called_off():
                    return {}
                began = time.process_time()
                self._unit(job, number, upsets)
                spent.append(time.process_time() - began)
            return {**self._end(job, until), "spent": spent}

        self._report(command, work)

    def _merge(self, command: Mapping[str, Any]) -> None:
        """Take the contributions of all parts that were agreed on, from storage, into the state."""
        job, done = self._job, int(command["done"])
        assert job is not None

        def work() -> dict[str, Any]:
            sealed = {
                int(part): (self._folder / contribution_name(done, int(part))).read_bytes()
                for part in command["parts"]
            }
            for part, digest in command["parts"].items():
                if sealed[int(part)][-32:].hex() != digest:
                    raise CheckpointError(f"part {part}'s contribution is not the one that was agreed on")
            take(job, done - 1, sealed, guarded=self._spec.protect != "exact")
            return {**self._end(job, done), "common": digest_of(_parted(job).alike())}

        self._report(command, work)

    def _report(self, command: Mapping[str, Any], work: Callable[[], dict[str, Any]]) -> None:
        """Answer with what work gives; what ends it is answered as an execution that failed."""
        before, began = self._counts(), time.process_time()
        said: dict[str, Any]
        try:
            said = work()
        except Exception as found:  # a flip may end a unit in any way; what does so by itself comes again
            self._ended = None
            said = {"digest": "", "common": "", "error": f"{type(found).__name__}: {found}"[:300]}
        if not said:  # called off
            return
        after = self._counts()
        counts = {name: after[name] - before[name] for name in after}
        busy = time.process_time() - began
        alarms = self._new_alarms()
        self._answer(
            {"kind": "ended", "round": command["round"], "busy_s": busy, "alarms": alarms, **said, **counts}
        )

    def _new_alarms(self) -> list[dict[str, Any]]:
        """Return the guard's alarms since the last time, the first of them."""
        if self._guard is None:
            return []
        alarms = self._guard.report.alarms
        new, self._alarms_told = alarms[self._alarms_told :], len(alarms)
        return [each.as_dict() for each in new[:_MOST_ALARMS]]

    def _end(self, job: Job, done: int) -> dict[str, Any]:
        """Seal the state that results, and return what is said of it."""
        state = job.save(done)
        assert self._held is not None
        self._ended = _Held(done, bytes(pack(state)), _infinite(state))
        # What was so before (a threshold that is never reached, a job that diverged) says nothing new.
        finite = self._ended.infinite <= self._held.infinite and not self._watch.take()
        said = {"digest": self._ended.digest, "finite": finite, "told": job.told(done)}
        return {**said, "error": ""}

    def _contribute(self, job: Job, number: int, part: int, upsets: float) -> dict[str, Any]:
        """Execute a part of a unit, and store what it contributes."""
        for old in self._folder.glob("part-*.contribution"):
            old.unlink(missing_ok=True)
        guarded = self._guard is not None and job.guards_itself  # within; upsets hit what is at rest
        with self._upsets.due(job, upsets) as hit, contextlib.nullcontext() if guarded else hit():
            sealed = contribution(job, number, part)
        write_file(self._folder, contribution_name(number + 1, part), sealed)
        said = {"digest": sealed[-32:].hex(), "size": len(sealed), "finite": not _infinite(unpack(sealed))}
        return {**said, "error": ""}

    def _unit(self, job: Job, number: int, upsets: float) -> None:
        with self._upsets.due(job, upsets) as hit:
            if self._guard is not None and job.guards_itself:
                result = job.unit(number)  # its guard runs within; upsets hit what is at rest
            elif self._guard is None:
                with hit():
                    result = job.unit(number)
            else:

                def execute() -> Any:
                    with hit():
                        return job.unit(number)

                result = self._guard.run(execute)
            job.keep(number, result)

    def _protect(self, level: str) -> None:
        """Have the checks of level `bounded` made as closely as the place asks for."""
        if self._spec.protect != "bounded" or level == self._level:
            return
        job = self._job
        assert job is not None
        if isinstance(self._guard, StepGuard):
            self._guard.close()
        old, self._level, self._alarms_told = self._guard, level, 0
        if job.optimizer is None:
            self._guard = ServeGuard(job.model, level=level, seed=self._spec.seed)
        else:
            self._guard = StepGuard(job.model, job.optimizer, level=level, seed=self._spec.seed)
            if job.guards_itself:
                job.guard = self._guard
        self._guard.accept()
        if old is not None:
            self._upsets.earlier.append(old.report)

    def _counts(self) -> dict[str, int]:
        """Return what happened so far: upsets that struck, alarms, repairs, steps run again."""
        reports = [*self._upsets.earlier, *([self._guard.report] if self._guard is not None else [])]
        return {
            "injected": self._upsets.struck,
            # A guard's doubt that a second execution confirmed was a false alarm.
            "detected": sum(sum(each.detected.values()) - each.confirmed for each in reports),
            "uncorrected": sum(sum(each.uncorrected.values()) for each in reports),
            "covered_flops": sum(each.covered_flops for each in reports),
            "uncovered_flops": sum(each.uncovered_flops for each in reports),
            "corrected": sum(sum(each.corrected.values()) for each in reports),
            "redone": sum(each.redone for each in reports),
        }

    def _save(self, command: Mapping[str, Any]) -> None:
        """Write the state to storage, atomically."""
        done = int(command["done"])
        held = next((each for each in (self._ended, self._held) if each and each.done == done), None)
        if held is None:
            self._answer({"kind": "failed", "what": "save", "done": done, "reason": "holds another state"})
            return
        try:
            write_file(self._folder, checkpoint_name(done), held.sealed)
        except (FileProblem, OSError) as error:
            reason = error.what if isinstance(error, FileProblem) else (error.strerror or str(error))
            self._answer({"kind": "failed", "what": "save", "done": done, "reason": reason})
            return
        kept = stored(self._folder)
        self._answer(
            {"kind": "saved", "done": done, "digest": held.digest, "size": len(held.sealed), "kept": kept}
        )

    def _rest(self, command: Mapping[str, Any]) -> None:
        """Forget the job's state; the accelerator is off in the dark."""
        self._held = self._ended = None

    def _drop(self) -> None:
        """Forget the job itself."""
        if isinstance(self._guard, StepGuard):
            self._guard.close()
        self._job = self._guard = self._held = self._ended = None
        self._level = ""
        self._upsets.close()

    def _called_off(self) -> bool:
        """Say whether a command is waiting that ends the round; others wait until it has ended."""
        with contextlib.suppress(IndexError):
            return self.inbox.queue[0]["kind"] in ("rest", "exit", "load", "back")
        return False


class _InfinityWatch:
    """Notices NaN and infinity on the way to results that cannot hold them, as greedy tokens are.

    A job that trains has them in its weights.
    """

    def __init__(self) -> None:
        self._seen = False

    def over(self, job: Job) -> None:
        """Look at what every module of a job that only infers gives."""
        for module in job.model.modules() if job.optimizer is None else ():
            module.register_forward_hook(self._look)

    def take(self) -> bool:
        """Say whether there was one since the last time."""
        seen, self._seen = self._seen, False
        return seen

    def _look(self, module: torch.nn.Module, inputs: Any, output: Any) -> None:
        self._seen = self._seen or bool(_infinite(output))


@dataclass(slots=True)
class _Upsets:
    """Upsets on their way into one satellite's copy of the job.

    Attributes
    ----------
    earlier : reports of guards that were replaced.
    struck : events that hit something.
    """

    spec: WorkerSpec
    earlier: list[Any] = field(default_factory=list)
    _injector: Injector | None = None
    _gone: int = 0
    _serial: int = 0
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng([self.spec.seed, self.spec.satellite, self.spec.epoch])

    @property
    def struck(self) -> int:
        """Events that hit something."""
        return self._gone + (len(self._injector.hits) if self._injector else 0)

    @contextlib.contextmanager
    def due(self, job: Job, mean: float) -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
        """Draw the upsets of one execution, hit the state at rest, and give what to compute in."""
        if mean <= 0.0:
            yield contextlib.nullcontext
            return
        first = self._injector is None
        if self._injector is None:
            seed = int(self._rng.integers(2**31))
            self._injector = Injector(
                job.model, job.optimizer, FaultModel(_TARGETS, shapes=_SHAPES, count=0), steps=1, seed=seed
            )
        events = int(self._rng.poisson(mean))
        self._serial += 1
        self._injector.add(events)
        self._injector.begin(self._serial)
        # Watching which kernels run costs time: it is done once, and when a kernel is to be hit.
        yield self._injector.computing if events or first else contextlib.nullcontext

    def close(self) -> None:
        """Let go of the job."""
        if self._injector is not None:
            self._gone = self.struck
            self._injector.kernels.close()
            self._injector = None


def _infinite(tree: Any) -> int:
    """Return how many tensors of a state hold NaN or infinity."""
    floats = [
        each for each in tree_leaves(tree) if isinstance(each, torch.Tensor) and each.is_floating_point()
    ]
    return sum(not bool(torch.isfinite(each).all()) for each in floats)


def first_state(kind: str, parameters: Mapping[str, str]) -> tuple[Job, bytes]:
    """Return a job and the sealed bytes of its first state, the same in every process with the same pins."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  # the global states are in the checkpoint
    torch.manual_seed(0)
    job = make_job(kind, parameters)
    return job, bytes(pack(job.save(0)))


def contribution(job: Job, number: int, part: int) -> bytes:
    """Execute a part of a unit and return the sealed bytes of what it contributes."""
    return bytes(pack(_parted(job).contribute(number, part)))


def take(job: Job, number: int, sealed: Mapping[int, bytes], *, guarded: bool) -> None:
    """Take sealed contributions, by part, into a job's state."""
    _parted(job).take(number, {part: unpack(sealed[part]) for part in sorted(sealed)}, guarded=guarded)


def _parted(job: Job) -> PartedJob:
    if not isinstance(job, PartedJob):
        raise TypeError(f"{type(job).__name__} has no parts")
    return job
