"""Custom operators for linear layers, products and convolutions: torch's kernels under a guard, both ways."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from skyhall.integrity.guarded import under

__all__ = ["convolution_operator", "linear_operator", "matmul_operator"]


@torch.library.custom_op("skyhall::linear", mutates_args=())
def linear_operator(source: Tensor, weight: Tensor, bias: Tensor | None, key: int) -> Tensor:
    """Return `functional.linear` under the guard of this number."""
    return under(key, lambda: functional.linear(source, weight, bias))


@linear_operator.register_fake
def _(source: Tensor, weight: Tensor, bias: Tensor | None, key: int) -> Tensor:
    return source.new_empty(*source.shape[:-1], weight.shape[0])


@torch.library.custom_op("skyhall::linear_backward", mutates_args=())
def linear_backward(grad: Tensor, source: Tensor, weight: Tensor, key: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of source, weight and bias."""
    rows = grad.reshape(-1, grad.shape[-1])
    flat = source.reshape(-1, source.shape[-1])

    def both() -> tuple[Tensor, Tensor, Tensor]:
        return (rows @ weight).view(source.shape), rows.t() @ flat, rows.sum(0)

    return under(key, both)


@linear_backward.register_fake
def _(grad: Tensor, source: Tensor, weight: Tensor, key: int) -> tuple[Tensor, Tensor, Tensor]:
    return (
        source.new_empty(source.shape),
        weight.new_empty(weight.shape),
        weight.new_empty(weight.shape[0]),
    )


def _keep_linear(ctx: Any, inputs: Any, output: Any) -> None:
    source, weight, bias, ctx.key = inputs
    ctx.biased = bias is not None
    ctx.save_for_backward(source, weight)


def _back_linear(ctx: Any, grad: Tensor) -> Any:
    source, weight = ctx.saved_tensors
    if (
        torch.is_grad_enabled()
    ):  # a graph of the gradients is wanted: products that have a backward pass themselves
        rows, flat = grad.reshape(-1, grad.shape[-1]), source.reshape(-1, source.shape[-1])
        first = matmul_operator(rows, weight, ctx.key).view(source.shape)
        return first, matmul_operator(rows.t(), flat, ctx.key), rows.sum(0) if ctx.biased else None, None
    grad_source, grad_weight, grad_bias = linear_backward(grad, source, weight, ctx.key)
    return grad_source, grad_weight, grad_bias if ctx.biased else None, None


linear_operator.register_autograd(_back_linear, setup_context=_keep_linear)


@torch.library.custom_op("skyhall::matmul", mutates_args=())
def matmul_operator(one: Tensor, other: Tensor, key: int) -> Tensor:
    """Return `torch.matmul` of tensors of two or more axes under the guard of this number."""
    return under(key, lambda: torch.matmul(one, other)).contiguous()


@matmul_operator.register_fake
def _(one: Tensor, other: Tensor, key: int) -> Tensor:
    batch = torch.broadcast_shapes(one.shape[:-2], other.shape[:-2])
    return one.new_empty(*batch, one.shape[-2], other.shape[-1])


def _keep_matmul(ctx: Any, inputs: Any, output: Any) -> None:
    one, other, ctx.key = inputs
    ctx.save_for_backward(one, other)


def _back_matmul(ctx: Any, grad: Tensor) -> Any:
    one, other = ctx.saved_tensors
    first = _summed_to(matmul_operator(grad, other.mT, ctx.key), one)
    second = _summed_to(matmul_operator(one.mT, grad, ctx.key), other)
    return first, second, None


def _summed_to(grad: Tensor, like: Tensor) -> Tensor:
    """Return a gradient summed over the axes that broadcasting added or stretched."""
    extra = grad.dim() - like.dim()
    grad = grad.sum(tuple(range(extra))) if extra else grad
    stretched = tuple(axis for axis in range(like.dim() - 2) if like.shape[axis] == 1 != grad.shape[axis])
    return grad.sum(stretched, keepdim=True) if stretched else grad


matmul_operator.register_autograd(_back_matmul, setup_context=_keep_matmul)


@torch.library.custom_op("skyhall::convolution", mutates_args=())
def convolution_operator(
    source: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
    key: int,
) -> Tensor:
    """Return a convolution as torch's operator takes it, not transposed, under the guard of this number."""
    zero = [0] * len(stride)
    return under(
        key,
        lambda: torch.ops.aten.convolution(
            source, weight, bias, stride, padding, dilation, False, zero, groups
        ),
    ).contiguous()


@convolution_operator.register_fake
def _(
    source: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
    key: int,
) -> Tensor:
    spots = [
        (size + 2 * pad - spread * (window - 1) - 1) // step + 1
        for size, pad, spread, window, step in zip(
            source.shape[2:], padding, dilation, weight.shape[2:], stride, strict=True
        )
    ]
    return source.new_empty(source.shape[0], weight.shape[0], *spots)


@torch.library.custom_op("skyhall::convolution_backward", mutates_args=())
def convolution_backward(
    grad: Tensor,
    source: Tensor,
    weight: Tensor,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
    key: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of source, weight and bias."""
    zero = [0] * len(stride)
    found = under(
        key,
        lambda: torch.ops.aten.convolution_backward(
            grad,
            source,
            weight,
            [weight.shape[0]],
            stride,
            padding,
            dilation,
            False,
            zero,
            groups,
            [True] * 3,
        ),
    )
    return found[0].contiguous(), found[1].contiguous(), found[2].contiguous()


@convolution_backward.register_fake
def _(
    grad: Tensor,
    source: Tensor,
    weight: Tensor,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    groups: int,
    key: int,
) -> tuple[Tensor, Tensor, Tensor]:
    return source.new_empty(source.shape), weight.new_empty(weight.shape), weight.new_empty(weight.shape[0])


def _keep_convolution(ctx: Any, inputs: Any, output: Any) -> None:
    source, weight, bias, ctx.stride, ctx.padding, ctx.dilation, ctx.groups, ctx.key = inputs
    ctx.biased = bias is not None
    ctx.save_for_backward(source, weight)


def _back_convolution(ctx: Any, grad: Tensor) -> Any:
    source, weight = ctx.saved_tensors
    if torch.is_grad_enabled():  # torch's own operator can be differentiated again, out of the guard's sight
        first, second, third = under(
            ctx.key,
            lambda: torch.ops.aten.convolution_backward(
                grad, source, weight, [weight.shape[0]], ctx.stride, ctx.padding, ctx.dilation, False,
                [0] * len(ctx.stride), ctx.groups, [True] * 3,
            ),
        )  # fmt: skip
    else:
        first, second, third = convolution_backward(
            grad, source, weight, ctx.stride, ctx.padding, ctx.dilation, ctx.groups, ctx.key
        )
    return first, second, third if ctx.biased else None, None, None, None, None, None


convolution_operator.register_autograd(_back_convolution, setup_context=_keep_convolution)
