"""The protected forms of torch's matrix products: mm, addmm, bmm, baddbmm, mv, dot and the integer product.

Each takes the ledger, the operator and its arguments, and returns what the operator gives, under a check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.ledger import Ledger, same_bits
from skyhall.integrity.products import Residuals, exact_difference, residuals, worth_checking
from skyhall.integrity.rounding import accumulator
from skyhall.integrity.singular import owner_of

__all__ = ["LINEAR_OPERATORS", "twice"]

Handler = Callable[[Ledger, Any, tuple[Any, ...], dict[str, Any]], Any]

_aten = torch.ops.aten


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
    wide = accumulator(a.dtype)
    summand: dict[str, Any] = {"added": added, "alpha": alpha, "beta": beta}
    if owner_of(b) is None and added is None and _columns_are_better(a, b):
        a, b, c = b.t(), a.t(), c.t()
    columns = b.shape[-1]

    def sketch() -> tuple[Tensor, Tensor]:
        x = ledger.sketches.draw(columns, wide, b.device)
        weight = b.detach().to(wide)
        return x, (x.t() @ weight.t()).t() if weight.stride(0) == 1 else weight @ x

    known = ledger.singular.sums(b, sketch) if b.dim() == 2 else None
    if known is None:
        x = ledger.sketches.draw(columns, wide, b.device)
        return residuals(a, b, c, x, **summand)
    x, weight = known
    return residuals(a, b, c, x, weight=weight, largest=ledger.singular.bound(b, wide), **summand)


def _columns_are_better(a: Tensor, b: Tensor) -> bool:
    """Say whether to check columns: where `a` is a weight, or lies in memory by columns as in a weight's gradient."""
    if a.dim() != 2:
        return False
    return owner_of(a) is not None or (a.stride(0) == 1 and a.stride(1) > 1 and b.stride(-1) == 1)


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
