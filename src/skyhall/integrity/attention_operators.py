"""The protected forms of torch's fused attention kernels: flash on CPUs; flash, memory-efficient and cuDNN on GPUs.

In training on a CPU in a wide format, one pass over what the backward kernel takes and gives looks at the identities of
`attention`, which an error in the forward pass breaks as well: what they doubt is executed again and compared bit by
bit, forward and backward. A forward pass inside a step's guard waits for that; one that no backward pass followed by
the step's verdict is executed again there.

Everywhere else each kernel runs twice and its results are compared bit by bit. The identities' proven limits, which
grow with the length until an error larger than the result passes, are looked at as well in the backward pass, since
they see what two executions on the same broken unit, or from the same wrong logsumexp, agree on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.attention import backward_check, identity_ratios
from skyhall.integrity.executions import twice
from skyhall.integrity.ledger import Ledger, differing
from skyhall.integrity.linear_operators import Handler
from skyhall.integrity.products import NO
from skyhall.integrity.weight_products import autograd_keeps

__all__ = ["ATTENTION_OPERATORS"]

_aten = torch.ops.aten
_FORWARD = _aten._scaled_dot_product_flash_attention_for_cpu.default


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
    flops = _flops(query, key, value)
    if _argument(func, args, kwargs, "dropout_p", 0.0):  # a second execution would draw other numbers
        result = func(*args, **kwargs)
        ledger.uncovered(getattr(func, "_opname", str(func)), result, flops)
        return result
    if ledger.settles and _single_pass(ledger, func, args, kwargs, (query, key, value)):
        goes_back = autograd_keeps() and any(each.requires_grad for each in (query, key, value))
        if goes_back:
            return ledger.owe(
                str(func), "attention", lambda: func(*args, **kwargs), (query, key, value), flops
            )
    return twice(ledger, func, args, kwargs, "attention", flops)


def _single_pass(
    ledger: Ledger, func: Any, args: Sequence[Any], kwargs: dict[str, Any], tensors: Sequence[Tensor]
) -> bool:
    """Say whether the identities can vouch for an execution: one pass over these tensors (B, H, T, d), none empty."""
    first = tensors[0]
    return (
        first.device.type == "cpu"
        and first.dtype in (torch.float32, torch.float64)
        and _argument(func, args, kwargs, "attn_mask") is None
        and not _argument(func, args, kwargs, "dropout_p", 0.0)
        and all(
            each.numel() and each.stride(3) == 1 and each.shape[1::2] == first.shape[1::2] for each in tensors
        )
    )


def _backward(ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    grad_out, query, key, value = args[:4]
    logsumexp = _argument(func, args, kwargs, "logsumexp")
    dropout = _argument(func, args, kwargs, "dropout_p", 0.0)
    scale = _argument(func, args, kwargs, "scale")
    masked = any(_argument(func, args, kwargs, name) is not None for name in ("attn_mask", "attn_bias"))
    flops = _flops(query, key, value) * 5 // 2
    if _single_pass(ledger, func, args, kwargs, (query, grad_out, key, value)):
        return _by_identities(ledger, func, args, kwargs, flops)
    repeats = _repeats(func, query)
    has_identities = query.shape[1] == key.shape[1] and query.numel() and key.numel() and value.numel()
    if repeats and not has_identities:
        return twice(ledger, func, args, kwargs, "attention", flops)
    if not has_identities:
        result = func(*args, **kwargs)
        ledger.uncovered(func._opname, result, flops)
        return result
    logsumexp = logsumexp[..., : query.shape[-2]]  # some kernels pad it
    if logsumexp.dim() == 4:
        logsumexp = logsumexp.squeeze(-1)
    wide = torch.float64 if query.dtype == torch.float64 else torch.float32

    def kernel() -> Any:
        return func(*args, **kwargs)

    def inspect(result: Any) -> tuple[Tensor, Tensor | None]:
        signs = ledger.sketches.signs(query.shape[-1], 4, wide, query.device)
        wrong, _ = backward_check(
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
        if not repeats:  # the identities alone: their limit lets errors pass
            return wrong, torch.ones_like(wrong)
        return wrong | differing(result, kernel()), None

    return ledger.run(str(func), "attention", kernel, inspect, flops, vouches_for_inputs=True)


def _by_identities(
    ledger: Ledger, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], flops: int
) -> Any:
    """Return a backward kernel's results, executed again, and the forward pass with it, where the identities doubt."""
    grad_out, query, key, value, out, logsumexp = args[:6]
    scale = _argument(func, args, kwargs, "scale")
    causal = bool(_argument(func, args, kwargs, "is_causal", False))

    def kernel() -> Any:
        return func(*args, **kwargs)

    def inspect(result: Any) -> tuple[Tensor, Tensor | None]:
        ratios = identity_ratios(grad_out, query, key, value, result[:3], scale=scale)
        usual = ledger.ceilings((str(func), query.shape, key.shape, causal))
        if any(ceiling.doubts(ratio) for ceiling, ratio in zip(usual, ratios, strict=True)):
            forward = _FORWARD(query, key, value, 0.0, causal, scale=scale)
            wrong = differing(result, kernel()) | differing(forward, (out, logsumexp))
            if bool(wrong):
                return wrong, None
            ledger.confirm()
        for ceiling, ratio in zip(usual, ratios, strict=True):
            ceiling.learn(ratio)
        return NO, None

    result = ledger.run(str(func), "attention", kernel, inspect, flops, vouches_for_inputs=True)
    ledger.discharge(out)
    return result


def _repeats(func: Any, query: Tensor) -> bool:
    """Say whether a backward kernel gives the same bits each time: on GPUs only where torch is told to."""
    if query.device.type == "cpu":
        return True
    return torch.are_deterministic_algorithms_enabled() and "cudnn" not in str(func)


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
