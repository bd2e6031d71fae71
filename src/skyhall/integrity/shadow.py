"""A second copy of a job's state that follows by updates of its own: to restore from, and to check each update against.

The optimiser's step is done a second time, parameter by parameter, on the copy, and both results are compared by their
sums. Where they differ, a third execution from the kept old values decides. So the copy is never more than one update
behind, costs no copying, and proves the arithmetic of the update.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from skyhall.integrity.states import optimizer_state, weights
from skyhall.integrity.sums import block_sums

__all__ = ["Shadow", "can_follow"]

# Optimisers of torch whose update of one parameter depends on no other: it can be done again alone.
_ALONE = (
    "SGD", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop", "Adagrad", "Adadelta", "ASGD",
)  # fmt: skip


def can_follow(optimizer: torch.optim.Optimizer) -> bool:
    """Say whether an optimiser's update can be done again one parameter at a time."""
    return type(optimizer).__module__.startswith("torch.optim") and type(optimizer).__name__ in _ALONE


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
        self._twin = copy.deepcopy(optimizer)
        for hooks in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks"):
            getattr(self._twin, hooks).clear()  # the twin's steps are nobody else's business
        self._groups = self._twin.param_groups
        self._scratch: dict[Any, Tensor] = {}
        self._names = {id(value): name for name, value in model.named_parameters()}
        optimised = {id(each) for group in optimizer.param_groups for each in group["params"]}
        self._others = {
            name: value.clone()
            for name, value in weights(model).items()
            if name.startswith("buffers/") or id(dict(model.named_parameters())[name[8:]]) not in optimised
        }
        for group in self._groups:
            for twin in group["params"]:
                twin.grad = None

    @property
    def follows(self) -> bool:
        """Whether updates are done again here; otherwise `refresh` copies after each."""
        return self._follows

    def tensors(self) -> dict[str, Tensor]:
        """Return the copy by the names of the live state."""
        found = dict(self._others)
        for live, twin in self._pairs():
            if id(live) in self._names:
                found[f"weights/{self._names[id(live)]}"] = twin.detach()
        self._twin.param_groups = self._groups
        return {**found, **optimizer_state(self._twin)}

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

    def follow(self, sums: Mapping[str, Tensor]) -> tuple[list[str], list[str]]:
        """Do the last update again, and settle where it differs.

        Parameters
        ----------
        sums : block sums of the live state after its update, by name.

        Returns
        -------
        Parameters whose live state was wrong and was corrected, and those where three executions gave three results.
        """
        corrected: list[str] = []
        unresolved: list[str] = []
        for number, (live, twin) in enumerate(self._pairs()):
            if live.grad is None:
                continue
            name = self._names.get(id(live), f"parameter {number}")
            before = self._kept(self._values(twin))
            self._update(live, twin)
            ours = {key: block_sums(value) for key, value in self._values(twin).items()}
            theirs = {key: sums[label] for key, label in self._labels(live, name).items() if label in sums}
            if _agree(ours, theirs):
                continue
            verdict = self._third(live, twin, before, ours, theirs)
            (corrected if verdict else unresolved).append(name)
        self._twin.param_groups = self._groups
        return corrected, unresolved

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
        live: Tensor,
        twin: Tensor,
        before: dict[str, Tensor],
        ours: dict[str, Tensor],
        theirs: dict[str, Tensor],
    ) -> bool:
        """Do the update a third time from the old values; whatever two agree on is put in place."""
        if not before.keys() >= {key for key in ours if key != "weight"}:
            self._twin.state.pop(twin, None)  # the first update makes the state
        values = self._values(twin)
        with torch.no_grad():
            for key, value in before.items():
                values[key].copy_(value)
        self._update(live, twin)
        thirds = {key: block_sums(value) for key, value in self._values(twin).items()}
        if not (_agree(thirds, ours) or _agree(thirds, theirs)):
            return False
        live_values = {"weight": live.detach(), **self._state(self._optimizer, live)}
        with torch.no_grad():
            for key, value in self._values(twin).items():
                if key in live_values:
                    live_values[key].copy_(value)
        return True

    def _update(self, live: Tensor, twin: Tensor) -> None:
        group = next(
            group
            for group, own in zip(self._optimizer.param_groups, self._groups, strict=True)
            if any(each is twin for each in own["params"])
        )
        twin.grad = live.grad
        self._twin.param_groups = [{**group, "params": [twin]}]
        type(self._twin).step(self._twin)
        twin.grad = None

    def _pairs(self) -> list[tuple[Any, Any]]:
        return [
            pair
            for group, own in zip(self._optimizer.param_groups, self._groups, strict=True)
            for pair in zip(group["params"], own["params"], strict=True)
        ]

    def _values(self, twin: Tensor) -> dict[str, Tensor]:
        return {"weight": twin.detach(), **self._state(self._twin, twin)}

    @staticmethod
    def _state(optimizer: torch.optim.Optimizer, parameter: Tensor) -> dict[str, Tensor]:
        state = optimizer.state.get(parameter, {})
        return {name: value for name, value in state.items() if isinstance(value, Tensor)}

    def _labels(self, live: Tensor, name: str) -> dict[str, str]:
        """Return the names of a parameter's tensors in the whole state."""
        for index, group in enumerate(self._optimizer.param_groups):
            for number, parameter in enumerate(group["params"]):
                if parameter is live:
                    state = self._state(self._optimizer, live)
                    return {
                        "weight": f"weights/{name}",
                        **{key: f"optimizer/{index}/{number}/{key}" for key in state},
                    }
        return {}


def _agree(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    if one.keys() != other.keys():
        return False
    same = [
        (one[key] == other[key]).all() if one[key].shape == other[key].shape else torch.tensor(False)
        for key in one
    ]
    return bool(torch.stack([each.to(same[0].device) for each in same]).all())
