"""Custom operator for `scaled_dot_product_attention`: torch's fused kernels under a guard, forward and backward."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.guarded import under

__all__ = ["attention", "attention_operator"]

_aten = torch.ops.aten


def attention(
    guard: int,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Return attention as torch does, protected where a fused kernel takes it.

    Dropout draws from generators that do not pass through a custom operator, a mask may want a gradient, heads may be
    shared: those calls go to torch, and are not covered.
    """
    plain = dropout_p or enable_gqa or query.dim() != 4 or query.shape[:2] != key.shape[:2]
    odd = query.shape[-1] != value.shape[-1] or (attn_mask is not None and attn_mask.requires_grad)
    if plain or odd:
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
        )
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill(~attn_mask, float("-inf"))
    return attention_operator(query, key, value, attn_mask, is_causal, scale, guard)[0]


@torch.library.custom_op("skyhall::attention", mutates_args=())
def attention_operator(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    causal: bool,
    scale: float | None,
    guard: int,
) -> tuple[Tensor, Tensor]:
    """Return attention (B, H, T, d) and the logarithm of each row's sum (B, H, T)."""

    def kernel() -> Any:
        if query.device.type == "cpu":
            return _aten._scaled_dot_product_flash_attention_for_cpu(
                query, key, value, 0.0, causal, attn_mask=mask, scale=scale
            )
        return _aten._scaled_dot_product_efficient_attention(
            query, key, value, mask, True, 0.0, causal, scale=scale
        )[:2]

    out, logsumexp = under(guard, kernel)
    return out.contiguous(), logsumexp[..., : query.shape[-2]].contiguous()


@attention_operator.register_fake
def _(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    causal: bool,
    scale: float | None,
    guard: int,
) -> tuple[Tensor, Tensor]:
    wide = torch.float64 if query.dtype == torch.float64 else torch.float32
    return query.new_empty(query.shape), query.new_empty(query.shape[:-1], dtype=wide)


@torch.library.custom_op("skyhall::attention_backward", mutates_args=())
def attention_backward(
    grad: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    logsumexp: Tensor,
    mask: Tensor | None,
    causal: bool,
    scale: float | None,
    guard: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of query, key and value."""

    def kernel() -> Any:
        if query.device.type == "cpu":
            return _aten._scaled_dot_product_flash_attention_for_cpu_backward(
                grad, query, key, value, out, logsumexp, 0.0, causal, attn_mask=mask, scale=scale
            )
        seed = torch.zeros((), dtype=torch.int64, device=query.device)  # unused without dropout
        return _aten._scaled_dot_product_efficient_attention_backward(
            grad, query, key, value, mask, out, logsumexp, seed, seed, 0.0, [True, True, True, False], causal,
            scale=scale,
        )[:3]  # fmt: skip

    first, second, third = under(guard, kernel)
    return first.contiguous(), second.contiguous(), third.contiguous()


@attention_backward.register_fake
def _(
    grad: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    out: Tensor,
    logsumexp: Tensor,
    mask: Tensor | None,
    causal: bool,
    scale: float | None,
    guard: int,
) -> tuple[Tensor, Tensor, Tensor]:
    return query.new_empty(query.shape), key.new_empty(key.shape), value.new_empty(value.shape)


def _keep(ctx: Any, inputs: Any, output: Any) -> None:
    query, key, value, mask, ctx.causal, ctx.scale, ctx.guard = inputs
    ctx.save_for_backward(query, key, value, mask, *output)
    ctx.mark_non_differentiable(output[1])
    ctx.set_materialize_grads(False)


def _back(ctx: Any, grad: Tensor, _: Any) -> Any:
    query, key, value, mask, out, logsumexp = ctx.saved_tensors
    grads = attention_backward(
        grad, query, key, value, out, logsumexp, mask, ctx.causal, ctx.scale, ctx.guard
    )
    return *grads, None, None, None, None


attention_operator.register_autograd(_back, setup_context=_keep)


def _no_second(ctx: Any, *grads: Any) -> Any:
    raise IntegrityError(
        "attention protected by protect(model) has no second derivative",
        "compute attention by matmul and softmax, or differentiate the model that is not protected",
    )


attention_backward.register_autograd(_no_second)
