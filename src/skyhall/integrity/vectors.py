"""Checked products in training: one weighted vector of random signs, for one pass over each matrix and no more.

Sixteen sketched columns are sharper by two and see errors that cancel; a product of a matrix and a vector is bound by
memory alone, and goes nearly twice as fast.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.passes import can_pass, column_products, row_products, within
from skyhall.integrity.products import Residuals, row_norms, weighted
from skyhall.integrity.rounding import Rounding, rounding_of
from skyhall.integrity.sketches import MOST_SIZE

__all__ = ["differences", "mv_and_norms", "surely_right", "vector_limits"]

_LESS = 1e-3  # of a limit, by which one that was computed otherwise may be larger


def differences(a: Tensor, w: Tensor, c: Tensor, x: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Return c @ x - alpha · a @ w and the norms of a's rows, both (M,), on a CPU by reading a and c once."""
    right, norms = mv_and_norms(a, w)
    return torch.mv(c, x) - (right if alpha == 1.0 else right * alpha), norms


def surely_right(
    a: Tensor,
    c: Tensor,
    x: Tensor,
    largest: Tensor,
    value: Tensor,
    norms: Tensor,
    added: Tensor | None = None,
) -> bool:
    """Say whether differences lie within limits that are at most those of `vector_limits`, in one pass on a CPU.

    Parameters as there, with factors of 1; what is added is a bias (N,) or nothing.
    """
    rounding = rounding_of(a.dtype, a.device, c.dtype)
    inner, summed = a.shape[1], x.shape[0]
    scale = MOST_SIZE * rounding.factor(inner, summed + 2) * (1.0 - _LESS)
    hidden = math.sqrt(inner * rounding.tiny)
    factor = (float(largest) + hidden) * scale
    if added is not None:
        value = value - added @ x
    return within(value, norms, factor, hidden * factor)


def vector_limits(
    a: Tensor,
    c: Tensor,
    x: Tensor,
    largest: Tensor,
    value: Tensor,
    norms: Tensor,
    *,
    added: Tensor | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Residuals:
    """Return differences `value` (M,), as of `differences`, beside their limits, with a summand accounted for.

    Parameters
    ----------
    a : (M, K) float32 or float64; of it and c the shapes and formats are asked.
    c : (M, N), the product under suspicion.
    x : (N,) of `Sketches.weights`.
    largest : an upper bound of b's largest singular value (0-dim).
    norms : of the rows of a (M,).
    added : a bias (N,), a column (M, 1), or a matrix (M, N).
    alpha, beta : factors of product and summand.

    Returns
    -------
    Residuals : (M, 1).
    """
    rounding = rounding_of(a.dtype, a.device, c.dtype)
    inner, summed = a.shape[1], x.shape[0]
    # An entry of x is at most 1.25, and multiplying by it rounds once more than adding a sign does.
    scale = MOST_SIZE * abs(alpha) * rounding.factor(inner, summed + 2)
    limit = weighted(norms, largest, scale, inner, rounding)
    limit += rounding.floor(inner, summed) * (1.0 + abs(alpha))
    if added is not None and beta != 0.0:
        value, limit = _with_summand(value, limit, added.to(a.dtype), x, beta, rounding)
    return Residuals(value.unsqueeze(-1), limit.unsqueeze(-1), rounding.largest * scale / 2.0)


def mv_and_norms(a: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return a @ w and the norms of a's rows, both (M,), on a CPU by reading a once."""
    if can_pass(a):
        return row_products(a, w)
    if can_pass(a.t()):
        return column_products(a.t(), w)
    return torch.mv(a, w), row_norms(a)


def _with_summand(
    value: Tensor, limit: Tensor, added: Tensor, x: Tensor, beta: float, rounding: Rounding
) -> tuple[Any, Any]:
    added = added.view(1) if added.dim() == 0 else added
    added = added.expand(*added.shape[:-1], x.shape[0])
    norm = torch.linalg.vector_norm(added, dim=-1)
    scale = MOST_SIZE * abs(beta) * rounding.factor(1, x.shape[0] + 2)
    return value - (added @ x) * beta, limit + norm * scale
