"""The protected forms of torch's matrix products: mm, addmm, bmm, baddbmm, mv, dot and the integer product.

Each takes the ledger, the operator and its arguments, and returns what the operator gives, under a check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.executions import plain, twice
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.products import (
    NO,
    Residuals,
    exact_difference,
    residuals,
    times,
    worth_checking,
)
from skyhall.integrity.rounding import accumulator
from skyhall.integrity.singular import owner_of
from skyhall.integrity.weight_products import is_gradient, weight_gradient, with_weight

__all__ = ["LINEAR_OPERATORS", "short_on_a_cpu"]

Handler = Callable[[Ledger, Any, tuple[Any, ...], dict[str, Any]], Any]

_aten = torch.ops.aten
_SHORT = (torch.float16, torch.bfloat16)


def short_on_a_cpu(factor: Tensor) -> bool:
    """Say whether a product in this format is run twice instead of being checked by sums.

    A short format's own rounding hides errors larger than the result from a sum over it; they show where a kernel gives
    the same bits each time, as on a CPU.
    """
    return factor.dtype in _SHORT and factor.device.type == "cpu"


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
    if not plain((a, b)):
        result = func(*args, **kwargs)
        ledger.uncovered(func._opname, result, flops)
        return result
    if (
        a.is_complex()
        or short_on_a_cpu(a)
        or (a.is_floating_point() and not worth_checking(rows, inner, columns, ledger.singular.known(b)))
    ):
        return twice(ledger, func, args, kwargs, "product", flops)

    def kernel() -> Any:
        return func(*args, **kwargs)

    def inspect(c: Tensor) -> tuple[Tensor, Tensor | None]:
        if not a.is_floating_point():
            x = ledger.sketches.draw(columns, c.dtype, c.device)
            return (exact_difference(a, b, c, x) != 0).any(), None
        found = _residuals(ledger, str(func), a, b, c, added, alpha, beta)
        return (NO, NO) if found is None else found.verdict()

    return ledger.run(str(func), "product", kernel, inspect, flops)


def _residuals(
    ledger: Ledger,
    name: str,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    added: Tensor | None,
    alpha: float,
    beta: float,
) -> Residuals | None:
    """Check a product with one weighted vector in training, with sixteen sketched columns where nothing goes back.

    None says that all is surely right.
    """
    wide = accumulator(a.dtype)
    summand: dict[str, Any] = {"added": added, "alpha": alpha, "beta": beta}
    by_columns = is_gradient(a, b) and added is None
    # In short formats the result's own rounding leaves no room to be coarse.
    if a.dim() == 2 and a.dtype == wide and _in_training():
        if owner_of(b) is not None:
            return with_weight(ledger, name, a, b, c, summand)
        if by_columns:
            return weight_gradient(ledger, name, a, b, c, alpha)
    if by_columns and owner_of(b) is None:
        a, b, c = b.t(), a.t(), c.t()

    def sketch() -> tuple[Tensor, Tensor]:
        x = ledger.sketches.draw(b.shape[-1], wide, b.device)
        return x, times(b.detach().to(wide), x)

    known = ledger.singular.sums(b, sketch) if b.dim() == 2 else None
    if known is None:
        x = ledger.sketches.draw(b.shape[-1], wide, b.device)
        # A cast weight, as under autocast: its norm alone would leave the check of a short format blunt.
        sharp = a.dtype != wide and b.dim() == 2 and b.numel() <= a.numel()
        largest = ledger.singular.estimate(b.to(wide)) if sharp else None
        return residuals(a, b, c, x, largest=largest, **summand)
    x, weight = known
    return residuals(a, b, c, x, weight=weight, largest=ledger.singular.bound(b, wide), **summand)


def _in_training() -> bool:
    return bool(torch.is_grad_enabled()) or torch._C._current_autograd_node() is not None


def _mm(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _product(ledger, func, args, kwargs, args[0], args[1])


def _addmm(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    added, a, b = args[:3]
    if not a.is_floating_point():  # complex factors, and integers with a summand
        return twice(ledger, func, args, kwargs, "product")
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
