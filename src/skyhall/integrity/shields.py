"""The levels that a campaign compares, each as a shield around one step or forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from skyhall.integrity.determinism import pinned
from skyhall.integrity.digests import digest_of
from skyhall.integrity.exact import Copies
from skyhall.integrity.serving import ServeGuard
from skyhall.integrity.states import weights
from skyhall.integrity.step import StepGuard, Unrepaired
from skyhall.integrity.subjects import Shield

__all__ = ["SHIELDS"]

_MOST = 4  # executions of a forward pass, of which two must agree


class _Nothing:
    detected = 0

    def accept(self) -> None:
        pass

    def run(self, step: Callable[[], Any]) -> Any:
        return step()


class _Bounded:
    """`StepGuard`, or `ServeGuard` where nothing is trained."""

    def __init__(self, level: str, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        guard = (
            ServeGuard(model, level=level) if optimizer is None else StepGuard(model, optimizer, level=level)
        )
        self._guard: ServeGuard | StepGuard = guard
        self.accept, self.run = guard.accept, guard.run

    @property
    def detected(self) -> int:
        return sum(self._guard.report.detected.values())


class _ExactServing:
    """A forward pass that is executed until two executions agree by digest, its weights verified before each."""

    def __init__(self, model: nn.Module) -> None:
        self._model, self.detected = model, 0
        self.accept()

    def accept(self) -> None:
        self._copies = {name: value.clone() for name, value in weights(self._model).items()}
        self._digest = digest_of(self._copies)

    def run(self, step: Callable[[], Any]) -> Any:
        seen: dict[str, Any] = {}
        for _ in range(_MOST):
            self._verify()
            result = step()
            digest = digest_of({"result": result})
            if digest in seen:
                return seen[digest]
            self.detected += bool(seen)
            seen[digest] = result
        raise Unrepaired(("copy",), f"{_MOST} executions gave {_MOST} results")

    def _verify(self) -> None:
        held = weights(self._model)
        if digest_of(held) != self._digest:
            self.detected += 1
            for name, value in held.items():
                value.copy_(self._copies[name])


class _ExactTraining:
    """A step of `Copies` with two executions."""

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._job = model, optimizer
        self._before = 0
        self.accept()

    def accept(self) -> None:
        self._before = self.detected if hasattr(self, "_copies") else 0
        with pinned(torch.get_num_threads()):
            self._copies = Copies(*self._job, copies=2)

    @property
    def detected(self) -> int:
        return self._before + sum(self._copies.report.detected.values())

    def run(self, step: Callable[[], Any]) -> Any:
        with pinned(torch.get_num_threads()):
            return self._copies.run(step)


def _exact(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> Shield:
    return _ExactServing(model) if optimizer is None else _ExactTraining(model, optimizer)


SHIELDS: Mapping[str, Callable[[nn.Module, torch.optim.Optimizer | None], Shield]] = {
    "none": lambda model, optimizer: _Nothing(),
    **{level: partial(_Bounded, level) for level in ("sums", "abft", "full")},
    "exact": _exact,
}
