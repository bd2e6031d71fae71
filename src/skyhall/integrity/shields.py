"""The levels that a campaign compares, each as a shield around one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from skyhall.integrity.determinism import pinned
from skyhall.integrity.digests import digest_of
from skyhall.integrity.entry import protect
from skyhall.integrity.exact import Copies
from skyhall.integrity.states import weights
from skyhall.integrity.step import StepGuard, Unrepaired
from skyhall.integrity.subjects import Shield
from skyhall.integrity.sums import StateSums

__all__ = ["SHIELDS"]

_MOST = 4  # executions of a forward pass, of which two must agree


class _Nothing:
    detected = 0

    def run(self, step: Callable[[], Any]) -> Any:
        return step()


class _Serving:
    """A forward pass whose weights are verified by their sums before use, and restored from a second copy."""

    def __init__(self, level: str, model: nn.Module) -> None:
        self._model, self._guard = model, protect(level=level)
        self._sums, self.detected = StateSums(), 0
        held = weights(model)
        self._sums.renew(held)
        self._copies = {name: value.clone() for name, value in held.items()}

    def run(self, step: Callable[[], Any]) -> Any:
        held = weights(self._model)
        for name in self._sums.changed(held):
            held[name].copy_(self._copies[name])
            self.detected += 1
        with self._guard:
            result = step()
        self.detected += self._guard.verdict().detected
        return result


class _Training:
    """A step under `StepGuard`, which took the state before the fault as right."""

    def __init__(self, level: str, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._guard = StepGuard(model, optimizer, level=level)
        self._guard.run(lambda: None)

    @property
    def detected(self) -> int:
        return sum(self._guard.report.detected.values())

    def run(self, step: Callable[[], Any]) -> Any:
        try:
            return self._guard.run(step)
        finally:
            self._guard.close()


class _ExactServing:
    """A forward pass that is executed until two executions agree by digest, its weights verified before each."""

    def __init__(self, model: nn.Module) -> None:
        self._model, self._copies = model, {name: value.clone() for name, value in weights(model).items()}
        self._digest, self.detected = digest_of(self._copies), 0

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
        with pinned(torch.get_num_threads()):
            self._copies = Copies(model, optimizer, copies=2)

    @property
    def detected(self) -> int:
        return sum(self._copies.report.detected.values())

    def run(self, step: Callable[[], Any]) -> Any:
        with pinned(torch.get_num_threads()):
            return self._copies.run(step)


def _exact(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> Shield:
    return _ExactServing(model) if optimizer is None else _ExactTraining(model, optimizer)


def _bounded(level: str, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> Shield:
    return _Serving(level, model) if optimizer is None else _Training(level, model, optimizer)


SHIELDS: Mapping[str, Callable[[nn.Module, torch.optim.Optimizer | None], Shield]] = {
    "none": lambda model, optimizer: _Nothing(),
    **{level: partial(_bounded, level) for level in ("sums", "abft", "full")},
    "exact": _exact,
}
