"""The levels that a campaign compares, each as a shield around one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from skyhall.integrity.subjects import Shield

__all__ = ["SHIELDS"]


class _Nothing:
    detected = 0

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        pass

    def run(self, step: Callable[[], Any]) -> Any:
        return step()


SHIELDS: Mapping[str, Callable[[nn.Module, torch.optim.Optimizer | None], Shield]] = {"none": _Nothing}
