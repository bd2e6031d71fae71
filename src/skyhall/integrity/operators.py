"""Which operators are checked how, and what the rest is counted as.

An operator is checked by its own handler (products, attention, convolution); makes no numbers (views, fresh memory);
or is left over. What is left over is counted as uncovered, or, at level "full", run twice and compared bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.attention_operators import ATTENTION_OPERATORS
from skyhall.integrity.convolution import CONVOLUTION_OPERATORS
from skyhall.integrity.ledger import Ledger, same_bits
from skyhall.integrity.linear_operators import LINEAR_OPERATORS, Handler, twice

__all__ = ["HANDLERS", "makes_numbers", "run_twice", "supported"]

HANDLERS: dict[Any, Handler] = {**LINEAR_OPERATORS, **ATTENTION_OPERATORS, **CONVOLUTION_OPERATORS}

_NO_NUMBERS = {
    "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view", "detach", "lift_fresh",
    "_local_scalar_dense", "is_same_size", "record_stream", "set_", "resize_",
}  # fmt: skip


@cache
def makes_numbers(func: Any) -> bool:
    """Say whether an operator computes or copies: no view, no fresh memory, no profiler's mark."""
    if func.namespace in ("profiler", "prim") or func._opname in _NO_NUMBERS:
        return False
    returns = func._schema.returns
    return not any(each.alias_info is not None and not each.alias_info.is_write for each in returns)


@cache
def _written(func: Any) -> tuple[str, ...]:
    """Return the names of the arguments that an operator changes."""
    return tuple(
        each.name
        for each in func._schema.arguments
        if each.alias_info is not None and each.alias_info.is_write
    )


@cache
def _draws(func: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in func.tags


@cache
def supported(func: Any) -> bool:
    """Say whether an operator can be run a second time from the same inputs."""
    return func.namespace == "aten" and torch.Tag.data_dependent_output not in func.tags


def run_twice(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what any deterministic operator gives, run twice: in place on copies, random ones from the same state."""
    if not supported(func) or (_draws(func) and not _draws_from_the_cpu(args, kwargs)):
        result = func(*args, **kwargs)
        ledger.uncovered(func._opname, result)
        return result
    if _draws(func):
        return _random_twice(ledger, func, args, kwargs)
    if _written(func):
        return _in_place_twice(ledger, func, args, kwargs)
    return twice(ledger, func, args, kwargs, "operator")


def _in_place_twice(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an operator on copies of what it changes until two executions agree, then let it change the original."""
    names = [each.name for each in func._schema.arguments]
    written = set(_written(func))

    def execution() -> tuple[list[Tensor], Any]:
        copies: dict[int, Tensor] = {}

        def copied(value: Any) -> Any:
            if isinstance(value, Tensor):
                return copies.setdefault(id(value), value.clone())
            if isinstance(value, (list, tuple)):
                return [copied(each) for each in value]
            return value

        for name, value in [*zip(names, args, strict=False), *kwargs.items()]:
            if name in written:
                copied(value)
        own = [_replaced(value, copies) for value in args]
        func(*own, **{name: _replaced(value, copies) for name, value in kwargs.items()})
        return list(copies.values()), None

    originals: dict[int, Tensor] = {}
    for name, value in [*zip(names, args, strict=False), *kwargs.items()]:
        if name in written:
            for each in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(each, Tensor):
                    originals.setdefault(id(each), each)

    def kernel() -> tuple[Tensor, ...]:
        return tuple(execution()[0])

    def differs(result: tuple[Tensor, ...]) -> tuple[Tensor, None]:
        other = kernel()
        same = [same_bits(one, two) for one, two in zip(result, other, strict=True)]
        return ~torch.stack(same).all(), None

    if not originals:
        return func(*args, **kwargs)
    settled = ledger.run(str(func), "operator", kernel, differs)
    for original, value in zip(originals.values(), settled, strict=True):
        original.copy_(value)
    if not func._schema.returns:
        return None
    first = next(iter(originals.values()))
    return first if len(func._schema.returns) == 1 else tuple(originals.values())


def _replaced(value: Any, copies: dict[int, Tensor]) -> Any:
    if isinstance(value, Tensor):
        return copies.get(id(value), value)
    if isinstance(value, (list, tuple)):
        return [_replaced(each, copies) for each in value]
    return value


def _draws_from_the_cpu(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Say whether an operator draws from torch's own generator of the CPU, whose state can be set back."""
    if kwargs.get("generator") is not None:
        return False
    tensors = [each for each in args if isinstance(each, Tensor)]
    device = tensors[0].device if tensors else torch.device(kwargs.get("device") or "cpu")
    return device.type == "cpu"


def _random_twice(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    before = torch.get_rng_state()

    def again(*own: Any, **named: Any) -> Any:
        torch.set_rng_state(before)
        return func(*own, **named)

    named_func = _Named(func, again)
    if _written(func):
        return _in_place_twice(ledger, named_func, args, kwargs)
    return twice(ledger, named_func, args, kwargs, "operator")


class _Named:
    """An operator that is called in another way and keeps its name and schema."""

    def __init__(self, func: Any, call: Any) -> None:
        self._schema = func._schema
        self._name = str(func)
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __str__(self) -> str:
        return self._name
