"""Level `exact`: a step is executed two or three times from the same bits, and what results is compared by digest.

With two copies, a step whose digests differ is rolled back and executed again until two agree. With three, the majority
decides; three different digests decide nothing, and the step is executed again. Nothing is ever adopted on one vote.
All NaNs of arithmetic are alike, so that copies with different faults may agree on them: a state that is not finite any
more is adopted when it comes of the same step a second time.
The state between steps is kept twice under a digest of its own, so that bits that flip at rest are found before they
are used. What is changed on purpose between two steps is told with `accept`; the settings that a scheduler
changes are always taken as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from skyhall.integrity.determinism import Pins, current_pins, refuse_nondeterminism
from skyhall.integrity.digests import digest_of, majority
from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.report import Report
from skyhall.integrity.states import optimizer_state, random_state, restore_random_state, weights
from skyhall.integrity.step import Unrepaired

__all__ = ["Copies", "Snapshot"]

T = TypeVar("T")

_MANY = 8  # elements of one tensor: fewer may be an upset's
_ACCEPT = "call accept() after changing the state on purpose, or put_back() to go back to what was agreed on"


@dataclass(frozen=True)
class Snapshot:
    """A job's whole state between two steps, under its digest.

    Parameters
    ----------
    tensors : weights, buffers and the optimiser's tensors by name, as copies.
    random : states of torch's generators.
    optimizer : the optimiser's `state_dict` (its tensors are the copies).
    digest : of tensors and random states.
    """

    tensors: dict[str, Tensor]
    random: tuple[Tensor, list[Tensor]]
    optimizer: dict[str, Any]
    digest: str

    @classmethod
    def take(cls, model: nn.Module, optimizer: torch.optim.Optimizer) -> Snapshot:
        """Copy the state of a job."""
        tensors = {
            name: value.detach().clone()
            for name, value in {**weights(model), **optimizer_state(optimizer)}.items()
        }
        random = random_state()
        return cls(tensors, random, _described(optimizer), _digest(tensors, random))

    def intact(self) -> bool:
        """Say whether its bytes are still those of its digest."""
        return _digest(self.tensors, self.random) == self.digest

    def restore(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Put the state back, bit for bit."""
        with torch.no_grad():
            for name, value in weights(model).items():
                value.copy_(self.tensors[name])
            _restore_optimizer(optimizer, self.optimizer, self.tensors)
        restore_random_state((self.random[0].clone(), [each.clone() for each in self.random[1]]))


class Copies:
    """Executes each training step two or three times and adopts what the digests agree on.

    Parameters
    ----------
    model, optimizer : of the job.
    copies : 2 (compare, roll back) or 3 (majority).
    attempts : rounds of executions before a step counts as unrepaired.

    Raises
    ------
    IntegrityError : other than two or three copies, or a setting under which equal bits cannot be promised.
    """

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, *, copies: int = 3, attempts: int = 3
    ) -> None:
        if copies not in (2, 3):
            raise IntegrityError(f"{copies} copies cannot be voted on", "give 2 or 3")
        refuse_nondeterminism(model)
        self._model = model
        self._optimizer = optimizer
        self._copies = copies
        self._attempts = attempts
        self._ledger = Ledger.exact()
        self._pins = current_pins()
        self._good = Snapshot.take(model, optimizer)
        self._spare = Snapshot.take(model, optimizer)

    @property
    def pins(self) -> Pins:
        """The settings that the digests hold for."""
        return self._pins

    @property
    def digest(self) -> str:
        """Digest of the last state that was agreed on."""
        return self._good.digest

    @property
    def report(self) -> Report:
        """What was compared, detected, and done again."""
        return self._ledger.report

    def accept(self) -> None:
        """Take the state as right as it is now: to do after loading a checkpoint, or changing weights on purpose."""
        self._good = Snapshot.take(self._model, self._optimizer)
        self._spare = Snapshot.take(self._model, self._optimizer)

    def put_back(self) -> None:
        """Put the last state that was agreed on back in place of what the model and the optimiser hold.

        Raises
        ------
        Unrepaired : both kept copies of it were hit at rest.
        """
        self._verify_kept()
        self._good.restore(self._model, self._optimizer)

    def run(self, step: Callable[[], T]) -> T:
        """Execute one step and return what the adopted execution returned.

        Parameters
        ----------
        step : as in `StepGuard.run`; it is called two or three times. A scheduler is stepped after it, not in it: it
            would be stepped with each execution.

        Raises
        ------
        IntegrityError : a pinned setting changed since the job began; the state changed between two steps in a way that
            no upset does, and was not accepted; the step gives the optimiser other settings with each execution.
        Unrepaired : no two executions agreed in `attempts` rounds, or both copies of the state were hit at rest.
        """
        changed = self._pins.differences(current_pins())
        if changed:
            raise IntegrityError(f"level exact: {'; '.join(changed)}", "set it back, or begin a new job")
        self._verify_rest()
        collapsed = ""
        for attempt in range(self._attempts):
            results, states = self._execute(step)
            digests = [_voted(state, result) for state, result in zip(states, results, strict=True)]
            self._ledger.checked("executions by digest", len(digests))
            self._refuse_drifting(states, digests)
            chosen = majority(digests)
            if (
                chosen is not None
                and chosen != collapsed
                and self._may_have_collapsed(states, digests, chosen)
            ):
                collapsed = chosen
                self._ledger.alarm("copy", "executions agree on NaN or infinity", "redone")
                self._ledger.redo()
                continue
            if chosen is None:
                self._ledger.alarm("copy", f"digests {', '.join(each[:8] for each in digests)}", "redone")
                if attempt + 1 < self._attempts:
                    self._ledger.redo()
                continue
            if chosen == collapsed:  # again the same: the job's own doing
                self._ledger.confirm()
            if len(set(digests)) > 1:
                self._ledger.alarm("copy", f"execution {_odd_one(digests, chosen)}", "corrected")
            return self._adopt(states, results, digests, chosen)
        self._good.restore(self._model, self._optimizer)
        self._ledger.settle_step(["copy"], "uncorrected")
        raise Unrepaired(("copy",), f"no majority in {self._attempts} rounds of {self._copies} executions")

    def _may_have_collapsed(self, states: list[Snapshot], digests: list[str], chosen: str) -> bool:
        """Say whether executions may agree only because different faults ended in the same NaNs or infinities."""
        agreed = states[digests.index(chosen)]
        return _finite(self._good) and not _finite(agreed)

    def _refuse_drifting(self, states: list[Snapshot], digests: list[str]) -> None:
        """Refuse a step that gives the optimiser other settings with each execution, as a scheduler in it does."""
        settings = [repr(state.optimizer["groups"]) for state in states]
        if len(set(digests)) == len(set(settings)) == len(digests):
            changed = _changed_settings(states[0].optimizer, states[1].optimizer)
            self._good.restore(self._model, self._optimizer)
            raise IntegrityError(
                f"the step sets the optimiser's {', '.join(changed)} to something else with each execution",
                "step the scheduler after run, not in the step",
            )

    def _verify_rest(self) -> None:
        """Verify what lies since the last step: the two kept copies, then the live state against them."""
        self._verify_kept()
        live = Snapshot.take(self._model, self._optimizer)
        if live.digest != self._good.digest:
            changed = _refuse_purpose(live, self._good)
            if changed:
                self._ledger.alarm("state", _named(changed), "corrected")
        # The generator may have been used between steps, for the data's order, and a scheduler may have been stepped:
        # their live state is the step's.
        for name in ("_good", "_spare"):
            kept = getattr(self, name)
            described = {**kept.optimizer, "groups": live.optimizer["groups"]}
            digest = _digest(kept.tensors, live.random)
            setattr(self, name, Snapshot(kept.tensors, live.random, described, digest))

    def _verify_kept(self) -> None:
        """Verify the two kept copies of the state, and replace one that was hit by the other."""
        good, spare = self._good.intact(), self._spare.intact()
        if not (good or spare):
            raise Unrepaired(("state",), "both copies of the state changed at rest")
        if not good:
            self._good = _copied(self._spare)
        elif not spare:
            self._spare = _copied(self._good)
        if not (good and spare):
            self._ledger.alarm("state", "a kept copy", "corrected")

    def _execute(self, step: Callable[[], T]) -> tuple[list[T | Exception], list[Snapshot]]:
        results: list[T | Exception] = []
        states = []
        for _ in range(self._copies):
            self._good.restore(self._model, self._optimizer)
            try:
                results.append(step())
            except Exception as error:  # a flipped bit may end a program, as an index outside its tensor does
                results.append(error)
            states.append(Snapshot.take(self._model, self._optimizer))
        return results, states

    def _adopt(
        self, states: list[Snapshot], results: list[T | Exception], digests: list[str], chosen: str
    ) -> T:
        agreeing = [index for index, digest in enumerate(digests) if digest == chosen]
        result = results[agreeing[0]]
        if isinstance(result, Exception):  # the program's own, not a fault's: it came more than once
            self._good.restore(self._model, self._optimizer)
            raise result
        self._good, self._spare = states[agreeing[0]], states[agreeing[1]]
        self._good.restore(self._model, self._optimizer)
        self._ledger.verdict()
        return result


def _finite(state: Snapshot) -> bool:
    floats = [each for each in state.tensors.values() if each.is_floating_point() or each.is_complex()]
    return all(bool(torch.isfinite(each).all()) for each in floats)


def _voted(state: Snapshot, result: object) -> str:
    """Return what an execution is judged by: its state and what it returned, or how it ended."""
    if isinstance(result, Exception):
        return hashlib.sha256(f"{type(result).__name__}: {result}".encode()).hexdigest()
    leaves = enumerate(tree_leaves(result))
    tensors = {str(place): leaf for place, leaf in leaves if isinstance(leaf, Tensor)}
    plain = repr([leaf for leaf in tree_leaves(result) if not isinstance(leaf, Tensor)])
    settings = repr(state.optimizer["groups"])
    return hashlib.sha256(f"{state.digest} {digest_of(tensors)} {plain} {settings}".encode()).hexdigest()


def _odd_one(digests: list[str], chosen: str) -> int:
    return next(index for index, digest in enumerate(digests) if digest != chosen)


def _refuse_purpose(live: Snapshot, kept: Snapshot) -> list[str]:
    """Return the tensors that an upset may have changed between two steps; refuse what only a program does.

    A program loads, swaps or replaces whole tensors. An upset changes a bit, a word, a row.
    """
    if live.tensors.keys() != kept.tensors.keys():
        odd = sorted(live.tensors.keys() ^ kept.tensors.keys())
        raise IntegrityError(f"{_named(odd)} came or went between two steps", _ACCEPT)
    changed, replaced = [], []
    for name, value in live.tensors.items():
        other = kept.tensors[name]
        if digest_of({name: other}) == digest_of({name: value}):
            continue
        changed.append(name)
        if value.shape != other.shape or value.dtype != other.dtype:
            replaced.append(name)
            continue
        differing = int((value != other).sum())
        if differing >= _MANY and 2 * differing > value.numel():
            replaced.append(name)
    if replaced:
        raise IntegrityError(f"most elements of {_named(replaced)} changed between two steps", _ACCEPT)
    return changed


def _named(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} other tensors"


def _changed_settings(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    pairs = zip(one["groups"], other["groups"], strict=False)
    return sorted(
        {key for a, b in pairs for key in a.keys() | b.keys() if repr(a.get(key)) != repr(b.get(key))}
    )


def _copied(snapshot: Snapshot) -> Snapshot:
    tensors = {name: value.clone() for name, value in snapshot.tensors.items()}
    return Snapshot(tensors, snapshot.random, snapshot.optimizer, snapshot.digest)


def _digest(tensors: dict[str, Tensor], random: tuple[Tensor, list[Tensor]]) -> str:
    states = {f"random/{index}": each for index, each in enumerate([random[0], *random[1]])}
    return digest_of({**tensors, **states})


def _described(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the optimiser's settings and what of its state is no tensor."""
    groups = [
        {
            key: value.clone() if isinstance(value, Tensor) else value
            for key, value in group.items()
            if key != "params"
        }
        for group in optimizer.param_groups
    ]
    plain = [
        [
            {
                key: value
                for key, value in optimizer.state.get(each, {}).items()
                if not isinstance(value, Tensor)
            }
            for each in group["params"]
        ]
        for group in optimizer.param_groups
    ]
    return {"groups": groups, "plain": plain}


def _restore_optimizer(
    optimizer: torch.optim.Optimizer, described: dict[str, Any], tensors: dict[str, Tensor]
) -> None:
    for index, (group, settings) in enumerate(zip(optimizer.param_groups, described["groups"], strict=True)):
        for key, value in settings.items():
            if isinstance(value, Tensor) and isinstance(group.get(key), Tensor):
                group[key].copy_(value)
            else:
                group[key] = value.clone() if isinstance(value, Tensor) else value
        for number, parameter in enumerate(group["params"]):
            prefix = f"optimizer/{index}/{number}/"
            kept = {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
            plain = described["plain"][index][number]
            if not kept and not plain:
                optimizer.state.pop(parameter, None)
                continue
            state = optimizer.state[parameter]
            for key in [key for key in state if key not in kept and key not in plain]:
                del state[key]
            state.update(plain)
            for key, value in kept.items():
                if isinstance(state.get(key), Tensor) and state[key].shape == value.shape:
                    state[key].copy_(value)
                else:
                    state[key] = value.clone()
