"""How far a checksum may be off by rounding alone: the threshold of a checked product.

For C = A B, rows a_i of A, and one column x of the sketch, the residual is r_i = (C x)_i - (A (B x))_i. With exact
arithmetic it is 0. Every rounding error is of one of four kinds; u is the unit roundoff of the format that the kernel
accumulates in, K the inner length, n the number of columns in the bucket, S the largest singular value of B's bucket.

1. The product. An inner product is a tree of additions; each node's value s is rounded once, by at most u|s|. Whatever
   the order of summation, the nodes of one level are sums over disjoint sets, and there are at most K levels, so by
   Cauchy-Schwarz sum_nodes sum_j s² ≤ K ‖a_i‖² S². A rounding error spread evenly over its interval has a variance of
   u²s²/3. The signs x_j are independent of the kernel, so that the errors δ_ij add up as sum_j x_j δ_ij, whose variance
   is sum_j δ_ij² even where the δ_ij are all of one sign: (u²/3) K ‖a_i‖² S².
2. A (B x): its prefix sums are sum_j x_j s_ij, so the same again: (u²/3) K ‖a_i‖² S².
3. C x and B x: prefix sums over random signs, at most ‖c_i‖ ≤ ‖a_i‖ S and ‖b_k‖ ≤ S: 2 (u²/3) n ‖a_i‖² S².
4. The result's own rounding, with v the roundoff of its format (bf16, fp16): (v²/3) ‖a_i‖² S²; and of the inputs to
   a shorter format inside the kernel (TF32), twice.

The limit is λ standard deviations plus what underflow may lose. For signs x that the kernel does not know,
Hoeffding's bound for such sums is P(|sum x_j δ_j| > λ‖δ‖) ≤ 2 exp(-λ²/2): 2.5e-14 at λ = 8 for one residual, so that
10⁶ products with 10⁴ residuals each raise an alarm by chance with a probability of 3e-4, were every bound tight.

Every term comes from A and B: an error in C, however large, cannot raise its own limit.

Sources: N. J. Higham, T. Mary, SIAM J. Sci. Comput. 41 (2019) A2815 (probabilistic rounding error analysis; the tree
and the use of S instead of ‖B‖_F are ours); W. Hoeffding, J. Am. Stat. Assoc. 58 (1963) 13, theorem 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

__all__ = ["CONFIDENCE", "Rounding", "accumulator", "rounding_of"]

CONFIDENCE = 8.0  # λ: standard deviations of rounding that are let pass

_BITS = {
    torch.float64: 53,
    torch.float32: 24,
    torch.float16: 11,
    torch.bfloat16: 8,
}  # of the significand, IEEE 754
# Bits that float32 products may keep of their inputs at torch's setting: TensorFloat-32 and bfloat16.
_KEPT_BITS = {"high": 11, "medium": 8}
_SPLITS = 8  # partial results that a GPU kernel may round to the short format before it adds them


@dataclass(frozen=True, slots=True)
class Rounding:
    """Rounding of one kernel: what it accumulates in, keeps of its inputs, and gives out.

    Parameters
    ----------
    unit : roundoff of the accumulator, u.
    result : standard deviation of the roundings of result and inputs, relative to ‖a_i‖ S.
    smallest : least positive number of the result's format; what is below may be lost.
    largest : greatest finite number of the result's format.
    tiny : least normal number of the accumulator: below its root, squares vanish in a norm.
    """

    unit: float
    result: float
    smallest: float
    largest: float
    tiny: float

    def factor(self, inner: int, summed: int) -> float:
        """Return the limit over ‖a_i‖ S for inner length `inner` and `summed` columns in a bucket."""
        accumulated = self.unit * math.sqrt(2.0 * (inner + summed) / 3.0)
        return CONFIDENCE * math.hypot(accumulated, self.result)

    def floor(self, inner: int, summed: int) -> float:
        """Return what underflow may lose in one residual, whatever the data's scale."""
        return 4.0 * inner * summed * self.tiny + summed * self.smallest


def accumulator(dtype: Any) -> Any:
    """Return the format in which checksums of tensors of `dtype` are computed."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def rounding_of(dtype: Any, device: Any, result: Any = None, *, convolution: bool = False) -> Rounding:
    """Return the rounding of torch's product kernels for inputs of `dtype` on `device`.

    Parameters
    ----------
    dtype : of the factors: float64, float32, float16 or bfloat16.
    device : where they are; GPUs may round inputs to TF32 and partial sums to the short format, as torch is set.
    result : dtype of the product, the factors' by default.
    convolution : whether it is one; cuDNN has a setting of its own for TF32.
    """
    wide = accumulator(dtype)
    kept = result or dtype
    out = 2.0 ** -_BITS[kept] if kept != wide else 0.0
    variance = out**2 / 3.0
    if device.type == "cuda" and out:
        variance *= 1 + _SPLITS
    variance += 2.0 * _shortened_inputs(dtype, device, convolution) ** 2 / 3.0
    numbers, wide_numbers = torch.finfo(kept), torch.finfo(wide)
    return Rounding(
        2.0 ** -_BITS[wide], math.sqrt(variance), numbers.smallest_normal, numbers.max, wide_numbers.tiny
    )


def _shortened_inputs(dtype: Any, device: Any, convolution: bool) -> float:
    """Return the roundoff of inputs that the kernel shortens, 0 where it does not."""
    if dtype != torch.float32:
        return 0.0
    if convolution and device.type == "cuda" and torch.backends.cudnn.allow_tf32:
        return 2.0 ** -_KEPT_BITS["high"]
    asked = torch.get_float32_matmul_precision()
    return 2.0 ** -_KEPT_BITS[asked] if asked in _KEPT_BITS else 0.0
