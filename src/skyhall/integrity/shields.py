"""The levels that a campaign compares, each as a shield around one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from skyhall.integrity.entry import protect
from skyhall.integrity.subjects import Shield

__all__ = ["SHIELDS"]


class _Nothing:
    detected = 0

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        pass

    def run(self, step: Callable[[], Any]) -> Any:
        return step()


class _Bounded:
    def __init__(self, level: str, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        self._guard = protect(level=level)
        self.detected = 0

    def run(self, step: Callable[[], Any]) -> Any:
        with self._guard:
            result = step()
        self.detected = self._guard.verdict().detected
        return result


SHIELDS: Mapping[str, Callable[[nn.Module, torch.optim.Optimizer | None], Shield]] = {
    "none": _Nothing,
    **{level: partial(_Bounded, level) for level in ("sums", "abft", "full")},
}
