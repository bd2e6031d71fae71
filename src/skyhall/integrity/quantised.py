"""Weights as int8: linear layers that keep one byte a weight and a scale a row, so that int8 has real bits to hit.

Weight-only quantisation, symmetric, by the largest weight of a row: w ≈ scale × q with q in -127 … 127. The product is
computed in the dtype of the scale. Inference only: there is no gradient to a byte.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Int8Linear", "quantised"]


class Int8Linear(nn.Module):
    """A linear layer with int8 weights (out, in) and a scale (out, 1), both buffers."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        scale = (weight.abs().amax(1, keepdim=True) / 127.0).clamp_min(torch.finfo(weight.dtype).tiny)
        self.register_buffer("scale", scale)
        self.register_buffer("weight", torch.round(weight / scale).to(torch.int8))
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach().clone(), False)

    def forward(self, x: Tensor) -> Tensor:
        """Return x Wᵀ + b with W = scale × q."""
        return functional.linear(x, self.weight.to(self.scale.dtype) * self.scale, self.bias)


def quantised(model: nn.Module) -> nn.Module:
    """Return a copy of `model` whose every `nn.Linear` keeps its weights as int8."""
    made = copy.deepcopy(model).requires_grad_(False)
    for module in list(made.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, Int8Linear(child))
    return made
