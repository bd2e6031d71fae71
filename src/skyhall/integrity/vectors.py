"""Checked products in training: one weighted vector of random signs, for one pass over each matrix and no more.

Sixteen sketched columns are sharper by two and see errors that cancel; a product of a matrix and a vector is bound by
memory alone, and goes nearly twice as fast.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.products import Residuals, row_norms, weighted
from skyhall.integrity.rounding import Rounding, rounding_of
from skyhall.integrity.sketches import MOST_SIZE

__all__ = ["mv_and_norms", "vector_residuals"]

_BLOCK_BYTES = 1 << 19  # of rows that are read twice while a second-level cache holds them


def vector_residuals(
    a: Tensor,
    c: Tensor,
    x: Tensor,
    weight: Tensor,
    largest: Tensor,
    *,
    norms: Tensor | None = None,
    right: Tensor | None = None,
    added: Tensor | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Residuals:
    """Return the residuals of c = beta · added + alpha · a @ b through one vector, and their limits as in `rounding`.

    Parameters
    ----------
    a : (M, K) float32 or float64.
    c : (M, N), the product under suspicion.
    x : (N,) of `Sketches.weights`.
    weight : b @ x (K,).
    largest : an upper bound of b's largest singular value (0-dim).
    norms, right : norms of the rows of a, and a @ weight, both (M,), where they are known.
    added : a bias (N,), a column (M, 1), or a matrix (M, N).
    alpha, beta : factors of product and summand.

    Returns
    -------
    Residuals : (M, 1).
    """
    rounding = rounding_of(a.dtype, a.device, c.dtype)
    inner, summed = a.shape[1], x.shape[0]
    if norms is None:
        right, norms = mv_and_norms(a, weight)
    elif right is None:
        right = torch.mv(a, weight)
    value = torch.mv(c, x) - (right if alpha == 1.0 else right * alpha)
    # An entry of x is at most 1.25, and multiplying by it rounds once more than adding a sign does.
    scale = MOST_SIZE * abs(alpha) * rounding.factor(inner, summed + 2)
    limit = weighted(norms, largest, scale, inner, rounding)
    limit += rounding.floor(inner, summed) * (1.0 + abs(alpha))
    if added is not None and beta != 0.0:
        value, limit = _with_summand(value, limit, added.to(a.dtype), x, beta, rounding)
    return Residuals(value.unsqueeze(-1), limit.unsqueeze(-1), rounding.largest * scale / 2.0)


def mv_and_norms(a: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return a @ w and the norms of a's rows, both (M,), reading a from memory once."""
    rows = max(1, _BLOCK_BYTES // max(1, a.shape[1] * a.element_size()))
    if a.device.type != "cpu" or a.stride(1) != 1 or rows >= a.shape[0]:
        return torch.mv(a, w), row_norms(a)
    both = [(torch.mv(block, w), torch.linalg.vector_norm(block, dim=1)) for block in a.split(rows)]
    return torch.cat([each[0] for each in both]), torch.cat([each[1] for each in both])


def _with_summand(
    value: Tensor, limit: Tensor, added: Tensor, x: Tensor, beta: float, rounding: Rounding
) -> tuple[Any, Any]:
    added = added.view(1) if added.dim() == 0 else added
    added = added.expand(*added.shape[:-1], x.shape[0])
    norm = torch.linalg.vector_norm(added, dim=-1)
    scale = MOST_SIZE * abs(beta) * rounding.factor(1, x.shape[0] + 2)
    return value - (added @ x) * beta, limit + norm * scale
