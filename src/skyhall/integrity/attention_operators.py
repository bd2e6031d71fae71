"""The protected forms of torch's fused attention kernels: flash on CPUs; flash, memory-efficient and cuDNN on GPUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.attention import backward_check, outside_values
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.linear_operators import Handler, twice

__all__ = ["ATTENTION_OPERATORS"]

_aten = torch.ops.aten
_LONG = (torch.float32, torch.float64)


def _argument(func: Any, args: Sequence[Any], kwargs: dict[str, Any], name: str, default: Any = None) -> Any:
    """Return an operator's argument by the name that its schema gives."""
    if name in kwargs:
        return kwargs[name]
    for place, described in enumerate(func._schema.arguments):
        if described.name == name:
            return args[place] if place < len(args) else default
    return default


def _forward(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    query, key, value = args[:3]
    dropout = _argument(func, args, kwargs, "dropout_p", 0.0)
    flops = _flops(query, key, value)
    goes_back = ledger.expects_backward or (
        torch.is_grad_enabled() and any(each.requires_grad for each in (query, key, value))
    )
    if dropout:  # a second execution would draw other numbers
        return _kept(ledger, func, args, kwargs, flops, None)
    if goes_back and query.dtype in _LONG and ledger.level != "full":
        ledger.deferred += 1
        return _kept(ledger, func, args, kwargs, flops, value)
    return twice(ledger, func, args, kwargs, "attention")


def _kept(
    ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], flops: int, value: Tensor | None
) -> Any:
    """Run the forward kernel once, its result within the values' range; the backward pass checks the rest."""

    def inspect(result: Any) -> tuple[Tensor, Tensor | None]:
        if value is None:
            return ~torch.isfinite(result[0]).all() & torch.isfinite(args[2]).all(), None
        return outside_values(result[0], value), None

    return ledger.run(str(func), "attention", _caller(func, args, kwargs), inspect, flops)


def _backward(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    grad_out, query, key, value = args[:4]
    logsumexp = _argument(func, args, kwargs, "logsumexp")
    dropout = _argument(func, args, kwargs, "dropout_p", 0.0)
    scale = _argument(func, args, kwargs, "scale")
    masked = any(_argument(func, args, kwargs, name) is not None for name in ("attn_mask", "attn_bias"))
    ledger.deferred -= 1
    if query.shape[1] != key.shape[1] or any(each.numel() == 0 for each in (query, key, value)):
        return twice(ledger, func, args, kwargs, "attention")
    logsumexp = logsumexp[..., : query.shape[-2]]  # some kernels pad it
    if logsumexp.dim() == 4:
        logsumexp = logsumexp.squeeze(-1)
    wide = torch.float64 if query.dtype == torch.float64 else torch.float32

    def inspect(result: Any) -> tuple[Tensor, Tensor | None]:
        signs = ledger.sketches.signs(query.shape[-1], 4, wide, query.device)
        return backward_check(
            grad_out,
            query,
            key,
            value,
            logsumexp,
            result[:3],
            signs,
            scale=scale,
            dropped=bool(dropout),
            out=_argument(func, args, kwargs, "out") if masked else None,
        ).verdict()

    flops = _flops(query, key, value) * 5 // 2
    return ledger.run(
        str(func), "attention", _caller(func, args, kwargs), inspect, flops, vouches_for_inputs=True
    )


def _caller(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[], Any]:
    return lambda: func(*args, **kwargs)


def _flops(query: Tensor, key: Tensor, value: Tensor) -> int:
    """Return the two products' arithmetic; a causal mask saves the kernel up to half of it."""
    batch, heads, rows, width = query.shape
    return 2 * batch * heads * rows * key.shape[-2] * (width + value.shape[-1])


def _operators() -> dict[Any, Handler]:
    names: dict[str, Handler] = {}
    for kind in (
        "flash_attention_for_cpu",
        "flash_attention",
        "efficient_attention",
        "cudnn_attention",
    ):
        names[f"_scaled_dot_product_{kind}"] = _forward
        names[f"_scaled_dot_product_{kind}_backward"] = _backward
    return {getattr(_aten, name).default: handler for name, handler in names.items() if hasattr(_aten, name)}


ATTENTION_OPERATORS: dict[Any, Handler] = _operators()
