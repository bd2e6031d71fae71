from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from skyhall.integrity.products import row_norms
from skyhall.integrity.sketches import LEAST_SIZE, Sketches
from skyhall.integrity.vectors import differences, mv_and_norms, vector_limits

pytestmark = pytest.mark.ml


def factors(kind: str, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    a, b = torch.randn(48, 96, generator=generator), torch.randn(96, 64, generator=generator)
    if kind == "positive":
        return a.abs() + 1.0, b.abs() + 1.0
    if kind == "rows scaled":
        return a * torch.logspace(-3, 3, 48)[:, None], b
    if kind == "columns scaled":
        return a, b * torch.logspace(-3, 3, 64)
    if kind == "one direction":
        return a * 0.01 + a[:1], b * 0.01 + b[:, :1]
    return a, b


def check(a: Tensor, b: Tensor, c: Tensor, sketches: Sketches, **given: Any) -> Any:
    x = sketches.weights(b.shape[1], a.dtype, a.device)
    largest = torch.linalg.matrix_norm(b, 2) * 1.0001
    value, norms = differences(a, torch.mv(b, x), c, x, given.get("alpha", 1.0))
    return vector_limits(a, c, x, largest, value, norms, **given)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("kind", ["normal", "positive", "rows scaled", "columns scaled", "one direction"])
def test_rounding_alone_never_raises_an_alarm(kind: str, dtype: Any) -> None:
    generator, sketches = torch.Generator().manual_seed(1), Sketches(1)
    for _ in range(40):
        a, b = (each.to(dtype) for each in factors(kind, generator))
        bias = torch.randn(64, generator=generator).to(dtype)
        c, with_bias = a @ b, torch.addmm(bias, a, b, alpha=2.0, beta=3.0)
        for _ in range(5):
            found = check(a, b, c, sketches)
            assert not found.verdict()[0]
            assert float((found.value.abs() / found.limit).max()) < 0.5
            assert not check(a, b, with_bias, sketches, added=bias, alpha=2.0, beta=3.0).verdict()[0]


@pytest.mark.parametrize("kind", ["normal", "positive", "rows scaled"])
def test_what_a_flipped_bit_changes_is_found_or_below_the_limit(kind: str) -> None:
    generator, sketches = torch.Generator().manual_seed(2), Sketches(2)
    a, b = factors(kind, generator)
    c = a @ b
    found = 0
    for number in range(1600):
        struck = c.clone()
        row, column = (int(torch.randint(size, (1,), generator=generator)) for size in c.shape)
        bit = number % 32
        struck.view(torch.int32)[row, column] ^= 1 << bit if bit < 31 else -(1 << 31)
        result = check(a, b, struck, sketches)
        change = abs(float(struck[row, column]) - float(c[row, column]))
        if bool(result.wrong_rows()[row]):
            found += 1
        else:  # the residual is the change times at least 0.75, less the rounding that was there
            assert change <= 2.0 * float(result.limit[row]) / LEAST_SIZE
    assert 700 < found < 1200


def test_equal_and_opposite_errors_rarely_cancel() -> None:
    generator, sketches = torch.Generator().manual_seed(3), Sketches(3)
    a, b = factors("normal", generator)
    c = a @ b
    passed = 0
    for _ in range(1000):
        one, other = torch.randperm(64, generator=generator)[:2].tolist()
        struck = c.clone()
        struck[5, one] += 100.0
        struck[5, other] -= 100.0
        passed += not bool(check(a, b, struck, sketches).verdict()[0])
    assert passed <= 3


@pytest.mark.parametrize("shape", [(1, 5), (700, 300), (3000, 90)])
def test_norms_and_products_of_blocks_are_those_of_the_whole(shape: tuple[int, int]) -> None:
    a, w = torch.randn(shape), torch.randn(shape[1])
    right, norms = mv_and_norms(a, w)
    torch.testing.assert_close(right, a @ w)
    torch.testing.assert_close(norms, a.norm(dim=1))
    torch.testing.assert_close(row_norms(a.t().contiguous().t()), a.norm(dim=1))


def test_nan_and_infinity() -> None:
    a, b = factors("normal", torch.Generator().manual_seed(4))
    c = a @ b
    c[3, 3] = math.nan
    assert [bool(each) for each in check(a, b, c, Sketches(4)).verdict()] == [True, False]
    a[7, 7] = math.inf
    assert [bool(each) for each in check(a, b, a @ b, Sketches(4)).verdict()] == [False, True]
