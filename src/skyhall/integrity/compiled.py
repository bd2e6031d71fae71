"""`protect(model)`: products and attention of a model as operators of ours, which torch.compile takes without a break.

While the model runs, calls of `linear`, `matmul`, `bmm`, convolutions and `scaled_dot_product_attention` are led to
custom operators; each runs torch's own kernels, forward and backward, under the checks of the dispatch mode. Everything
else is compiled as ever, and is not covered.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from skyhall.integrity.compiled_attention import attention
from skyhall.integrity.compiled_operators import convolution_operator, linear_operator, matmul_operator
from skyhall.integrity.guarded import GUARDS
from skyhall.integrity.protection import Protection
from skyhall.integrity.report import Report, Verdict

__all__ = ["ProtectedModel"]

_FACTORS = {"other", "mat2"}  # names that a product's second factor may be given by


class ProtectedModel(nn.Module):
    """A model whose products and attention are checked; parameters and buffers are those of the model inside.

    Parameters
    ----------
    model : to protect; it is not changed.
    guard : that counts and repairs.

    Attributes
    ----------
    guard : its `report` and `verdict`.
    """

    def __init__(self, model: nn.Module, guard: Protection) -> None:
        super().__init__()
        self.model = model
        self.guard = guard
        self._key = id(guard)
        guard.ledger.unseen = (
            "every operator outside products, convolutions and attention; count them with `with protect()`"
        )
        GUARDS[self._key] = guard

    @property
    def report(self) -> Report:
        """What was checked, detected and corrected so far."""
        return self.guard.report

    def verdict(self) -> Verdict:
        """Return the step's verdict, as `Protection.verdict`."""
        return self.guard.verdict()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the model under protection."""
        with _Led(self._key):
            return self.model(*args, **kwargs)


class _Led(TorchFunctionMode):
    """Leads the functions that have protected operators to them."""

    def __init__(self, key: int) -> None:
        super().__init__()
        self.key = key
        self._casts: dict[int, tuple[Tensor, Tensor]] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        protected = _protected(func)
        if protected is None or not _takes([*args, *named.values()]) or "out" in named:
            return func(*args, **named)
        cast = [self._cast(each) for each in args]
        return protected(self.key, func, *cast, **{name: self._cast(each) for name, each in named.items()})

    def _cast(self, value: Any) -> Any:
        """Return an argument in the format that autocast gives it, as part of the graph.

        Custom operators have no rule of their own there. A parameter is cast once, as autocast does, so that gradients
        of a tied one are added in the same format.
        """
        if not isinstance(value, Tensor) or not value.is_floating_point() or value.dtype == torch.float64:
            return value
        kind = value.device.type
        if not torch.is_autocast_enabled(kind):
            return value
        wanted = torch.get_autocast_dtype(kind)
        if value.dtype == wanted:
            return value
        if not (value.is_leaf and value.requires_grad) or torch.compiler.is_compiling():
            return value.to(wanted)
        if id(value) not in self._casts:
            self._casts[id(value)] = (value, value.to(wanted))
        return self._casts[id(value)][1]


def _protected(func: Any) -> Any:
    """Return the protected form of a function, None where there is none."""
    if func is functional.linear:
        return _linear
    if func is functional.scaled_dot_product_attention:
        return _attention
    if func in (torch.matmul, torch.bmm, torch.mm, Tensor.matmul, Tensor.__matmul__, Tensor.bmm, Tensor.mm):
        return _matmul
    if func in (functional.conv1d, functional.conv2d, functional.conv3d):
        return _convolution
    return None


def _takes(values: list[Any]) -> bool:
    """Say whether the operators of ours take these: dense and real, as their backward passes are written for."""
    return not any(
        isinstance(each, Tensor) and (each.is_complex() or each.layout != torch.strided) for each in values
    )


def _attention(key: int, func: Any, *args: Any, **named: Any) -> Any:
    return attention(key, *args, **named)


def _linear(key: int, func: Any, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:  # noqa: A002
    if weight.dim() != 2:
        return func(input, weight, bias)
    return linear_operator(input, weight, bias, key)


def _matmul(key: int, func: Any, *args: Any, **named: Any) -> Any:
    pair = [*args, *named.values()]
    axes = {torch.mm: 2, Tensor.mm: 2, torch.bmm: 3, Tensor.bmm: 3}.get(func)
    odd = len(pair) != 2 or not all(isinstance(each, Tensor) for each in pair) or not named.keys() <= _FACTORS
    if odd or any(each.dim() < 2 or (axes is not None and each.dim() != axes) for each in pair):
        return func(*args, **named)
    return matmul_operator(*pair, key)


def _convolution(
    key: int,
    func: Any,
    input: Tensor,  # noqa: A002
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    sizes = weight.dim() - 2
    if isinstance(padding, str) or input.dim() != weight.dim():
        return func(input, weight, bias, stride, padding, dilation, groups)
    spread = [[each] * sizes if isinstance(each, int) else list(each) for each in (stride, padding, dilation)]
    return convolution_operator(input, weight, bias, *spread, groups, key)
