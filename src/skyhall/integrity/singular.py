"""Largest singular values and checksums of weights, kept from one use to the next.

A weight changes little in a step, so that one power iteration from the last singular vector follows its largest
singular value; the first time takes a dozen. An iteration gives a lower bound, hence the margin.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

__all__ = ["SingularValues", "owner_of"]

_FIRST_ITERATIONS = 12
_LATER_ITERATIONS = 1
_ESTIMATE_ITERATIONS = 6
_MARGIN = 1.25


@dataclass(slots=True)
class _Weight:
    owner: Any
    vector: Tensor
    version: int = -1
    bound: Tensor | None = None


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
    seed : of the first vectors.
    """

    def __init__(self, seed: int = 0) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._weights: dict[int, _Weight] = {}
        self._sums: dict[Any, tuple[int, Any, Tensor, Tensor]] = {}

    def bound(self, matrix: Tensor, wide: Any) -> Tensor | None:
        """Return an upper bound (0-dim) of a weight's largest singular value, None where `matrix` is no weight.

        A convolution's weight (O, C, ...) is taken as the matrix of its O kernels.
        """
        owner = owner_of(matrix)
        if owner is None:
            return None
        known = self._weights.get(id(owner))
        rows = owner.detach().flatten(1)
        iterations = _LATER_ITERATIONS
        if known is None or known.owner() is not owner or known.vector.shape[0] != rows.shape[1]:
            known = self._weights[id(owner)] = _Weight(weakref.ref(owner), self._first_vector(rows, wide))
            iterations = _FIRST_ITERATIONS
        elif known.version == owner._version:
            return known.bound
        self._iterate(known, rows.to(wide), iterations)
        known.version = owner._version
        return known.bound

    def sums(self, matrix: Tensor, sketch: Any, kind: str = "sketch") -> tuple[Tensor, Tensor] | None:
        """Return a weight's sketch and checksum, computed by `sketch()` on first use; None where it is no weight.

        Sketches of another `kind` are kept apart.

        They are forgotten at the end of a step. Within it they watch the weight: a bit that flips after the first use
        and without torch's knowledge no longer agrees with them.
        """
        owner = owner_of(matrix)
        if owner is None:
            return None
        key = (id(owner), matrix.shape, matrix.stride(), matrix.data_ptr(), kind)
        known = self._sums.get(key)
        if known is None or known[0] != owner._version or known[1]() is not owner:
            known = self._sums[key] = (owner._version, weakref.ref(owner), *sketch())
        return known[2], known[3]

    def known(self, matrix: Tensor) -> bool:
        """Say whether a weight's checksum is at hand."""
        owner = owner_of(matrix)
        if owner is None:
            return False
        known = self._sums.get((id(owner), matrix.shape, matrix.stride(), matrix.data_ptr(), "sketch"))
        return known is not None and known[0] == owner._version and known[1]() is owner

    def forget_sums(self) -> None:
        """Forget the checksums, as at the end of a step; the singular vectors of living weights stay."""
        self._sums.clear()
        for number in [number for number, known in self._weights.items() if known.owner() is None]:
            del self._weights[number]

    def estimate(self, matrix: Tensor) -> Tensor:
        """Return an upper bound (0-dim) of any matrix's largest singular value, by iterations from a random vector."""
        known = _Weight(None, self._first_vector(matrix, matrix.dtype))
        self._iterate(known, matrix, _ESTIMATE_ITERATIONS)
        return known.bound

    def _first_vector(self, owner: Tensor, wide: Any) -> Tensor:
        return torch.randn(owner.shape[1], generator=self._generator).to(dtype=wide, device=owner.device)

    def _iterate(self, known: _Weight, matrix: Tensor, iterations: int) -> None:
        vector = known.vector
        for _ in range(iterations):
            image = matrix @ vector
            back = image @ matrix
            known.bound = torch.linalg.vector_norm(back) / torch.linalg.vector_norm(image) * _MARGIN
            vector = back / torch.linalg.vector_norm(back)
        # A weight of zeros has no direction: its bound is 0, and the next iteration begins anew.
        zero = ~matrix.any() if matrix.device.type != "cpu" or not bool(torch.isfinite(known.bound)) else None
        if zero is not None:
            known.bound = torch.where(zero, torch.zeros_like(known.bound), known.bound)
            vector = torch.where(torch.isfinite(vector).all(), vector, torch.ones_like(vector))
        known.vector = vector
