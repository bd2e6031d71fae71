"""Operators run twice from the same inputs and compared bit by bit, those that change their arguments as well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from skyhall.integrity.arithmetic import uncovered_arithmetic
from skyhall.integrity.ledger import Ledger, same_bits
from skyhall.integrity.products import NO

__all__ = ["Named", "in_place_twice", "plain", "targets_of", "tensors_of", "twice"]


class Named:
    """An operator that is called in another way and keeps its name and schema.

    Parameters
    ----------
    func : the operator.
    call : what runs it.
    """

    def __init__(self, func: Any, call: Any) -> None:
        self._schema = func._schema
        self._opname = func._opname
        self._name = str(func)
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it."""
        return self._call(*args, **kwargs)

    def __str__(self) -> str:
        """Return the operator's name."""
        return self._name


def tensors_of(value: Any) -> list[Tensor]:
    """Return the tensors in a nest of lists and the like."""
    if isinstance(value, Tensor):
        return [value]
    return [each for each in tree_leaves(value) if isinstance(each, Tensor)]


def plain(value: Any) -> bool:
    """Say whether a nest has tensors of plain memory alone, whose bits can be compared: none sparse or quantised."""
    return all(
        each.layout == torch.strided
        and not (
            each.is_quantized
            or each.is_nested
            or each.is_conj()
            or each.is_neg()
            or torch._is_zerotensor(each)
        )
        and each.device.type != "meta"
        for each in tensors_of(value)
    )


def targets_of(func: Any, args: Sequence[Any], kwargs: dict[str, Any], written: Sequence[str]) -> list[Any]:
    """Return the arguments of these names."""
    names = [each.name for each in func._schema.arguments]
    return [value for name, value in [*zip(names, args, strict=False), *kwargs.items()] if name in written]


def twice(
    ledger: Ledger,
    func: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    target: str,
    flops: int = 0,
    *,
    agrees: Callable[[Any], bool | None] | None = None,
) -> Any:
    """Return what an operator that changes none of its inputs gives, run twice and compared bit by bit.

    A result without a tensor, or with one that is not plain memory, cannot be compared so: it is counted as uncovered.
    `flops` is its arithmetic where the caller knows it, else 0. What `agrees` says is right is not run again.
    """
    first = [func(*args, **kwargs)]
    if not (tensors_of(first[0]) and plain(first[0])):
        ledger.uncovered(func._opname, first[0], uncovered_arithmetic(func, args, kwargs, first[0]))
        return first[0]

    def kernel() -> Any:
        return first.pop() if first else func(*args, **kwargs)

    def differs(result: Any) -> tuple[Tensor, None]:
        right = agrees(result) if agrees is not None else None
        if right:
            return NO, None
        wrong = _differ(tensors_of(result), tensors_of(func(*args, **kwargs)))
        if right is False and not bool(wrong):
            ledger.confirm()
        return wrong, None

    counted = flops or uncovered_arithmetic(func, args, kwargs, first[0])
    return ledger.run(str(func), target, kernel, differs, counted)


def _differ(ones: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    if len(ones) != len(others):
        return torch.ones((), dtype=torch.bool)
    same = [same_bits(one, other) for one, other in zip(ones, others, strict=True)]
    return ~torch.stack([each.to(same[0].device) for each in same]).all()


def in_place_twice(
    ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], written: Sequence[str]
) -> Any:
    """Return what an operator gives that changes arguments, run on them and once more on copies of what they were.

    The first execution is the program's own call; its results are handed out. On alarm the arguments are put back and
    it runs again.

    Parameters
    ----------
    written : names of the arguments that are changed; none shares memory with another argument.
    """
    targets = {id(each): each for each in tensors_of(targets_of(func, args, kwargs, written))}
    if not targets:
        return twice(ledger, func, args, kwargs, "operator")
    before = {key: _copy(value) for key, value in targets.items()}
    handed: list[Any] = []

    def kernel() -> tuple[Tensor, ...]:
        if handed:
            for key, value in targets.items():
                _put_back(value, before[key])
        handed[:] = [func(*args, **kwargs)]
        return tuple(_changed_and_made(handed[0], targets))

    def differs(result: tuple[Tensor, ...]) -> tuple[Tensor, None]:
        copies = {key: _copy(value) for key, value in before.items()}
        named = {name: _replaced(value, copies) for name, value in kwargs.items()}
        other = func(*[_replaced(value, copies) for value in args], **named)
        return _differ(result, _changed_and_made(other, copies)), None

    ledger.run(str(func), "operator", kernel, differs)
    return handed[0]


def _changed_and_made(result: Any, targets: dict[int, Tensor]) -> list[Tensor]:
    """Return the tensors that an operator changed, and those it made beside them."""
    changed = list(targets.values())
    own = {id(each) for each in changed}
    return [*changed, *(each for each in tensors_of(result) if id(each) not in own)]


def _copy(tensor: Tensor) -> Tensor:
    """Return a copy with the same strides, as kernels may choose their order by them."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=tensor.device).copy_(
        tensor
    )


def _put_back(tensor: Tensor, before: Tensor) -> None:
    if tensor.shape != before.shape:  # memory for a result, that the operator made fit
        tensor.resize_(before.shape)
    tensor.copy_(before)


def _replaced(value: Any, copies: dict[int, Tensor]) -> Any:
    if isinstance(value, Tensor):
        return copies.get(id(value), value)
    if isinstance(value, (list, tuple)):
        return [_replaced(each, copies) for each in value]
    return value
