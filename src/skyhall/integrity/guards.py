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

from skyhall.integrity.passes import can_pass, sizes

__all__ = ["Band", "Ceiling", "norm_and_peak"]


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


@dataclass
class Ceiling:
    """Doubts a number above twice the largest of the last 64, above 1, or that is not one.

    Until eight were seen, 1 alone counts.
    """

    memory: int = 64

    def __post_init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=self.memory)

    def doubts(self, number: float) -> bool:
        """Say whether a number is too high."""
        usual = 2.0 * max(self._seen) if len(self._seen) >= self.memory // 8 else 1.0
        return not number <= min(usual, 1.0)

    def learn(self, number: float) -> None:
        """Take a number as normal."""
        if math.isfinite(number):
            self._seen.append(number)


def norm_and_peak(gradients: Sequence[Tensor]) -> tuple[float, float]:
    """Return the Euclidean norm of all gradients together and the size of the largest element; NaN if one is there."""
    some = [torch.view_as_real(each) if each.is_complex() else each for each in gradients if each.numel()]
    if not some:
        return 0.0, 0.0
    if can_pass(*some):
        found = [sizes(each) for each in some]
        return math.sqrt(math.fsum(square for square, _ in found)), _largest([peak for _, peak in found])
    norms = torch._foreach_norm(some)
    # torch's infinity norm is seven times slower than this.
    ends = [end for each in some for end in each.aminmax()]
    norm, peak = (
        torch.stack([each.to(some[0].device, torch.float32) for each in numbers]) for numbers in (norms, ends)
    )
    both = torch.stack([torch.linalg.vector_norm(norm), peak.abs().max()]).tolist()
    return both[0], both[1]


def _largest(numbers: Sequence[float]) -> float:
    return math.nan if any(math.isnan(each) for each in numbers) else max(numbers)
