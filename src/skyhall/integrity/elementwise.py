"""Element-wise operators, norms and copies held against one pass over what they take and give.

A second execution writes a second result and reads both; a pass reads one and computes what should be there, which
costs about half. It does so in other arithmetic, within tens of roundoffs. What it doubts is executed again and
compared bit by bit (`executions.twice`), so that its limits need no proof: a correct result that exceeds one costs an
execution.

Single precision on a CPU, each tensor whole in memory; everything else is left to two executions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skyhall.integrity import elementwise_loops as loops
from skyhall.integrity.passes import agree, can_pass, gradient_columns, plain_memory, same_rows

__all__ = ["agreement"]

_aten = torch.ops.aten
_UNIT = 2.0**-24
_AXES = 4
_SUMMED = 8.0  # roundoffs that a sum over many rows may be off, for each root of their number

Agreement = Callable[[Any], bool | None]  # None: this result cannot be judged


def agreement(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Agreement | None:
    """Return what says of an operator's result that it is right within its limits; None where there is no such pass."""
    found = _PASSES.get(func)
    return None if found is None else found(*args, **kwargs)


def _whole(*tensors: Tensor) -> bool:
    return tensors[0].dtype == torch.float32 and tensors[0].numel() > 0 and can_pass(*tensors)


def _gelu(x: Tensor, *, approximate: str = "none") -> Agreement | None:
    if approximate != "none" or not _whole(x):
        return None
    return lambda y: agree(loops.gelu, (x.view(-1), y.view(-1)))


def _gelu_backward(grad: Tensor, x: Tensor, *, approximate: str = "none") -> Agreement | None:
    if approximate != "none" or grad.shape != x.shape or not _whole(grad, x):
        return None
    return lambda d: agree(loops.gelu_gradient, (grad.view(-1), x.view(-1), d.view(-1)))


def _add(a: Tensor, b: Any, *, alpha: float = 1) -> Agreement | None:
    if not isinstance(b, Tensor) or alpha != 1 or a.shape != b.shape or not _whole(a, b):
        return None
    return lambda c: agree(loops.total, (a.view(-1), b.view(-1), c.view(-1)))


def _clone(source: Tensor, *, memory_format: Any = None) -> Agreement | None:
    return lambda copy: _same(source, copy)


def _stack(tensors: list[Tensor], dim: int = 0) -> Agreement | None:

    def agrees(made: Tensor) -> bool | None:
        found = [_same(each, made.select(dim, place)) for place, each in enumerate(tensors)]
        return None if None in found else all(found)

    return agrees


def _layer_norm(
    x: Tensor, shape: list[int], gain: Tensor | None, shift: Tensor | None, eps: float
) -> Agreement | None:
    width = math.prod(shape)
    if not _whole(x, *(each for each in (gain, shift) if each is not None)):
        return None

    def agrees(result: Any) -> bool:
        y, mean, rstd = result
        with np.errstate(all="ignore"):
            own = (_vector(gain, width, 1.0), _vector(shift, width, 0.0), np.float32(eps))
        return agree(loops.layer_norm, (x.view(-1, width), y.view(-1, width), *_flat(mean, rstd)), *own)

    return agrees


def _layer_norm_backward(
    grad: Tensor,
    x: Tensor,
    shape: list[int],
    mean: Tensor,
    rstd: Tensor,
    gain: Tensor | None,
    shift: Tensor | None,
    mask: list[bool],
) -> Agreement | None:
    width = math.prod(shape)
    if not mask[0] or not _whole(grad, x, mean, rstd, *(() if gain is None else (gain,))):
        return None

    def agrees(result: Any) -> bool:
        matrices = (grad.view(-1, width), x.view(-1, width), result[0].view(-1, width), *_flat(mean, rstd))
        with np.errstate(all="ignore"):
            right, columns = gradient_columns(matrices, _vector(gain, width, 1.0))
            factor = _SUMMED * _UNIT * math.sqrt(matrices[0].shape[0])
            for made, sums, squares in zip(result[1:], columns[::2], columns[1::2], strict=True):
                if made is not None:
                    off = np.abs(made.detach().view(-1).numpy() - sums)
                    limits = factor * (2.0 * np.sqrt(squares) + np.abs(sums))
                    right &= bool(((off <= limits) & (limits < np.inf)).all())
        return right

    return agrees


def _vector(values: Tensor | None, width: int, default: float) -> Tensor:
    return torch.full((width,), default) if values is None else values.detach().view(-1)


def _flat(*tensors: Tensor) -> tuple[Tensor, ...]:
    return tuple(each.view(-1) for each in tensors)


def _same(one: Tensor, other: Tensor) -> bool | None:
    """Say whether a copy has its source's bits; None where they are not rows that lie whole in memory."""
    if not (one.dtype == other.dtype == torch.float32 and one.shape == other.shape and one.numel()):
        return None
    if not (plain_memory(one) and plain_memory(other)):
        return None
    sizes, places = _axes(one, other)
    if len(sizes) > _AXES + 1 or (places[0][-1], places[1][-1]) != (1, 1):
        return None
    missing = _AXES + 1 - len(sizes)
    shape = np.array([1] * missing + sizes, np.int64)
    apart = np.array([[0] * missing + each[:-1] for each in places], np.int64)
    return same_rows(one, other, apart, shape)


def _axes(one: Tensor, other: Tensor) -> tuple[list[int], list[list[int]]]:
    """Return sizes and strides of both, axes that lie together in both made one."""
    sizes: list[int] = []
    places: list[list[int]] = [[], []]
    for size, *strides in zip(one.shape, one.stride(), other.stride(), strict=True):
        if size == 1:
            continue
        if sizes and all(own[-1] == size * stride for own, stride in zip(places, strides, strict=True)):
            sizes[-1] *= size
            for own, stride in zip(places, strides, strict=True):
                own[-1] = stride
        else:
            sizes.append(size)
            for own, stride in zip(places, strides, strict=True):
                own.append(stride)
    return sizes or [1], places if sizes else [[1], [1]]


_PASSES: dict[Any, Callable[..., Agreement | None]] = {
    _aten.gelu.default: _gelu,
    _aten.gelu_backward.default: _gelu_backward,
    _aten.add.Tensor: _add,
    _aten.clone.default: _clone,
    _aten.stack.default: _stack,
    _aten.native_layer_norm.default: _layer_norm,
    _aten.native_layer_norm_backward.default: _layer_norm_backward,
}
