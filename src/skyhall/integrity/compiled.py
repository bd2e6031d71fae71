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

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if func is functional.linear:
            return _linear(self.key, *args, **named)
        if func is functional.scaled_dot_product_attention:
            return attention(self.key, *args, **named)
        if func in (
            torch.matmul,
            torch.bmm,
            torch.mm,
            Tensor.matmul,
            Tensor.__matmul__,
            Tensor.bmm,
            Tensor.mm,
        ):
            return _matmul(self.key, *args, **named)
        if func in (functional.conv1d, functional.conv2d, functional.conv3d):
            return _convolution(self.key, func, *args, **named)
        return func(*args, **named)


def _linear(key: int, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:  # noqa: A002
    return linear_operator(input, weight, bias, key)


def _matmul(key: int, input: Tensor, other: Tensor) -> Any:  # noqa: A002
    if input.dim() < 2 or other.dim() < 2:
        return torch.matmul(input, other)
    return matmul_operator(input, other, key)


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
