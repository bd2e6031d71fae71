"""Guards of a training step: loss and gradient norm must be finite and within a band of what the steps before had.

Guards doubt, they do not prove. A step that they doubt is run again from the same state; if it gives the same bits it
is taken as right and the guard learns from it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Band", "gradient_norm"]


@dataclass
class Band:
    """Doubts a number that is not finite, or not within a factor of the median of the last ones.

    Parameters
    ----------
    below, above : factors, 0 < below < 1 < above.
    memory : how many numbers the median is taken of; until a quarter of them were seen, only what is not finite is
        doubted.
    """

    below: float
    above: float
    memory: int = 32

    def __post_init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=self.memory)

    def doubts(self, number: float) -> bool:
        """Say whether a number is out of the band."""
        if not math.isfinite(number):
            return True
        if len(self._seen) < max(2, self.memory // 4):
            return False
        middle = sorted(self._seen)[len(self._seen) // 2]
        return not self.below * middle <= number <= self.above * middle

    def learn(self, number: float) -> None:
        """Take a number as normal."""
        if math.isfinite(number):
            self._seen.append(number)


def gradient_norm(gradients: Sequence[Tensor]) -> Tensor:
    """Return the Euclidean norm of all gradients together (0-dim); of none, 0."""
    if not gradients:
        return torch.zeros(())
    norms = torch._foreach_norm(list(gradients))
    return torch.linalg.vector_norm(torch.stack([each.to(norms[0].device, torch.float32) for each in norms]))
