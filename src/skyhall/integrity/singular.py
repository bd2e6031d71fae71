"""Upper bounds of largest singular values, and checksums of weights, kept from one use to the next.

A power iteration gives lower bounds, and from an old singular vector stays blind to a direction orthogonal to it. An
upper bound needs vectors that the matrix cannot have been made for: for standard normal vectors z_1 ... z_r and any
matrix B, ‖B‖ ≤ α √(2/π) max ‖B z_i‖ but with a probability of α⁻ʳ, since |uᵀz| < √(π/2)/α for the best direction u has
a probability below 1/α in each. With B = W (Wᵀ W)ᵖ, whose norm is the power 2 p + 1 of W's, what α costs shrinks to the
root of that degree. We take r = 16 and α⁻ʳ = 10⁻¹⁵, and never more than the Frobenius norm, which is a bound without
chance. On random matrices it is about twice the largest singular value for p = 2, and 1.3 times for p = 6.

Source: N. Halko, P.-G. Martinsson, J. A. Tropp, SIAM Rev. 53 (2011) 217, lemma 4.1 (there with √(2/π) as here).
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

__all__ = ["SingularValues", "owner_of"]

_VECTORS = 16
_CHANCE = 1e-15
_POWERS = 2  # p
_SHARP_POWERS = 6  # for short formats, whose own rounding leaves no room to be coarse
_LASTING = 64  # updates for which a bound may be used that something else makes sure of
_STRETCH = _CHANCE ** (-1.0 / _VECTORS) * math.sqrt(2.0 / math.pi)
_SLACK = 1.01  # for the rounding of the norms and of the powers


@dataclass(slots=True)
class _Weight:
    """A bound kept twice: what flips in one shows beside the other."""

    owner: Any
    version: int
    bound: Tensor
    twin: Tensor
    updates: int = 0  # of the weight since
    size: float = math.nan  # of the weight then, by its Frobenius norm, where it was measured

    def agrees(self) -> bool:
        """Return whether both hold the same number; on an accelerator, where asking would wait, True."""
        if self.bound.device.type != "cpu":
            return True
        return bool(torch.equal(self.bound, self.twin)) or bool(self.bound.isnan() & self.twin.isnan())


def owner_of(matrix: Tensor) -> Any:
    """Return the parameter that a matrix is, or is the whole of as seen transposed; None for other tensors."""
    owner = matrix if matrix._base is None else matrix._base
    if isinstance(owner, Parameter) and owner.numel() == matrix.numel() and owner.dim() == matrix.dim() > 1:
        return owner
    return None


class SingularValues:
    """Upper bounds of the largest singular values of weights, and their checksums within a step.

    Parameters
    ----------
    seed : of the random vectors.
    doubted : called when a kept bound turns out to have changed; it is then computed again.
    """

    def __init__(self, seed: int = 0, doubted: Callable[[], None] | None = None) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._weights: dict[int, _Weight] = {}
        self._sums: dict[Any, tuple[int, Any, Tensor, Tensor]] = {}
        self._sizes: dict[int, tuple[int, float]] = {}
        self._doubted = doubted

    def measured(self, owner: Any, size: float) -> None:
        """Take a weight's Frobenius norm, as a pass over it gave it."""
        self._sizes[id(owner)] = (owner._version, size)

    def _shrunk(self, known: _Weight) -> float:
        """Return by how much a weight's norm fell since its bound was computed, at most 1."""
        now = _of_version(self._sizes.get(id(known.owner()), (-1, math.nan)), known.owner())
        return min(1.0, now / known.size) if known.updates and now < known.size else 1.0

    def bound(self, matrix: Tensor, wide: Any, *, lasting: bool = False) -> Tensor | None:
        """Return an upper bound (0-dim) of a weight's largest singular value, None where `matrix` is no weight.

        A convolution's weight (O, C, ...) is taken as the matrix of its O kernels. A `lasting` bound may be one from
        before the last 64 updates, less as the weight's Frobenius norm became less: a residual above its limit is to be
        held against a new one.
        """
        owner = owner_of(matrix)
        if owner is None:
            return None
        known = self._weights.get(id(owner))
        if known is not None and known.owner() is owner:
            known.updates += known.version != owner._version
            known.version = owner._version
            if known.updates and not (lasting and known.updates <= _LASTING):
                pass
            elif known.agrees():
                # Of two numbers that differ unseen, as on an accelerator, the lesser hides nothing: too low a bound
                # raises an alarm, after which it is computed anew. NaN gives way to the other.
                return torch.fmin(known.bound, known.twin) * self._shrunk(known)
            elif self._doubted is not None:
                self._doubted()
        rows = owner.detach().flatten(1)
        found = self.estimate(rows.to(wide), sharp=rows.dtype != wide)
        size = self._sizes.get(id(owner), (-1, math.nan))
        self._weights[id(owner)] = _Weight(
            weakref.ref(owner), owner._version, found, found.clone(), size=_of_version(size, owner)
        )
        return found.clone()

    def sums(
        self, matrix: Tensor, sketch: Any, kind: str = "sketch", owner: Any = None
    ) -> tuple[Tensor, Tensor] | None:
        """Return a weight's sketch and checksum, computed by `sketch()` on first use; None where it is no weight.

        Sketches of another `kind` are kept apart. The `owner` is told where a view does not know it.

        They are forgotten at the end of a step. Within it they watch the weight: a bit that flips after the first use
        and without torch's knowledge no longer agrees with them.
        """
        owner = owner_of(matrix) if owner is None else owner
        if owner is None:
            return None
        known = self._sums.get(_key(matrix, kind, owner))
        if known is None or known[0] != owner._version or known[1]() is not owner:
            known = self.keep(matrix, kind, owner, sketch())
        return known[2], known[3]

    def keep(
        self, matrix: Tensor, kind: str, owner: Any, found: tuple[Tensor, Tensor]
    ) -> tuple[int, Any, Tensor, Tensor]:
        """Keep a sketch and checksum for `sums`, as when one pass gave more than one."""
        self._sums[_key(matrix, kind, owner)] = kept = (owner._version, weakref.ref(owner), *found)
        return kept

    def known(self, matrix: Tensor) -> bool:
        """Say whether a weight's checksum is at hand."""
        owner = owner_of(matrix)
        if owner is None:
            return False
        known = self._sums.get(_key(matrix, "sketch", owner))
        return known is not None and known[0] == owner._version and known[1]() is owner

    def forget_sums(self) -> None:
        """Forget the checksums, as at the end of a step; the bounds of living weights stay."""
        self._sums.clear()
        self._sizes.clear()
        for number in [number for number, known in self._weights.items() if known.owner() is None]:
            del self._weights[number]

    def forget(self) -> None:
        """Forget bounds and checksums, as when they are in doubt."""
        self._sums.clear()
        self._weights.clear()

    def estimate(self, matrix: Tensor, *, sharp: bool = True) -> Tensor:
        """Return an upper bound (0-dim) of any matrix's largest singular value, by 16 new random vectors.

        The Frobenius norm is summed apart from it and is the bound where it is less, so that one wrong number in either
        raises the bound at most to the other. A `sharp` bound takes thirteen products with the matrix instead of five.
        """
        numbers = torch.finfo(matrix.dtype)
        norm = torch.linalg.vector_norm(torch.linalg.vector_norm(matrix, dim=1))
        unit = norm.clamp(min=numbers.tiny)  # powers of what is divided by it do not overflow
        vectors = torch.randn(matrix.shape[1], _VECTORS, generator=self._generator)
        image = (matrix @ vectors.to(dtype=matrix.dtype, device=matrix.device)) / unit
        powers = _SHARP_POWERS if sharp else _POWERS
        logarithm = torch.full_like(norm, math.log(_STRETCH))
        for _ in range(powers):
            image = (matrix @ ((matrix.mT @ image) / unit)) / unit
            size = image.abs().amax().clamp(min=numbers.tiny)  # nor do they vanish
            image = image / size
            logarithm = logarithm + size.log()
        longest = torch.linalg.vector_norm(image, dim=0).max().log() + logarithm
        by_vectors = unit * torch.exp(longest / (2 * powers + 1))
        # Squares below the least normal number are lost in a norm.
        return torch.fmin(norm, by_vectors) * _SLACK + math.sqrt(matrix.numel() * numbers.tiny)


def _of_version(size: tuple[int, float], owner: Any) -> float:
    """Return a measured size, NaN if it is not that of the weight as it is now."""
    return size[1] if size[0] == owner._version else math.nan


def _key(matrix: Tensor, kind: str, owner: Any) -> tuple[Any, ...]:
    return (id(owner), matrix.shape, matrix.stride(), matrix.data_ptr(), kind)
