from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from skyhall.integrity import products, protect
from skyhall.integrity.convolution import backward_residuals, forward_residuals
from skyhall.integrity.sketches import Sketches

pytestmark = pytest.mark.ml

GEOMETRIES = [
    ([1, 1], [0, 0], [1, 1], False, [0, 0], 1),
    ([2, 2], [1, 1], [1, 1], False, [0, 0], 1),
    ([1, 1], [2, 2], [2, 2], False, [0, 0], 1),
]


def tensors(positive: bool, groups: int = 1, dtype: Any = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    source = torch.randn(2, 64, 9, 9, generator=generator)
    weight = torch.randn(64, 64 // groups, 3, 3, generator=generator)
    if positive:
        source, weight = source.abs(), weight.abs()
    return source.to(dtype), weight.to(dtype), torch.randn(64, generator=generator).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("geometry", [*GEOMETRIES, ([1, 1], [1, 1], [1, 1], False, [0, 0], 2)], ids=str)
def test_a_convolution_raises_no_alarm_and_shows_an_error(geometry: Any, positive: bool, dtype: Any) -> None:
    source, weight, bias = tensors(positive, geometry[-1], dtype)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    x = Sketches(1).draw(64 // geometry[-1], wide, source.device)
    result = torch.ops.aten.convolution(source, weight, bias, *geometry)
    found = forward_residuals(source, weight, bias, result, x, geometry)
    assert [bool(each) for each in found.verdict()] == [False, False]
    struck = result.clone()
    struck[1, 40, 2, 3] += 3.0 * float(found.limit.max())
    assert forward_residuals(source, weight, bias, struck, x, geometry).verdict()[0]


def test_a_transposed_convolution_raises_no_alarm_and_shows_an_error() -> None:
    source, weight, bias = tensors(False)
    geometry = ([2, 2], [1, 1], [1, 1], True, [1, 1], 1)
    x = Sketches(1).draw(64, torch.float32, source.device)
    result = torch.ops.aten.convolution(source, weight, bias, *geometry)
    found = forward_residuals(source, weight, bias, result, x, geometry)
    assert not found.verdict()[0]
    result[0, 1, 4, 4] += 3.0 * float(found.limit.max())
    assert forward_residuals(source, weight, bias, result, x, geometry).verdict()[0]


@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_its_gradients_raise_no_alarm_and_each_shows_an_error(geometry: Any, positive: bool) -> None:
    source, weight, bias = tensors(positive)
    grad = torch.randn_like(torch.ops.aten.convolution(source, weight, bias, *geometry))
    grad = grad.abs() if positive else grad
    grads = torch.ops.aten.convolution_backward(grad, source, weight, [64], *geometry, [True] * 3)
    sketches = Sketches(1)
    x_in, x_out = (sketches.draw(64, torch.float32, source.device) for _ in range(2))
    found = backward_residuals(grad, source, weight, grads, x_in, x_out, geometry)
    assert [[bool(truth) for truth in each.verdict()] for each in found] == [[False, False]] * 3
    for index in range(3):
        struck = [each.clone() for each in grads]
        struck[index].view(-1)[21] += 3.0 * float(found[index].limit.max())
        again = backward_residuals(grad, source, weight, tuple(struck), x_in, x_out, geometry)  # type: ignore[arg-type]
        assert [bool(each.verdict()[0]) for each in again] == [each == index for each in range(3)]


@pytest.mark.parametrize(
    "struck", [0, 1, 2], ids=["result", "gradient of the source", "gradient of the kernels"]
)
def test_every_bit_of_a_convolution_in_bfloat16_is_found(struck: int) -> None:
    generator = torch.Generator().manual_seed(6)
    source = torch.randn(2, 48, 8, 8, generator=generator).bfloat16()
    kernels = torch.randn(40, 48, 3, 3, generator=generator).bfloat16()

    def convolved() -> list[Tensor]:
        a, b = source.clone().requires_grad_(), kernels.clone().requires_grad_()
        out = torch.nn.functional.conv2d(a, b)
        return [out.detach(), *torch.autograd.grad(out, (a, b), out.detach())]

    clean = convolved()
    for bit in range(16):
        left = list(range(struck + 1))

        def strike(name: str, result: Tensor, left: list[int] = left, bit: int = bit) -> None:
            if left and left.pop() == 0:
                result.view(torch.int16)[1, 7, 2, 1] ^= 1 << bit if bit < 15 else -(1 << 15)

        products.kernel_faults = strike
        try:
            with protect() as guard:
                found = convolved()
        finally:
            products.kernel_faults = None
        assert all(torch.equal(a, b) for a, b in zip(clean, found, strict=True))
        assert guard.report.corrected == {"product": 1}
