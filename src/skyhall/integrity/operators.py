"""Which operators are checked how, and what the rest is counted as.

An operator is checked by its own handler (products, attention, convolution); makes no numbers (views, fresh memory);
or is left over. What is left over is counted as uncovered, or, at level "full", held against one pass over what it
takes and gives (`elementwise`) or run twice and compared bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.arithmetic import uncovered_arithmetic
from skyhall.integrity.attention_operators import ATTENTION_OPERATORS
from skyhall.integrity.convolution import CONVOLUTION_OPERATORS
from skyhall.integrity.elementwise import agreement
from skyhall.integrity.executions import Named, in_place_twice, plain, targets_of, tensors_of, twice
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.linear_operators import LINEAR_OPERATORS, Handler

__all__ = ["HANDLERS", "composite", "makes_numbers", "run_twice", "supported", "written_arguments"]

HANDLERS: dict[Any, Handler] = {**LINEAR_OPERATORS, **ATTENTION_OPERATORS, **CONVOLUTION_OPERATORS}

_NO_NUMBERS = {
    "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view", "detach", "lift_fresh",
    "_local_scalar_dense", "is_same_size", "record_stream", "set_", "resize_",
}  # fmt: skip

# Operators that update running statistics, which their schemas do not say.
_UNSAID = {
    "native_batch_norm", "cudnn_batch_norm", "miopen_batch_norm", "batch_norm_gather_stats",
    "batch_norm_gather_stats_with_counts", "batch_norm_update_stats",
}  # fmt: skip
_RUNNING = ("running_mean", "running_var")

# Kernels that leave part of what they return as they found it, as work space for their backward pass.
_UNSPECIFIED = {
    "mkldnn_rnn_layer", "mkldnn_rnn_layer_backward", "_cudnn_rnn", "_cudnn_rnn_backward", "miopen_rnn",
    "miopen_rnn_backward", "_ctc_loss", "_ctc_loss_backward", "linalg_lstsq",
}  # fmt: skip


def composite(func: Any, args: Sequence[Any]) -> bool:
    """Say whether an operator is made of others where it runs: it can be taken apart, and has no kernel of its own."""
    first = next((each for each in args if isinstance(each, Tensor)), None)
    if first is not None and first.is_nested:  # torch would end the process while it looks
        return False
    return _composite(func, "cpu" if first is None else first.device.type)


@cache
def _composite(func: Any, kind: str) -> bool:
    if not func._can_decompose():
        return False
    key = getattr(torch._C.DispatchKey, kind.upper(), None)
    return key is None or not func.has_kernel_for_dispatch_key(key)


@cache
def makes_numbers(func: Any) -> bool:
    """Say whether an operator computes or copies: no view, no fresh memory, no profiler's mark."""
    if func.namespace in ("profiler", "prim") or func._opname in _NO_NUMBERS:
        return False
    returns = func._schema.returns
    return not any(each.alias_info is not None and not each.alias_info.is_write for each in returns)


@cache
def written_arguments(func: Any) -> tuple[str, ...]:
    """Return the names of the arguments that an operator changes."""
    unsaid = _RUNNING if func._opname in _UNSAID else ()
    return unsaid + tuple(
        each.name
        for each in func._schema.arguments
        if each.alias_info is not None and each.alias_info.is_write
    )


@cache
def _draws(func: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in func.tags


@cache
def supported(func: Any) -> bool:
    """Say whether an operator can be run a second time from the same inputs, to the same bits in all its results."""
    return (
        func.namespace == "aten"
        and torch.Tag.data_dependent_output not in func.tags
        and func._opname not in _UNSPECIFIED
    )


def run_twice(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what any deterministic operator gives, run twice: in place on copies, random ones from the same state.

    Where one pass over what it takes and gives has nothing against the first execution, there is no second one.

    What cannot be run twice soundly runs once and is counted as uncovered: operators that are not torch's own or leave
    part of their results unspecified, tensors that are not plain memory, in-place operators that read their target by
    another name.
    """
    draws = _draws(func)
    once = (
        not supported(func) or not plain((args, kwargs)) or (draws and not _draws_from_the_cpu(args, kwargs))
    )
    if once or _overlaps(func, args, kwargs):
        result = func(*args, **kwargs)
        ledger.uncovered(func._opname, result, uncovered_arithmetic(func, args, kwargs, result))
        return result
    named = _again_from(torch.get_rng_state(), func) if draws else func
    if written_arguments(func):
        return in_place_twice(ledger, named, args, kwargs, written_arguments(func))
    return twice(ledger, named, args, kwargs, "operator", agrees=agreement(func, args, kwargs))


def _overlaps(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Say whether what an operator writes shares memory with another of its arguments, or with itself."""
    written = written_arguments(func)
    if not written:
        return False
    targets = tensors_of(targets_of(func, args, kwargs, written))
    others = {id(each): each for each in tensors_of((args, kwargs))}
    if any(each.numel() > 1 and 0 in each.stride() for each in targets):
        return True
    spans = [(id(each), *_span(each)) for each in others.values() if each.numel()]
    own = {id(each) for each in targets}
    return any(
        one != other and begin < end_other and begin_other < end
        for one, begin, end in spans
        if one in own
        for other, begin_other, end_other in spans
    )


def _span(tensor: Tensor) -> tuple[int, int]:
    """Return the addresses between which a tensor lies."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    begin = tensor.data_ptr()
    return begin, begin + (last + 1) * tensor.element_size()


def _draws_from_the_cpu(args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Say whether an operator draws from torch's own generator of the CPU, whose state can be set back."""
    if kwargs.get("generator") is not None:
        return False
    tensors = [each for each in args if isinstance(each, Tensor)]
    device = tensors[0].device if tensors else torch.device(kwargs.get("device") or "cpu")
    return device.type == "cpu"


def _again_from(state: Tensor, func: Any) -> Any:
    """Return an operator that draws from this state of the generator whenever it is called."""

    def again(*own: Any, **named: Any) -> Any:
        torch.set_rng_state(state)
        return func(*own, **named)

    return Named(func, again)
