"""How much arithmetic an operator does that no check covers: products and recurrent layers that arrive fused.

Element-wise operators count one operation an element of what they write. Those here do far more, and to count them so
would hide them.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves

__all__ = ["uncovered_arithmetic"]

_PRODUCTS = {
    "mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "vdot", "_int_mm", "_addmm_activation",
    "_scaled_mm", "linear", "mkldnn_linear", "matmul",
}  # fmt: skip
_CONVOLUTIONS = {
    "convolution", "_convolution", "convolution_overrideable", "mkldnn_convolution", "cudnn_convolution",
    "conv_depthwise3d", "_conv_depthwise2d", "slow_conv3d_forward", "_slow_conv2d_forward",
    "slow_conv_transpose2d", "slow_conv_transpose3d",
}  # fmt: skip
# Each row of the first tensor meets every element of the matrices.
_FUSED = {
    "mkldnn_rnn_layer": 1, "mkldnn_rnn_layer_backward": 2, "_cudnn_rnn": 1, "_cudnn_rnn_backward": 2,
    "miopen_rnn": 1, "miopen_rnn_backward": 2, "_transformer_encoder_layer_fwd": 1,
    "_native_multi_head_attention": 1,
}  # fmt: skip
_CUBIC = ("linalg", "_linalg", "cholesky", "lu_", "triangular_solve", "ormqr", "geqrf", "orgqr")


def uncovered_arithmetic(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> int:
    """Return the operations of one execution, as far as they are more than one an element; 0 otherwise.

    Parameters
    ----------
    func : operator of torch.
    args, kwargs : its arguments.
    result : what it gave.
    """
    name = func._opname.removesuffix("_")
    if not (name in _PRODUCTS or name in _CONVOLUTIONS or name in _FUSED or name.startswith(_CUBIC)):
        return 0
    given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    made = [each for each in tree_leaves(result) if isinstance(each, Tensor)]
    if not given or not made:
        return 0
    if name in _PRODUCTS:
        return 2 * made[0].numel() * _inner(name, args)
    if name in _CONVOLUTIONS:
        return 2 * made[0].numel() * math.prod(args[1].shape[1:]) if len(args) > 1 else 0
    if name in _FUSED:
        return _FUSED[name] * _fused(name, given)
    matrices = [each for each in given if each.dim() > 1]
    return max((each.numel() * min(each.shape[-2:]) for each in matrices), default=0)


def _inner(name: str, args: tuple[Any, ...]) -> int:
    """Return the length that a product sums over."""
    if name == "addbmm":
        return int(args[1].shape[0] * args[1].shape[-1])
    place = 1 if name.startswith(("add", "badd", "_addmm")) else 0
    return int(args[place].shape[-1])


def _fused(name: str, given: list[Tensor]) -> int:
    """Return the operations of a fused layer's products, and of its attention where it has that."""
    source = given[0]
    rows = source.numel() // max(source.shape[-1], 1)
    products = 2 * rows * sum(each.numel() for each in given[1:] if each.dim() == 2)
    attends = "attention" in name or "transformer" in name
    return products + (4 * source.numel() * source.shape[-2] if attends and source.dim() > 1 else 0)
