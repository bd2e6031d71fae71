"""The protected forms of torch's matrix products: mm, addmm, bmm, baddbmm, mv, dot and the integer product.

Each takes the ledger, the operator and its arguments, and returns what the operator gives, under a check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.ledger import Ledger, same_bits
from skyhall.integrity.products import (
    Residuals,
    exact_difference,
    residuals,
    row_norms,
    times,
    worth_checking,
)
from skyhall.integrity.rounding import accumulator
from skyhall.integrity.singular import owner_of
from skyhall.integrity.sketches import BUCKETS

__all__ = ["LINEAR_OPERATORS", "twice"]

Handler = Callable[[Ledger, Any, tuple[Any, ...], dict[str, Any]], Any]

_aten = torch.ops.aten
_FEW = 8  # columns of a sketch in training


def twice(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], target: str) -> Any:
    """Return what an operator that changes none of its inputs gives, run twice and compared bit by bit."""

    def kernel() -> Any:
        return func(*args, **kwargs)

    def differs(result: Any) -> tuple[Tensor, None]:
        other = kernel()
        pairs = [(result, other)] if isinstance(result, Tensor) else zip(result, other, strict=True)
        same = [same_bits(one, two) for one, two in pairs if isinstance(one, Tensor)]
        return ~torch.stack(same).all(), None

    return ledger.run(str(func), target, kernel, differs)


def _product(
    ledger: Ledger,
    func: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    a: Tensor,
    b: Tensor,
    added: Tensor | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Any:
    """Check beta · added + alpha · a @ b (matrices, or batches of them) from the side that is cheaper and sharper."""
    rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
    flops = 2 * rows * inner * columns * (a.shape[0] if a.dim() == 3 else 1)
    if not flops:
        return func(*args, **kwargs)
    if a.is_floating_point() and not worth_checking(rows, inner, columns, ledger.singular.known(b)):
        return twice(ledger, func, args, kwargs, "product")

    def kernel() -> Any:
        return func(*args, **kwargs)

    def inspect(c: Tensor) -> tuple[Tensor, Tensor | None]:
        if not a.is_floating_point():
            x = ledger.sketches.draw(columns, c.dtype, c.device)
            return (exact_difference(a, b, c, x) != 0).any(), None
        return _residuals(ledger, a, b, c, added, alpha, beta).verdict()

    return ledger.run(str(func), "product", kernel, inspect, flops)


def _residuals(
    ledger: Ledger, a: Tensor, b: Tensor, c: Tensor, added: Tensor | None, alpha: float, beta: float
) -> Residuals:
    """Check a product by columns in training, where that costs half; by rows where nothing goes back.

    By rows, the largest singular value of a weight sets the limit, a tenth of what its norm would; by columns, the norm
    of the activations, which is free.
    """
    wide = accumulator(a.dtype)
    summand: dict[str, Any] = {"added": added, "alpha": alpha, "beta": beta}
    # In short formats the result's own rounding swamps what norms allow: they need the sharper limit.
    training = a.dtype in (torch.float32, torch.float64) and (
        torch.is_grad_enabled() or torch._C._current_autograd_node() is not None
    )
    if training and a.dim() == 2 and owner_of(b) is not None and (added is None or added.dim() == 1):
        return _by_columns(ledger, a, b, c, summand, wide)
    if a.dim() == 2 and added is None and a.stride(0) == 1 and a.stride(1) > 1 and b.stride(-1) == 1:
        if training and a.shape[0] > 1:
            return _of_a_weight(ledger, a, b, c, alpha, wide)
        a, b, c = b.t(), a.t(), c.t()
    columns = b.shape[-1]

    def sketch() -> tuple[Tensor, Tensor]:
        x = ledger.sketches.draw(columns, wide, b.device)
        return x, times(b.detach().to(wide), x)

    known = ledger.singular.sums(b, sketch) if b.dim() == 2 else None
    if known is None:
        x = ledger.sketches.draw(columns, wide, b.device)
        return residuals(a, b, c, x, **summand)
    x, weight = known
    return residuals(a, b, c, x, weight=weight, largest=ledger.singular.bound(b, wide), **summand)


def _by_columns(
    ledger: Ledger, a: Tensor, b: Tensor, c: Tensor, summand: dict[str, Any], wide: Any
) -> Residuals:
    """Check activations (M, K) × weight (K, N) through eight random sums of rows."""
    kept, ledger.gradient_sums = ledger.gradient_sums, None
    if kept is not None and kept[0].data_ptr() == a.data_ptr() and kept[0].shape == a.shape:
        _, y, sums = kept
    else:
        y = ledger.sketches.draw(a.shape[0], wide, a.device, _FEW)
        sums = times(a.t().to(wide), y)
    if summand["added"] is not None and summand["added"].shape[0] == b.shape[1]:
        summand = {**summand, "added": summand["added"].detach().unsqueeze(-1)}
    norms = ledger.singular.column_norms(b, lambda rows: row_norms(rows.to(wide)))
    return residuals(b.detach().t(), a.t(), c.t(), y, weight=sums, norms=norms, **summand)


def _of_a_weight(ledger: Ledger, a: Tensor, b: Tensor, c: Tensor, alpha: float, wide: Any) -> Residuals:
    """Check a weight's gradient C (N, K) = Gᵀ X, with G (T, N) and X (T, K) whole in memory.

    The larger of the two is passed over once: with w = X x for the check, and with a sketch y of its rows, whose sums
    estimate the norms of its columns and serve the next product, G × weight.
    """
    if a.shape[0] < b.shape[1]:
        a, b, c = b.t(), a.t(), c.t()
    x = ledger.sketches.draw(b.shape[1], wide, b.device, _FEW)
    w = times(b.to(wide), x)
    y = ledger.sketches.draw(a.shape[1], wide, a.device, _FEW)
    a = a.to(wide)
    both = times(a, torch.cat([w, y], 1))
    expected, sums = both[:, :_FEW], both[:, _FEW:]
    ledger.gradient_sums = (a.t(), y, sums.contiguous())
    energy = sums.square().mean(1) * BUCKETS
    # Fourfold a column's energy, and a quarter of the mean of all: eight sums of one column may be small by chance.
    norms = (4.0 * energy + 0.25 * energy.mean()).sqrt()
    return residuals(a, b, c, x, weight=w, norms=norms, alpha=alpha, expected=expected)


def _mm(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _product(ledger, func, args, kwargs, args[0], args[1])


def _addmm(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    added, a, b = args[:3]
    return _product(
        ledger, func, args, kwargs, a, b, added, float(kwargs.get("alpha", 1)), float(kwargs.get("beta", 1))
    )


def _mv(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return twice(ledger, func, args, kwargs, "product")


LINEAR_OPERATORS: dict[Any, Handler] = {
    _aten.mm.default: _mm,
    _aten.bmm.default: _mm,
    _aten._int_mm.default: _mm,
    _aten.addmm.default: _addmm,
    _aten.baddbmm.default: _addmm,
    _aten.mv.default: _mv,
    _aten.addmv.default: _mv,
    _aten.dot.default: _mv,
    _aten.vdot.default: _mv,
}
