"""What a job is: a deterministic program in units, whose state can be saved, moved, compared and verified.

A unit (a training step, a batch of requests, a scene) is a function of the job's state and of its own number alone, and
may be executed more than once from the same state. The runtime decides who executes it, how often, and which execution
is kept; a job knows nothing of satellites.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any, ClassVar, Self, get_type_hints

import torch
from torch import Tensor, nn

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.integrity import StepGuard, capture, digest_of, restore
from skyhall.integrity.states import optimizer_state, weights
from skyhall.jobs.kinds import KINDS

__all__ = ["Job", "PartedJob", "make_job", "parsed"]


class Job(ABC):
    """One job, ready for its first unit once it is made.

    Making one costs what reading its inputs and building its model cost; it depends on the parameters alone.

    Attributes
    ----------
    parameters : of this kind, a frozen dataclass with a default for every field; texts from the command line become its
        values by `parsed`.
    model : whose weights and kernels are verified and hit by faults.
    optimizer : None where nothing is trained.
    units : how many there are.
    parts : that satellites of their own execute of each unit, and then exchange what they contribute; 1 for most jobs.
    kept : results of the units done so far by name; they are part of the state.
    guard : of a job that has its steps verified one by one within a unit, as it was given; others are verified from
        outside, a unit at a time. See `guards_itself`.
    meanings : unit or meaning of the outcome's numbers, by name.
    loose : names in the outcome that faults below the checks' thresholds may change at `bounded`, such as the digest of
        floats; the outcome says by something else whether they are right.
    arrivals : for each unit, when the requests that it answers come, s after the start; empty where nobody waits.
    """

    Parameters: ClassVar[type[Any]]
    guards_itself: ClassVar[bool] = False
    meanings: ClassVar[Mapping[str, str]] = {}
    loose: ClassVar[frozenset[str]] = frozenset()

    parameters: Any
    model: nn.Module
    optimizer: torch.optim.Optimizer | None
    units: int
    parts: int = 1
    kept: dict[str, Tensor]
    arrivals: tuple[tuple[float, ...], ...] = ()
    guard: StepGuard | None = None

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Self:
        """Return the job with some parameters as texts."""
        return cls(parsed(cls.Parameters, texts))

    @abstractmethod
    def __init__(self, parameters: Any) -> None: ...

    @abstractmethod
    def unit(self, number: int) -> Any:
        """Execute a unit and return its result, a nest of tensors; weights and moments are changed in place."""

    @abstractmethod
    def keep(self, number: int, result: Any) -> None:
        """Take the verified result of a unit into `kept`."""

    @abstractmethod
    def outcome(self) -> dict[str, Any]:
        """Return what the job says at its end (or so far), as JSON takes it, and the same for the same state."""

    def told(self, done: int) -> str:
        """Return a few words on how it goes, for people who watch."""
        return ""

    def save(self, done: int) -> dict[str, Any]:
        """Return all that the rest of the job depends on, as a tree for `integrity.save`; tensors are not copied."""
        return capture(self.model, self.optimizer, position={"done": done, "kept": dict(self.kept)})

    def load(self, state: Mapping[str, Any]) -> int:
        """Put back what `save` returned, and return how many units were done."""
        position = restore(state, self.model, self.optimizer)
        self.kept = {name: value.clone() for name, value in position["kept"].items()}
        return int(position["done"])

    def digest(self) -> str:
        """Return the SHA-256 of weights, buffers, moments, random state and kept results."""
        own = {**weights(self.model), **(optimizer_state(self.optimizer) if self.optimizer else {})}
        kept = {f"kept/{name}": value for name, value in self.kept.items()}
        return digest_of({**own, **kept, "random": torch.get_rng_state()})


class PartedJob(Job):
    """A job of whose units satellites execute a part each, and then exchange what they contribute."""

    @abstractmethod
    def contribute(self, number: int, part: int) -> dict[str, Tensor]:
        """Execute a part of a unit and return what it contributes; state that is this part's own changes in place."""

    @abstractmethod
    def take(self, number: int, came: Mapping[int, Mapping[str, Tensor]], *, guarded: bool) -> None:
        """Take the contributions of a unit, by part, into the state that all parts share, and into `kept`.

        Parameters
        ----------
        guarded : each was computed once, and must pass guards; otherwise copies agreed on it.

        Raises
        ------
        RuntimeError
            When too few pass.
        """

    def alike(self) -> Mapping[str, Tensor]:
        """Return the state that all parts must have alike after `take`."""
        return {**weights(self.model), **{f"kept/{name}": value for name, value in self.kept.items()}}


def parsed(kind: type[Any], texts: Mapping[str, str]) -> Any:
    """Return a dataclass of parameters from texts; what is not given keeps its default.

    Raises
    ------
    ValueProblem
        For a name that is none of its fields and a text that is no value of the field's type.
    """
    hints = get_type_hints(kind)
    known = {each.name: hints[each.name] for each in fields(kind)}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in known:
            raise ValueProblem(
                f"there is no parameter '{name}'", place=Place("--set", name), right=did_you_mean(name, known)
            )
        try:
            values[name] = known[name](text)
        except ValueError:
            raise ValueProblem(
                f"'{text}' is no {known[name].__name__}",
                place=Place("--set", name),
                right=f"give a value as {getattr(kind(), name)!r}",
            ) from None
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueProblem(str(error), place=Place("--set")) from None


def make_job(kind: str, texts: Mapping[str, str]) -> Job:
    """Return the job of a kind; `ValueProblem` names what is wrong with kind or parameters."""
    if kind not in KINDS:
        raise ValueProblem(f"there is no kind of job '{kind}'", right=did_you_mean(kind, KINDS))
    module, name, _ = KINDS[kind]
    made: Job = getattr(import_module(f"skyhall.jobs.{module}"), name).of(texts)
    return made
