"""Checked convolutions, forward and backward: each is linear, so a random sum of its channels is a small convolution.

Forward, the output channels of a group are summed with a sketch: the sums of the result's channels must be the
convolution with the sums of the kernels. Backward, the gradient of the input is linear in the kernel and is summed over
input channels, the gradient of the kernel in the gradient of the output and is summed over output channels. Limits as
in `rounding`, with the norm of the patch under each output position in place of the row of A.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.executions import twice
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.linear_operators import Handler, short_on_a_cpu
from skyhall.integrity.products import Residuals, frobenius_norms
from skyhall.integrity.rounding import Rounding, accumulator, rounding_of
from skyhall.integrity.sketches import COLUMNS

__all__ = ["CONVOLUTION_OPERATORS", "backward_residuals", "forward_residuals"]

_aten = torch.ops.aten
# Kernels by Winograd's or Fourier's transforms lose some bits more than the sums that the limit counts.
_TRANSFORMS = 64  # in variance
_LEAST_CHANNELS = 2 * COLUMNS  # of a group; below, a second execution costs less


def _forward(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    source, weight, bias, stride, padding, dilation, transposed, output_padding, groups = args
    outputs = weight.shape[1] if transposed else weight.shape[0] // groups
    small = outputs < _LEAST_CHANNELS or source.numel() == 0
    if not source.is_floating_point() or small or short_on_a_cpu(source):
        return twice(ledger, func, args, kwargs, "product")
    geometry = (stride, padding, dilation, transposed, output_padding, groups)

    def kernel() -> Any:
        return func(*args, **kwargs)

    def inspect(result: Tensor) -> tuple[Tensor, Tensor | None]:
        x = ledger.sketches.draw(outputs, accumulator(source.dtype), source.device)
        alone = groups == 1 and not transposed
        largest = ledger.singular.bound(weight, accumulator(source.dtype)) if alone else None
        return forward_residuals(source, weight, bias, result, x, geometry, largest).verdict()

    inner = weight[0].numel() if not transposed else weight[:, 0].numel()
    return ledger.run(str(func), "product", kernel, inspect, 2 * inner * _positions(args, weight, source))


def _positions(args: tuple[Any, ...], weight: Tensor, source: Tensor) -> int:
    """Return about how many results a convolution gives (its multiplications over the inner length)."""
    transposed = args[6]
    if transposed:
        return int(source.numel() // max(1, source.shape[1]) * weight.shape[1])
    stride = args[3]
    spots = source[0, 0].numel() // math.prod(stride)
    return int(source.shape[0] * spots * weight.shape[0])


def forward_residuals(
    source: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    result: Tensor,
    x: Tensor,
    geometry: tuple[Any, ...],
    largest: Tensor | None = None,
) -> Residuals:
    """Return the residuals of a convolution.

    Parameters
    ----------
    source : (B, C, ...).
    weight : (O, C/groups, ...); of a transposed convolution (C, O/groups, ...).
    bias : (O,) or None.
    result : (B, O, ...), under suspicion.
    x : sketch (O/groups, 16).
    geometry : stride, padding, dilation, transposed, output padding, groups, as torch's operator takes them.
    largest : an upper bound of the largest singular value of the (O, C ...) matrix of kernels, of one group.

    Returns
    -------
    Residuals : (B, groups, positions, 16).
    """
    transposed, groups = geometry[3], geometry[5]
    wide = accumulator(source.dtype)
    rounding = rounding_of(source.dtype, source.device, result.dtype, convolution=True)
    outputs = result.shape[1] // groups
    source, weight = source.to(wide), weight.detach().to(wide)
    inner = (weight.shape[0] // groups if transposed else weight.shape[1]) * weight[0, 0].numel()
    if transposed:
        split = weight.unflatten(0, (groups, -1))  # groups, C/groups, O/groups, ...
        small = torch.einsum("gco...,ov->gcv...", split, x).flatten(0, 1)
        flat = split.movedim(2, -1).reshape(groups, -1, outputs)
    else:
        split = weight.unflatten(0, (groups, -1))  # groups, O/groups, C/groups, ...
        small = torch.einsum("goc...,ov->gvc...", split, x).flatten(0, 1)
        flat = split.movedim(1, -1).reshape(groups, -1, outputs)
    expected = _aten.convolution(source, small, None, *geometry)
    expected = expected.unflatten(1, (groups, COLUMNS)).flatten(3).movedim(2, -1)
    found = torch.matmul(result.to(wide).unflatten(1, (groups, outputs)).flatten(3).movedim(2, -1), x)
    if bias is not None:
        found = found - (bias.detach().to(wide).view(groups, 1, outputs) @ x)
    size = frobenius_norms(flat @ x) if largest is None else largest.view(1)
    ones = torch.ones_like(small[:, :1] if transposed else small[:1])
    if transposed:
        patches = _aten.convolution(source.square(), ones, None, *geometry)
    else:
        patches = _aten.convolution(source.square(), ones.expand(groups, *ones.shape[1:]), None, *geometry)
    patches = patches.clamp_(min=0.0).sqrt_().unflatten(1, (groups, 1)).flatten(2)
    added = (
        None
        if bias is None
        else torch.linalg.vector_norm(bias.detach().to(wide).view(groups, outputs), dim=-1)
    )
    return _bounded(found - expected, patches, size, inner, outputs, rounding, added)


def _bounded(
    value: Tensor,
    norms: Tensor,
    size: Tensor,
    inner: int,
    summed: int,
    rounding: Rounding,
    added: Tensor | None = None,
) -> Residuals:
    """Return residuals (B, G, P, 16) with limits from the patches' norms (B, G, P) and the kernels' (G,)."""
    scale = rounding.factor(inner * _TRANSFORMS, summed)
    hidden = math.sqrt(inner * rounding.tiny)
    limit = (norms + hidden) * (size.view(1, -1, 1) + hidden) * scale
    if added is not None:
        limit = limit + (added * rounding.factor(1, summed)).view(1, -1, 1)
    limit = limit + rounding.floor(inner, summed)
    return Residuals(value, limit.unsqueeze(-1), rounding.largest * scale / 2.0)


def _backward(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    grad, source, weight, _, stride, padding, dilation, transposed, output_padding, groups, _ = args
    if transposed or groups != 1 or not grad.is_floating_point() or grad.numel() == 0:
        return twice(ledger, func, args, kwargs, "product")
    if min(weight.shape[0], weight.shape[1]) < _LEAST_CHANNELS or short_on_a_cpu(grad):
        return twice(ledger, func, args, kwargs, "product")
    geometry = (stride, padding, dilation, transposed, output_padding, groups)

    def kernel() -> Any:
        return func(*args, **kwargs)

    def inspect(result: Any) -> tuple[Tensor, Tensor | None]:
        wide = accumulator(grad.dtype)
        x_in = ledger.sketches.draw(weight.shape[1], wide, grad.device)
        x_out = ledger.sketches.draw(weight.shape[0], wide, grad.device)
        found = [
            each.verdict() for each in backward_residuals(grad, source, weight, result, x_in, x_out, geometry)
        ]
        return torch.stack([each[0] for each in found]).any(), torch.stack([each[1] for each in found]).any()

    flops = 4 * weight.shape[1] * weight[0, 0].numel() * grad.numel()
    return ledger.run(str(func), "product", kernel, inspect, flops)


def backward_residuals(
    grad: Tensor,
    source: Tensor,
    weight: Tensor,
    grads: tuple[Tensor | None, Tensor | None, Tensor | None],
    x_in: Tensor,
    x_out: Tensor,
    geometry: tuple[Any, ...],
) -> list[Residuals]:
    """Return the residuals of a convolution's gradients (one group, not transposed), of those that were asked for.

    Parameters
    ----------
    grad : of the output, (B, O, ...).
    source, weight : the forward pass's (B, C, ...) and (O, C, ...).
    grads : of source, weight and bias; None where not asked for.
    x_in, x_out : sketches (C, 16) and (O, 16).
    geometry : as in `forward_residuals`.
    """
    wide = accumulator(grad.dtype)
    rounding = rounding_of(grad.dtype, grad.device, convolution=True)
    grad, source, weight = grad.to(wide), source.to(wide), weight.detach().to(wide)
    window = weight[0, 0].numel()
    outputs, inputs = weight.shape[:2]
    checks = []
    if grads[0] is not None:
        small = torch.einsum("oc...,cv->ov...", weight, x_in)
        few = source.new_zeros(source.shape[0], COLUMNS, *source.shape[2:])
        expected = _gradients(grad, few, small, geometry, (True, False, False))[0]
        found = torch.matmul(grads[0].to(wide).flatten(2).mT, x_in).unsqueeze(1)
        ones = torch.ones_like(small[:, :1])
        norms = _gradients(grad.square(), few[:, :1], ones, geometry, (True, False, False))[0]
        size = frobenius_norms(weight.movedim(1, -1).reshape(1, -1, inputs) @ x_in)
        value = found - expected.flatten(2).mT.unsqueeze(1)
        patches = norms.clamp_(min=0.0).sqrt_().flatten(2)
        checks.append(_bounded(value, patches, size, outputs * window, inputs, rounding))
    positions = grad.shape[0] * grad[0, 0].numel()
    if grads[1] is not None:
        few = torch.einsum("bo...,ov->bv...", grad, x_out).contiguous()
        like = weight.new_zeros(COLUMNS, *weight.shape[1:])
        expected = _gradients(few, source, like, geometry, (False, True, False))[1]
        found = torch.einsum("ocw,ov->cwv", grads[1].to(wide).flatten(2), x_out)[None, None].flatten(2, 3)
        value = found - expected.flatten(2).movedim(0, -1)[None, None].flatten(2, 3)
        channel = torch.linalg.vector_norm(source.transpose(0, 1).flatten(1), dim=-1)
        norms = channel.repeat_interleave(window).view(1, 1, -1)
        size = frobenius_norms(few.transpose(1, -1).reshape(1, -1, COLUMNS))
        checks.append(_bounded(value, norms, size, positions, outputs, rounding))
    if grads[2] is not None:
        sums = grad.transpose(0, 1).flatten(1)
        value = ((grads[2].to(wide) - sums.sum(-1)) @ x_out).view(1, 1, 1, -1)
        norms = value.new_full((1, 1, 1), math.sqrt(positions))
        size = torch.linalg.vector_norm(sums).view(1)
        checks.append(_bounded(value, norms, size, positions, outputs, rounding))
    return checks


def _gradients(grad: Tensor, source: Tensor, weight: Tensor, geometry: tuple[Any, ...], wanted: Any) -> Any:
    return _aten.convolution_backward(grad, source, weight, None, *geometry, list(wanted))


CONVOLUTION_OPERATORS: dict[Any, Handler] = {
    _aten.convolution.default: _forward,
    _aten.convolution_backward.default: _backward,
}
