"""What a fault did to a result, and how sure a count of such outcomes is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.stats import beta
from torch import Tensor

__all__ = [
    "CONFIDENCE",
    "LOSS_CHANGE",
    "OUTCOMES",
    "Observation",
    "interval_of",
    "judge",
    "lower_bound",
    "same_bits",
]

OUTCOMES = ("masked", "silent", "visible", "nan")
LOSS_CHANGE = 0.01  # relative change of a loss that counts as visible
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What came out of one run.

    Attributes
    ----------
    bits : tensors whose every bit counts as the result (logits, or all state after a step).
    tokens : greedy tokens, int64; None where the result is no sequence.
    losses : in the order of the steps.
    error : name of the exception that ended the run, "" if none did.
    """

    bits: tuple[Tensor, ...]
    tokens: Tensor | None
    losses: tuple[float, ...]
    error: str = ""


def judge(clean: Observation, seen: Observation) -> str:
    """Return what differs from the clean run.

    ``masked``: nothing, to the bit. ``nan``: a loss or a result that is NaN or infinite where the clean one is not, or
    a run that ended with an error. ``visible``: a greedy token differs, or a loss by more than 1 %. ``silent``: other
    bits, the same visible result.
    """
    if seen.error:
        return "nan"
    if same_bits(clean.bits, seen.bits) and _same(clean.losses, seen.losses):
        return "masked"
    if not all(_finite(loss) for loss in seen.losses) or not all(
        bool(torch.isfinite(part).all()) for part in seen.bits if part.is_floating_point()
    ):
        return "nan"
    if clean.tokens is not None and seen.tokens is not None and not torch.equal(clean.tokens, seen.tokens):
        return "visible"
    changed = any(abs(b - a) > LOSS_CHANGE * abs(a) for a, b in zip(clean.losses, seen.losses, strict=True))
    return "visible" if changed else "silent"


def same_bits(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> bool:
    """Return whether all tensors agree bit by bit: NaN equals the same NaN, 0.0 differs from -0.0."""
    return len(first) == len(second) and all(
        a.shape == b.shape and torch.equal(_raw(a), _raw(b)) for a, b in zip(first, second, strict=True)
    )


def interval_of(hits: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share: two-sided, exact, never too narrow.

    Parameters
    ----------
    hits, trials : of `trials` independent trials, `hits` did; without trials the interval is (0, 1).
    confidence : that the interval holds the true share.

    Notes
    -----
    C. J. Clopper and E. S. Pearson, *Biometrika* 26 (1934) 404.
    """
    if not trials:
        return 0.0, 1.0
    tail = 0.5 * (1.0 - confidence)
    low = float(beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1.0 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def lower_bound(hits: int, trials: int, confidence: float = CONFIDENCE) -> float:
    """Return the one-sided lower bound of a share, exact; 0 without trials."""
    return float(beta.ppf(1.0 - confidence, hits, trials - hits + 1)) if hits else 0.0


def _raw(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _finite(value: float) -> bool:
    return value - value == 0.0


def _same(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return len(first) == len(second) and all(
        a == b or (a != a and b != b) for a, b in zip(first, second, strict=True)
    )
