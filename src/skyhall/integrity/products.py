"""Checked matrix products: residuals of checksums beside their limits.

`residuals` compares C X with A (B X) for a sketch X (`sketches`), a row of C at a time, and gives the limit that
rounding sets (`rounding`). Integers are compared exactly: a sum that wraps around is still a ring. The check costs a
pass over each of A, B and C beside the product's own arithmetic; `worth_checking` says where running the product twice
is cheaper.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from skyhall.integrity.rounding import Rounding, accumulator, rounding_of
from skyhall.integrity.sketches import BUCKETS, COLUMNS, REPEATS

__all__ = [
    "NO",
    "Residuals",
    "exact_difference",
    "frobenius_norms",
    "kernel_faults",
    "residuals",
    "row_norms",
    "times",
    "weighted",
    "worth_checking",
]

# Set by a fault injector: called with the operator's name and each tensor that a protected kernel gave, before its
# check. It may change the tensor in place. None costs nothing.
kernel_faults: Callable[[str, Tensor], None] | None = None

_BLOCK = 96  # rows whose squares stay in a second-level cache while columns are summed
_LOW_RANK = 2.0  # what a norm estimated from 16 random sums may fall short by
NO = torch.zeros((), dtype=torch.bool)


class Residuals(NamedTuple):
    """What a check found: `value` (..., M, 16) beside `limit`, and the limit from which overflow is possible."""

    value: Tensor
    limit: Tensor
    ceiling: float

    def verdict(self) -> tuple[Tensor, Tensor]:
        """Return two truths (0-dim, on the device): some row is wrong, some row could not be checked.

        A row cannot be checked where its factors hold NaN or infinity, or where the product overflowed and may have.
        """
        if self.value.device.type == "cpu" and self.surely_right():
            return NO, NO
        wrong, unknown = self._judged()
        return wrong.any(), unknown.any()

    def surely_right(self) -> bool:
        """Say what is nearly always so in three operations: all within finite limits."""
        return bool((self.value.abs() <= self.limit).all()) and math.isfinite(float(self.limit.sum()))

    def is_wrong(self) -> bool:
        """Return whether some row is wrong, reading the device."""
        return bool(self.verdict()[0])

    def wrong_rows(self) -> Tensor:
        """Return which rows (..., M) are wrong."""
        return self._judged()[0].any(-1)

    def _judged(self) -> tuple[Tensor, Tensor]:
        bad = ~(self.value.abs() <= self.limit)
        overflow = (self.limit >= self.ceiling) & ~torch.isfinite(self.value)
        unknown = ~torch.isfinite(self.limit) | overflow
        return bad & ~unknown, unknown


def worth_checking(rows: int, inner: int, columns: int, known_weight: bool = False) -> bool:
    """Say whether checksums take less arithmetic than the product (rows × inner × columns) itself."""
    weight = 0 if known_weight else inner * columns
    return COLUMNS * (weight + rows * inner + rows * columns) < rows * inner * columns


def residuals(
    a: Tensor,
    b: Tensor,
    c: Tensor,
    x: Tensor,
    *,
    weight: Tensor | None = None,
    largest: Tensor | None = None,
    added: Tensor | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Residuals:
    """Return the residuals of c = beta · added + alpha · a @ b, and their limits.

    Parameters
    ----------
    a : (..., M, K) float64, float32, float16 or bfloat16.
    b : (..., K, N).
    c : (..., M, N), the product under suspicion.
    x : sketch (N, 16) in the accumulator's format.
    weight : b @ x (..., K, 16) where it is known.
    largest : an upper bound of b's largest singular value, (...); else it comes from the norm of b, which is larger.
    added : what was added: broadcasts with c.
    alpha, beta : factors of product and summand.

    Returns
    -------
    Residuals : (..., M, 16).
    """
    rounding = rounding_of(a.dtype, a.device, c.dtype)
    wide = accumulator(a.dtype)
    inner, columns = b.shape[-2:]
    summed = _bucket_size(columns)
    a, c = a.to(wide), c.to(wide)
    w = times(b.to(wide), x) if weight is None else weight
    right = times(a, w)
    value = times(c, x) - (right if alpha == 1.0 else right * alpha)
    size = frobenius_norms(w) if largest is None else largest
    scale = abs(alpha) * rounding.factor(inner, summed)
    limit = weighted(row_norms(a), size, scale, inner, rounding)
    limit += rounding.floor(inner, summed) * (1.0 + abs(alpha))
    ceiling = rounding.largest * scale / 2.0
    if added is not None and beta != 0.0:
        value, limit = _with_summand(value, limit, added.to(wide), x, beta, rounding, summed)
    return Residuals(value, limit.unsqueeze(-1), ceiling)


def weighted(norms: Tensor, size: Tensor, scale: float, inner: int, rounding: Rounding) -> Tensor:
    """Return norms (..., M) × size (...) × scale, with what squares below the least normal number hide added."""
    hidden = math.sqrt(inner * rounding.tiny)
    return (norms + hidden) * (size.unsqueeze(-1) + hidden) * scale


def frobenius_norms(w: Tensor) -> Tensor:
    """Return an upper bound of ‖B‖ (...) from w = B X (..., K, 16): each repeat's buckets hold all of B's energy.

    The mean of ‖w_v‖² over the signs is the energy of the bucket's columns. Were B of rank one, the sums would be draws
    of one normal variable: fourfold the energy of sixteen of them covers it but once in a thousand, and the bounds'
    slack covers those.
    """
    return torch.linalg.vector_norm(w, dim=(-2, -1)) * (_LOW_RANK / math.sqrt(REPEATS))


def row_norms(a: Tensor) -> Tensor:
    """Return the Euclidean norms (..., M) of the rows of (..., M, K), in the order in which memory holds them."""
    if a.dim() == 2 and a.stride(0) == 1 and a.stride(1) > 1:
        return _column_norms(a.t())
    return torch.linalg.vector_norm(a, dim=-1)


def times(a: Tensor, w: Tensor) -> Tensor:
    """Return a (..., M, K) @ w (..., K, 16), by the order of a's memory."""
    if a.dim() == 2 and a.stride(0) == 1 and a.stride(1) > 1:
        return (w.t() @ a.t()).t()
    return torch.matmul(a, w)


def _column_norms(a: Tensor) -> Tensor:
    """Return the norms of a's columns; torch's own reduction along the first axis is forty times slower."""
    if a.device.type != "cpu":
        return torch.linalg.vector_norm(a, dim=0)
    total = a.new_zeros(a.shape[1])
    squares = a.new_empty(min(_BLOCK, a.shape[0]), a.shape[1])
    for block in a.split(_BLOCK):
        square = torch.mul(block, block, out=squares[: block.shape[0]])
        total += square.sum(0)
    return total.sqrt_()


def _bucket_size(columns: int) -> int:
    """Return how many columns a bucket may hold: their mean and four standard deviations."""
    return min(columns, math.ceil(columns / BUCKETS + 4.0 * math.sqrt(columns / BUCKETS)))


def _with_summand(
    value: Tensor, limit: Tensor, added: Tensor, x: Tensor, beta: float, rounding: Rounding, summed: int
) -> tuple[Tensor, Tensor]:
    """Return residuals and limits with beta · added accounted for: a bias (N,) or a matrix (..., M, N)."""
    added = added.view(1) if added.dim() == 0 else added
    added = added.expand(*added.shape[:-1], x.shape[0])
    value -= (added @ x) * beta
    norm = torch.linalg.vector_norm(added, dim=-1)
    return value, limit + norm * (abs(beta) * rounding.factor(1, summed))


def exact_difference(a: Tensor, b: Tensor, c: Tensor, x: Tensor) -> Tensor:
    """Return C X - A (B X) (..., M, 16) for integers, in the product's own format: 0 unless an element is wrong."""
    x = x.to(c.dtype)
    return torch.matmul(c, x) - torch.matmul(a.to(c.dtype), torch.matmul(b.to(c.dtype), x))
