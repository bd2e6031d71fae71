"""Checked attention: what must hold of a fused kernel's results, without the weights that it never shows.

Attention is O = P V with P = softmax(s Q Kᵀ + mask), and its gradients are dV = Pᵀ dO, dS = P ∘ (dO Vᵀ - D) with
D = rowsum(dO ∘ O), dQ = s dS K, dK = s dSᵀ Q. Three symmetries of the softmax give identities between what the kernel
takes and gives, each for about one pass over the tensors (1 is a vector of ones, over the keys):

1. Each row of P sums to 1, so 1ᵀ dV = 1ᵀ dO. It sees an error in any element of P, so in S, in the forward pass's
   logsumexp, and in dV itself.
2. A vector added to all keys changes nothing, so each row of dS sums to 0 and 1ᵀ dK = 0. It sees an error in any
   element of dO Vᵀ, D, O and dS, and in dK itself.
3. Any matrix M taken to Q Mᵀ and K M⁻¹ changes nothing, so Qᵀ dQ = dKᵀ K, which is compared between random signs. It
   sees an error in dQ itself.

Identities 1 and 2 hold only if the forward pass's O and logsumexp were right too. The limits grow with the length and
the spread of the scores, to more than the results themselves: an identity alone proves no result right, which is what
`attention_operators` runs each kernel a second time for.

`identity_ratios` looks at them in one pass, with limits that rounding seldom reaches instead of limits that it never
does: what is above them is executed again, so that they may be sharp. Of Qᵀ dQ = dKᵀ K it takes the diagonal and the
elements half a width beside it, which need no more than that pass.

The identities are ours; that fused attention needs them is seen in FT-Transformer (arXiv:2504.02211), which puts
checksums inside the kernel instead. Limits: as in `rounding`, from the inputs, with the worst order of summation.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from skyhall.integrity.passes import head_sums
from skyhall.integrity.rounding import CONFIDENCE

__all__ = ["BackwardCheck", "backward_check", "identity_ratios"]

_UNIT = {torch.float64: 2.0**-53, torch.float32: 2.0**-24}
_SHORT = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}
_EXPONENTIAL = 8.0  # units in the last place that exp, its argument's scale and the logsumexp may be off
_PROBES = 4
# Roundoffs that an identity may be off: a factor, and what stands beside the largest score in it.
_VALUE_SUM = (10.0, 4.0)
_KEY_SUM = (0.2, 16.0)
_TURN = 0.5
_LEAST = 1e-8  # of the mean square in a head, below which a column or row counts as nothing


class BackwardCheck(NamedTuple):
    """Residual and limit of each identity: (B, H, d), (B, H, d), (B, H, 4, 4)."""

    value_sum: tuple[Tensor, Tensor]
    key_sum: tuple[Tensor, Tensor]
    query: tuple[Tensor, Tensor]

    def verdict(self) -> tuple[Tensor, Tensor]:
        """Return two truths (0-dim): an identity is broken; one could not be checked, for NaN or infinity."""
        wrong, unknown = [], []
        for value, limit in self:
            finite = torch.isfinite(limit)
            wrong.append((~(value.abs() <= limit) & finite).any())
            unknown.append(~finite.all())
        return torch.stack(wrong).any(), torch.stack(unknown).any()


def backward_check(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    logsumexp: Tensor,
    grads: tuple[Tensor, Tensor, Tensor],
    signs: Tensor,
    *,
    scale: float | None = None,
    dropped: bool = False,
    out: Tensor | None = None,
) -> BackwardCheck:
    """Return the three identities' residuals and limits.

    Each has one limit for a head.

    Parameters
    ----------
    grad_out, query, key, value : (B, H, T, d), what the backward kernel took; as many heads each.
    logsumexp : (B, H, T) of the forward pass, natural logarithm.
    grads : of query, key and value.
    signs : (d, 4) of -1 and 1, unknown to the kernel.
    scale : s; 1/√d by default.
    dropped : dropout was on: identity 1 does not hold and is left out.
    out : the forward pass's result, where a mask may hide every key of a row: such a row is 0 and passes nothing back.
    """
    unit = _UNIT.get(query.dtype, _UNIT[torch.float32])
    short = _SHORT.get(query.dtype, 0.0)
    wide = torch.float64 if query.dtype == torch.float64 else torch.float32
    s = abs(1.0 / math.sqrt(query.shape[-1]) if scale is None else scale)
    keys, width = key.shape[-2], query.shape[-1]
    alive = logsumexp != -math.inf
    if out is not None:
        alive = alive & (out != 0.0).any(-1)
    grad_out, query, key, value = (each.to(wide) for each in (grad_out, query, key, value))
    grad_query, grad_key, grad_value = (each.to(wide) for each in grads)
    rows = max(query.shape[-2], keys)

    query_length, out_length = _lengths(query), _lengths(grad_out)
    longest_value = _lengths(value).amax(-1, keepdim=True)
    score = query_length * (s * _lengths(key).amax(-1, keepdim=True))
    # No weight of a row exceeds `peak`, so no column of P sums to more than `heavy`, which bounds P's singular values.
    peak = torch.where(alive, torch.exp(score - logsumexp), torch.zeros_like(score)).clamp_(max=1.0)
    heavy = peak.sum(-1, keepdim=True)
    each_score = unit * (math.sqrt(width / 3.0) + 1.0) * score + (unit * _EXPONENTIAL + short)
    weights_off = torch.where(alive, each_score + unit * logsumexp.abs(), torch.zeros_like(score))
    summed = unit * torch.sqrt(rows * (1.0 + heavy)) + short * (torch.sqrt(heavy) + 2.0)
    spread = 2.0 * out_length * longest_value * torch.sqrt(peak)  # at least the norm of the row of dS
    product_off = unit * math.sqrt(width)
    row_sum_off = out_length * longest_value * (product_off + short)  # of D, from a rounded O
    flow_off = spread * (each_score + product_off + summed) + row_sum_off

    # All columns share the norm of the whole of Q or dO: their own would cost as much as the identities.
    key_limit = CONFIDENCE * s * torch.linalg.vector_norm(query_length * flow_off, dim=-1, keepdim=True)
    value_limit = CONFIDENCE * torch.linalg.vector_norm(
        out_length * (weights_off + summed), dim=-1, keepdim=True
    )
    probes, images = _signed(key, signs), _signed(grad_key, signs)
    twist = _signed(query, signs).mT @ _signed(grad_query, signs) - images.mT @ probes
    twist_limit = (2.0 * key_limit * probes.abs().amax((-2, -1)).unsqueeze(-1)).unsqueeze(-1)
    twist_limit = twist_limit + 0.0 * twist_limit.sum(
        1, keepdim=True
    )  # one head's NaN may reach its neighbours' sums
    if dropped:
        value_sum = torch.zeros_like(value_limit)
    else:
        counted = grad_out if _surely_all(alive) else grad_out * alive.unsqueeze(-1)
        value_sum = _sums(grad_value) - _sums(counted)
    tiny = torch.finfo(wide).tiny * rows * width
    return BackwardCheck(
        (value_sum, value_limit + tiny), (_sums(grad_key), key_limit + tiny), (twist, twist_limit + tiny)
    )


def identity_ratios(
    grad_out: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    grads: tuple[Tensor, Tensor, Tensor],
    *,
    scale: float | None = None,
) -> tuple[float, float, float]:
    """Return how far off the identities are, the worst head and column of each, over what rounding seldom reaches.

    Where a column of dO, or of Q and the column half a width beside it, or a row of Q is next to nothing beside the
    head's others, the identities do not see every error: that gives infinity.

    The limits are some two times the largest residuals of correct kernels on normal, peaked, positive, scaled and
    shifted data of 16 to 1,024 rows and widths of 16 to 128. No proof holds them: a correct result may exceed one,
    which is to cost no more than its second execution. What is not finite gives NaN.

    Parameters
    ----------
    grad_out, query, key, value : (B, H, T, d) float32 or float64, rows whole in memory, no mask but a causal one.
    grads : of query, key and value.
    scale : s; 1/√d by default.
    """
    sums, found, longest = head_sums(query, key, value, grad_out, grads)
    if _blind(found, longest, query.shape[-2]):
        return math.inf, math.inf, math.inf
    s = abs(1.0 / math.sqrt(query.shape[-1]) if scale is None else scale)
    longest_query, longest_key, longest_value = (np.sqrt(longest[:, :, each, None]) for each in range(3))
    scores = s * longest_query * longest_key
    out, flow = np.sqrt(found[:, :, 0]), s * np.sqrt(found[:, :, 1]) * longest_value
    limits = np.empty_like(sums)
    limits[:, :, 0] = _VALUE_SUM[0] * (_VALUE_SUM[1] + scores) * out
    limits[:, :, 1] = _KEY_SUM[0] * (_KEY_SUM[1] + scores) * flow
    limits[:, :, 2:] = (_TURN * longest_key * flow)[:, :, None]
    limits *= _UNIT[query.dtype]
    with np.errstate(all="ignore"):
        ratios = np.abs(sums) / (limits + np.finfo(np.float32).tiny)
    ratios[~np.isfinite(limits)] = np.nan
    worst = ratios.max((0, 1, 3))  # NaN wins
    return float(worst[0]), float(worst[1]), float(np.maximum(worst[2], worst[3]))


def _blind(found: Any, longest: Any, rows: int) -> bool:
    """Say whether some error would be multiplied by next to nothing in every identity that it enters."""
    out, own = found[:, :, 0], found[:, :, 2]
    width = own.shape[-1]
    both = own + np.roll(own, width // 2, -1)
    lowest = _LEAST * np.stack([out.mean(-1), own.mean(-1), own.sum(-1) / rows])
    seen = np.stack([out.min(-1), both.min(-1), longest[:, :, 3]])
    return not bool((seen > lowest).all())


def _surely_all(truth: Tensor) -> bool:
    """Return whether all are true where that needs no waiting (on a CPU); False elsewhere."""
    return truth.device.type == "cpu" and bool(truth.all())


def _lengths(vectors: Tensor) -> Tensor:
    """Return the lengths of vectors (B, H, T, d), as (B, H, T)."""
    return torch.linalg.vector_norm(vectors, dim=-1)


def _as_rows(vectors: Tensor) -> Tensor | None:
    """Return (B, H, T, d) seen as (B, T, H d), None where memory does not hold it so."""
    batch, heads, rows, width = vectors.shape
    if vectors.stride(1) == width and vectors.stride(3) == 1:
        return vectors.transpose(1, 2).as_strided(
            (batch, rows, heads * width), (vectors.stride(0), vectors.stride(2), 1), vectors.storage_offset()
        )
    return None


def _sums(vectors: Tensor) -> Tensor:
    """Return the sums over T of (B, H, T, d), as (B, H, d)."""
    rows = _as_rows(vectors)
    if rows is None:
        return vectors.sum(-2)
    ones = rows.new_ones(1, rows.shape[1]).expand(rows.shape[0], -1, -1)
    return torch.bmm(ones, rows).view(vectors.shape[0], vectors.shape[1], vectors.shape[3])


def _signed(vectors: Tensor, signs: Tensor) -> Tensor:
    """Return (B, H, T, d) @ signs (d, 4), as (B, H, T, 4), without copying where heads lie side by side in memory."""
    rows = _as_rows(vectors)
    if rows is None:
        return vectors @ signs
    batch, heads, length, _ = vectors.shape
    spread = torch.block_diag(*[signs] * heads)
    return (rows @ spread).view(batch, length, heads, signs.shape[1]).transpose(1, 2)
