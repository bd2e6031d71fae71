"""Checked products with a weight in training: Y = X B, and from dY the gradients dX = dY Bᵀ and dB = Xᵀ dY.

Each is checked through one weighted vector. On a CPU, in a step's guard, X is read once, forward, and dY once, for
whichever gradient comes first: the pass over X takes X w for Y's check and X z for dB's, the pass over dY takes dY w'
for dX's and (X z)ᵀ dY for dB's. What the forward pass noted also shows if X changed in memory before its gradient was
computed: then the noted check fails, and one made on the spot does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from skyhall.integrity.passes import backward_rows, can_pass, forward_rows, row_products
from skyhall.integrity.products import Residuals
from skyhall.integrity.rounding import rounding_of
from skyhall.integrity.singular import owner_of
from skyhall.integrity.vectors import differences, mv_and_norms, surely_right, vector_limits

if TYPE_CHECKING:
    from skyhall.integrity.ledger import Ledger

__all__ = ["Notes", "autograd_keeps", "is_gradient", "weight_gradient", "with_weight"]


@dataclass(frozen=True, slots=True, eq=False)
class _Forward:
    """What the pass over X left for its gradient: z and X z, beside X and B themselves."""

    source: Tensor
    version: int
    weight: Tensor
    owner: Any
    z: Tensor
    ahead: Tensor
    size: Tensor

    def is_of(self, matrix: Tensor) -> bool:
        return self.version == matrix._version and _same_memory(self.source, matrix)


@dataclass(frozen=True, slots=True, eq=False)
class _Backward:
    """What the pass over dY gave."""

    forward: _Forward
    grad: Tensor
    version: int
    x: Tensor
    weight: Tensor
    right: Tensor
    norms: Tensor
    below: Tensor
    columns: Tensor

    def is_of(self, matrix: Tensor, forward: _Forward) -> bool:
        return self.forward is forward and _same_memory(self.grad, matrix) and self.version == matrix._version


@dataclass(slots=True)
class Notes:
    """Passes of this step that a later product of it needs; the tensors are kept, as autograd keeps them."""

    forward: list[_Forward] = field(default_factory=list)
    backward: _Backward | None = None

    def clear(self) -> None:
        """Forget all, as at a verdict, or when numbers of checks are in doubt."""
        self.forward.clear()
        self.backward = None


def is_gradient(a: Tensor, b: Tensor) -> bool:
    """Say whether a @ b is the product of two matrices along their first axes, Pᵀ R, as a weight's gradient is."""
    return a.dim() == 2 and a.stride(0) == 1 and a.stride(1) > 1 and b.stride(-1) == 1


def with_weight(
    ledger: Ledger, name: str, a: Tensor, b: Tensor, c: Tensor, summand: dict[str, Any]
) -> Residuals | None:
    """Check activations or their gradient (M, K) × weight (K, N) by rows; None if all is surely right."""
    noted = None
    if ledger.settles and can_pass(a, c) and summand["alpha"] == 1.0:
        if autograd_keeps() and owner_of(b).requires_grad:
            return _forward(ledger, a, b, c, summand)
        noted = _noted_gradient(ledger, a, b)
    if noted is None or summand["added"] is not None:
        return _on_the_spot(ledger, a, b, c, summand)
    value = torch.mv(c, noted.x) - noted.right
    found = _judged(ledger, a, b, c, noted.x, value, noted.norms, summand)
    if found is None or found.surely_right():
        return None
    fresh = _on_the_spot(ledger, a, b, c, summand)
    if found.is_wrong() and not (fresh is not None and fresh.is_wrong()):
        _tell(ledger, f"gradient into {name}", noted.grad, noted.weight, noted.right)
    return fresh


def weight_gradient(
    ledger: Ledger, name: str, a: Tensor, b: Tensor, c: Tensor, alpha: float
) -> Residuals | None:
    """Check a weight's gradient c = a @ b = Pᵀ R with P and R whole in memory; None if all is surely right."""
    noted = _noted_product(ledger, a.t(), b, alpha)
    if noted is None:
        return _through_the_larger(ledger, a, b, c, alpha)
    forward = noted.forward
    # (N, K) as for torch's linear layers, or (K, N): z is as long as the rows of X.
    across = c if _same_memory(a, noted.grad.t()) else c.t()
    value = torch.mv(across, forward.z) - noted.below
    found = vector_limits(noted.grad.t(), across, forward.z, forward.size, value, noted.columns)
    if found.surely_right():
        ledger.notes.forward = [each for each in ledger.notes.forward if each is not forward]
        return None
    fresh = _through_the_larger(ledger, a, b, c, alpha)
    if found.is_wrong() and not fresh.is_wrong():
        _tell(ledger, f"input of {name}", forward.source, forward.z, forward.ahead)
    return fresh


def _tell(ledger: Ledger, where: str, matrix: Tensor, vector: Tensor, noted: Tensor) -> None:
    """Raise an alarm if a matrix no longer gives what was noted of it; else the noted check alone had doubted."""
    again, norms = row_products(matrix, vector)
    rounding = rounding_of(matrix.dtype, matrix.device)
    limit = norms * (torch.linalg.vector_norm(vector) * 2.0 * rounding.factor(matrix.shape[1], 1))
    if bool((((again - noted).abs() <= limit) & limit.isfinite()).all()):
        ledger.confirm()
    else:
        ledger.alarm("activation", where, "open")


def autograd_keeps() -> bool:
    """Say whether autograd keeps what a kernel reads until its backward pass: no checkpointing or offloading is on."""
    return torch.is_grad_enabled() and torch._C._autograd._top_saved_tensors_default_hooks(False) is None


def _forward(ledger: Ledger, a: Tensor, b: Tensor, c: Tensor, summand: dict[str, Any]) -> Residuals | None:
    """Check Y = X B, and note what its gradient will need."""
    x, w = _sums(ledger, b)
    z = ledger.sketches.weights(a.shape[1], a.dtype, a.device)
    right, norms, ahead = forward_rows(a, w, z)
    value = torch.mv(c, x) - right
    size = torch.linalg.vector_norm(norms)
    ledger.notes.forward.append(_Forward(a.detach(), a._version, b.detach(), owner_of(b), z, ahead, size))
    return _judged(ledger, a, b, c, x, value, norms, summand)


def _noted_gradient(ledger: Ledger, grad: Tensor, b: Tensor) -> _Backward | None:
    """Return the pass over dY, for dX = dY Bᵀ; None where no forward pass with this weight was noted."""
    last = ledger.notes.backward
    for forward in (*([] if last is None else [last.forward]), *reversed(ledger.notes.forward)):
        if _same_memory(forward.weight.t(), b) and forward.source.shape[0] == grad.shape[0]:
            return _pass(ledger, grad, forward)
    return None


def _noted_product(ledger: Ledger, first: Tensor, second: Tensor, alpha: float) -> _Backward | None:
    """Return the pass over dY, for dB of X and dY in either order; None where X was not noted."""
    if alpha != 1.0 or not can_pass(first, second):
        return None
    for forward in reversed(ledger.notes.forward):
        for source, grad in ((first, second), (second, first)):
            if forward.is_of(source) and forward.weight.shape[1] == grad.shape[1]:
                return _pass(ledger, grad, forward)
    return None


def _pass(ledger: Ledger, grad: Tensor, forward: _Forward) -> _Backward:
    known = ledger.notes.backward
    if known is not None and known.is_of(grad, forward):
        return known
    x, w = _sums(ledger, forward.weight.t(), forward.owner)
    found = backward_rows(grad, w, forward.ahead)
    ledger.notes.backward = _Backward(forward, grad.detach(), grad._version, x, w, *found)
    return ledger.notes.backward


def _on_the_spot(
    ledger: Ledger, a: Tensor, b: Tensor, c: Tensor, summand: dict[str, Any]
) -> Residuals | None:
    x, w = _sums(ledger, b)
    value, norms = differences(a, w, c, x, summand["alpha"])
    return _judged(ledger, a, b, c, x, value, norms, summand)


def _sums(ledger: Ledger, b: Tensor, owner: Any = None) -> tuple[Tensor, Tensor]:
    """Return a vector for the columns of a weight, and the weight times it, the same for the whole step.

    In a step's guard on a CPU, the same read of the weight serves its transpose, which the backward pass asks of.
    """
    owner = owner_of(b) if owner is None else owner

    def sketch() -> tuple[Tensor, Tensor]:
        x = ledger.sketches.weights(b.shape[1], b.dtype, b.device)
        if not ledger.settles or not (can_pass(b) or can_pass(b.t())):
            return x, torch.mv(b.detach(), x)
        y = ledger.sketches.weights(b.shape[0], b.dtype, b.device)
        if can_pass(b):
            own, norms, other, _ = backward_rows(b, x, y)
        else:
            other, norms, own, _ = backward_rows(b.t(), y, x)
        ledger.singular.measured(owner, float(torch.linalg.vector_norm(norms)))
        ledger.singular.keep(b.t(), "vector", owner, (y, other))
        return x, own

    known = ledger.singular.sums(b, sketch, "vector", owner)
    if known is None:
        raise AssertionError("asked of what is no weight")
    return known


def _judged(
    ledger: Ledger,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    x: Tensor,
    value: Tensor,
    norms: Tensor,
    summand: dict[str, Any],
) -> Residuals | None:
    """Return differences beside their limits; None if they are within those that an old bound of the weight gives."""
    ledger.watch((id(owner_of(b)), a.shape), f"{a.shape[1]} × {b.shape[1]}", norms)
    added = summand["added"]
    if can_pass(a, c) and summand["alpha"] == summand["beta"] == 1.0 and (added is None or added.dim() == 1):
        lasting = ledger.singular.bound(b, b.dtype, lasting=True)
        if surely_right(a, c, x, _known(lasting), value, norms, added):
            return None
    return vector_limits(a, c, x, _known(ledger.singular.bound(b, b.dtype)), value, norms, **summand)


def _known(bound: Tensor | None) -> Tensor:
    if bound is None:
        raise AssertionError("asked of what is no weight")
    return bound


def _through_the_larger(ledger: Ledger, a: Tensor, b: Tensor, c: Tensor, alpha: float) -> Residuals:
    """Check Pᵀ R through a vector as long as the larger of the two is wide.

    Its norm sets the limit: to know its largest singular value would take more passes than the check has.
    """
    if a.shape[0] >= b.shape[1]:
        a, b, c = b.t(), a.t(), c.t()
    x = ledger.sketches.weights(b.shape[1], b.dtype, b.device)
    w, norms = mv_and_norms(b, x)
    value, rows = differences(a, w, c, x, alpha)
    return vector_limits(a, c, x, torch.linalg.vector_norm(norms), value, rows, alpha=alpha)


def _same_memory(one: Tensor, other: Tensor) -> bool:
    return (one.data_ptr(), one.shape, one.stride()) == (other.data_ptr(), other.shape, other.stride())
