"""A second copy of a job's state that follows by updates of its own: to restore from, and to check each update against.

The optimiser's step is done a second time, parameter by parameter, on the copy, and both results are compared by their
sums. Where they differ, a third execution from the kept old values decides. So the copy is never more than one update
behind, costs no copying, and proves the arithmetic of the update. A copy that itself changed at rest shows in the old
values' sums: it vouches for nothing then, and is made anew.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from skyhall.integrity.states import optimizer_state, weights
from skyhall.integrity.sums import agree, block_sums

__all__ = ["Followed", "Shadow", "can_follow"]

# Optimisers of torch whose update of one parameter depends on no other: it can be done again alone.
_ALONE = (
    "SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop", "Adagrad", "Adadelta", "ASGD",
)  # fmt: skip


def can_follow(optimizer: torch.optim.Optimizer) -> bool:
    """Say whether an optimiser's update can be done again one parameter at a time."""
    return type(optimizer).__module__.startswith("torch.optim") and type(optimizer).__name__ in _ALONE


@dataclass(slots=True)
class Followed:
    """What became of an update, by parameter.

    Attributes
    ----------
    corrected : whose live state was wrong and is right now.
    unresolved : for which three executions gave three results.
    renewed : of which the copy had changed at rest; it was made anew from the live state, whose update nothing checked.
    """

    corrected: list[str]
    unresolved: list[str]
    renewed: list[str]


class Shadow:
    """The second copy of a model's and an optimiser's state.

    Parameters
    ----------
    model, optimizer : of the job; the copy is taken now.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._model = model
        self._optimizer = optimizer
        self._follows = can_follow(optimizer)
        self._engine = copy.deepcopy(optimizer)
        for hooks in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks"):
            getattr(self._engine, hooks).clear()  # its steps are nobody else's business
        self._groups = [list(group["params"]) for group in self._engine.param_groups]
        self._states = {twin: self._engine.state.get(twin, {}) for own in self._groups for twin in own}
        self._scratch: dict[Any, Tensor] = {}
        self._names = {id(value): name for name, value in model.named_parameters()}
        optimised = {id(each) for group in optimizer.param_groups for each in group["params"]}
        self._others = {
            name: value.clone()
            for name, value in weights(model).items()
            if name.startswith("buffers/") or id(dict(model.named_parameters())[name[8:]]) not in optimised
        }
        for own in self._groups:
            for twin in own:
                twin.grad = None

    @property
    def follows(self) -> bool:
        """Whether updates are done again here; otherwise `refresh` copies after each."""
        return self._follows

    def tensors(self) -> dict[str, Tensor]:
        """Return the copy by the names of the live state."""
        found = dict(self._others)
        for place, live, twin in self._pairs():
            if id(live) in self._names:
                found[f"weights/{self._names[id(live)]}"] = twin.detach()
            found |= {
                f"optimizer/{place}/{key}": value for key, value in _tensors(self._states[twin]).items()
            }
        return found

    def restore(self, names: Mapping[str, Tensor]) -> list[str]:
        """Copy these live tensors (by name) back from here, and return the names that are not here."""
        own = self.tensors()
        missing = []
        with torch.no_grad():
            for name, live in names.items():
                if name in own and own[name].shape == live.shape:
                    live.copy_(own[name])
                else:
                    missing.append(name)
        return missing

    def refresh(self) -> None:
        """Copy the live state here, as after an update that this copy cannot do again."""
        own = self.tensors()
        live = {**weights(self._model), **optimizer_state(self._optimizer)}
        with torch.no_grad():
            for name, value in live.items():
                if name in own and own[name].shape == value.shape:
                    own[name].copy_(value)
                else:
                    break
            else:
                return
        self.__init__(self._model, self._optimizer)  # type: ignore[misc]

    def refresh_buffers(self) -> None:
        """Copy what is not optimised: buffers change in the forward pass."""
        live = weights(self._model)
        for name, value in self._others.items():
            value.copy_(live[name])

    def follow(self, sums: Mapping[str, Tensor], before: Callable[[str], Tensor | None]) -> Followed:
        """Do the last update again, and settle where it differs.

        Parameters
        ----------
        sums : block sums of the live state after its update, by name.
        before : gives those of a tensor before the update, by name; None where it is not known.
        """
        found = Followed([], [], [])
        for place, live, twin in self._pairs():
            if live.grad is None:
                continue
            name = self._names.get(id(live), f"parameter {place}")
            labels = {"weight": f"weights/{name}"}
            labels |= {
                key: f"optimizer/{place}/{key}" for key in _tensors(self._optimizer.state.get(live, {}))
            }
            group = self._optimizer.param_groups[int(place.split("/")[0])]
            kept = self._kept(self._values(twin))
            self._update(group, live, twin)
            ours = _sums(self._values(twin))
            theirs = {key: sums[label] for key, label in labels.items() if label in sums}
            if _same(ours, theirs):
                continue
            olds = {
                key: old
                for key, label in labels.items()
                if key in kept and (old := before(label)) is not None
            }
            if not _same(_sums({key: kept[key] for key in olds}), olds):
                _copy(self._live(live), self._values(twin))
                found.renewed.append(name)
            elif self._third(group, live, twin, kept, ours, theirs):
                found.corrected.append(name)
            else:
                found.unresolved.append(name)
        return found

    def _kept(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return copies in memory that is used again for every parameter: fresh memory costs more than the copying."""
        copies = {}
        for key, value in values.items():
            scratch = self._scratch.get((key, value.dtype, value.device))
            if scratch is None or scratch.numel() < value.numel():
                scratch = self._scratch[key, value.dtype, value.device] = torch.empty_like(value.reshape(-1))
            copies[key] = scratch[: value.numel()].view(value.shape).copy_(value)
        return copies

    def _third(
        self,
        group: dict[str, Any],
        live: Tensor,
        twin: Tensor,
        kept: dict[str, Tensor],
        ours: dict[str, Tensor],
        theirs: dict[str, Tensor],
    ) -> bool:
        """Do the update a third time from the old values; whatever two agree on is put in place."""
        if not kept.keys() >= {key for key in ours if key != "weight"}:
            self._states[twin].clear()  # the first update makes the state
        _copy(kept, self._values(twin))
        self._update(group, live, twin)
        thirds = _sums(self._values(twin))
        if not (_same(thirds, ours) or _same(thirds, theirs)):
            return False
        _copy(self._values(twin), self._live(live))
        return True

    def _update(self, group: dict[str, Any], live: Tensor, twin: Tensor) -> None:
        engine = self._engine
        twin.grad = live.grad
        engine.param_groups = [{**group, "params": [twin]}]
        engine.state.clear()
        engine.state[twin] = self._states[twin]
        type(engine).step(engine)
        twin.grad = None

    def _values(self, twin: Tensor) -> dict[str, Tensor]:
        return {"weight": twin.detach(), **_tensors(self._states[twin])}

    def _live(self, live: Tensor) -> dict[str, Tensor]:
        return {"weight": live.detach(), **_tensors(self._optimizer.state.get(live, {}))}

    def _pairs(self) -> Iterator[tuple[str, Any, Any]]:
        """Yield each parameter's place in the optimiser, as in the names of its state, itself, and its copy."""
        for index, (group, own) in enumerate(zip(self._optimizer.param_groups, self._groups, strict=True)):
            for number, (live, twin) in enumerate(zip(group["params"], own, strict=True)):
                yield f"{index}/{number}", live, twin


def _tensors(state: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _sums(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: block_sums(value) for key, value in values.items()}


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    if one.keys() != other.keys():
        return False
    same = [agree(one[key], other[key]) for key in one]
    return not same or bool(torch.stack([each.to(same[0].device) for each in same]).all())


def _copy(source: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for key, value in source.items():
            if key in target:
                target[key].copy_(value)
