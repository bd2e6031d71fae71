from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from skyhall.integrity.products import exact_difference, residuals
from skyhall.integrity.rounding import accumulator
from skyhall.integrity.sketches import Sketches

pytestmark = pytest.mark.ml

KINDS = ("normal", "positive", "rows scaled", "columns scaled", "rank one", "outlier channel", "growing")
DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def factor(kind: str, rows: int, columns: int, generator: torch.Generator) -> Tensor:
    matrix = torch.randn(rows, columns, generator=generator)
    if kind == "positive":
        return matrix.abs() + 1.0
    if kind == "rows scaled":
        return matrix * torch.logspace(-3, 3, rows)[:, None]
    if kind == "columns scaled":
        return matrix * torch.logspace(-3, 3, columns)
    if kind == "rank one":
        return matrix[:, :1] @ matrix[:1]
    if kind == "outlier channel":
        matrix[:, columns // 3] *= 300.0
    if kind == "growing":
        return torch.arange(rows * columns).view(rows, columns) / rows
    return matrix


def check(a: Tensor, b: Tensor, c: Tensor, sketches: Sketches, **given: Any) -> Any:
    return residuals(a, b, c, sketches.draw(b.shape[-1], accumulator(a.dtype), a.device), **given)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rounding_alone_never_raises_an_alarm(dtype: Any) -> None:
    generator, sketches = torch.Generator().manual_seed(1), Sketches(1)
    worst, products = 0.0, 0
    for rows, inner, columns in ((64, 32, 48), (16, 500, 40), (48, 64, 130)):
        for kind in KINDS:
            a = factor(kind, rows, inner, generator).to(dtype)
            b = factor(kind, inner, columns, generator).to(dtype)
            c = a @ b
            largest = torch.linalg.matrix_norm(b.double(), 2).to(accumulator(dtype)) * 1.001
            for each in (None, largest):
                for _ in range(120):
                    found = check(a, b, c, sketches, largest=each)
                    wrong, _ = found.verdict()
                    assert not wrong, (kind, rows, inner, columns)
                    checked = found.limit.isfinite() & found.value.isfinite()
                    ratio = (found.value.abs() / found.limit)[checked.expand_as(found.value)]
                    worst = max(worst, float(ratio.max()) if ratio.numel() else 0.0)
                    products += 1
    assert products == 5040  # of each of four formats: 2e4 in all
    assert 0.01 < worst < 0.5  # the limit is no looser than it must be, and is nowhere near being met


def test_a_long_inner_product_of_positive_numbers_raises_no_alarm() -> None:
    a, b = torch.rand(8, 50_000), torch.rand(50_000, 12)
    found = check(a, b, a @ b, Sketches(2))
    assert not found.verdict()[0]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_error_of_twice_the_limit_is_found_in_its_row(dtype: Any) -> None:
    generator, sketches = torch.Generator().manual_seed(3), Sketches(3)
    missed = 0
    for kind in ("normal", "positive", "rows scaled"):
        a = factor(kind, 40, 64, generator).to(dtype)
        b = torch.randn(64, 56, generator=generator).to(dtype)
        c = a @ b
        limit = check(a, b, c, sketches).limit.squeeze(-1)
        for _ in range(500):
            row, column = (int(torch.randint(size, (1,), generator=generator)) for size in c.shape)
            struck = c.to(torch.float64, copy=True)
            struck[row, column] += 2.2 * float(limit[row])
            found = check(a, b, struck.to(dtype), sketches)
            missed += not bool(found.wrong_rows()[row])
            assert int(found.wrong_rows().sum()) <= 1
    assert missed == 0


def test_an_error_cannot_raise_its_own_limit() -> None:
    a, b = torch.randn(16, 32), torch.randn(32, 24)
    c = a @ b
    struck = c.clone()
    struck[3, 5] = math.inf
    clean, hit = check(a, b, c, Sketches(4)), check(a, b, struck, Sketches(4))
    assert torch.equal(clean.limit, hit.limit)
    assert hit.wrong_rows().tolist() == [row == 3 for row in range(16)]


def test_nan_out_of_finite_factors_is_wrong() -> None:
    a, b = torch.randn(16, 32), torch.randn(32, 24)
    c = a @ b
    c[7, 0] = math.nan
    wrong, unknown = check(a, b, c, Sketches(5)).verdict()
    assert wrong
    assert not unknown


def test_a_row_with_nan_in_its_factor_is_unknown_and_the_others_are_checked() -> None:
    a, b = torch.randn(16, 32), torch.randn(32, 24)
    a[2, 3] = math.nan
    c = a @ b
    found = check(a, b, c, Sketches(6))
    assert [bool(each) for each in found.verdict()] == [False, True]
    c[9, 9] += 1.0
    assert check(a, b, c, Sketches(6)).wrong_rows().nonzero().flatten().tolist() == [9]


def test_an_honest_overflow_is_unknown_and_not_wrong() -> None:
    a, b = torch.full((4, 64), 300.0, dtype=torch.float16), torch.full((64, 40), 300.0, dtype=torch.float16)
    c = a @ b
    assert c.isinf().all()
    assert [bool(each) for each in check(a, b, c, Sketches(7)).verdict()] == [False, True]


@pytest.mark.parametrize("scale", [0.0, 1e-39, 1e-22])
def test_zeros_and_what_underflows_raise_no_alarm(scale: float) -> None:
    a, b = torch.randn(20, 64) * scale, torch.randn(64, 30) * scale
    assert not check(a, b, a @ b, Sketches(8)).verdict()[0]


def test_of_equal_and_opposite_errors_in_one_row_few_pass() -> None:
    generator, sketches = torch.Generator().manual_seed(9), Sketches(9)
    a, b = torch.randn(8, 32, generator=generator), torch.randn(32, 64, generator=generator)
    c = a @ b
    passed = 0
    for _ in range(2000):
        one, other = torch.randperm(64, generator=generator)[:2].tolist()
        struck = c.clone()
        struck[1, one] += 10.0
        struck[1, other] -= 10.0
        passed += not bool(check(a, b, struck, sketches).verdict()[0])
    assert passed <= 5  # 1 in 4,096 is expected


def test_integers_show_every_single_bit() -> None:
    generator, sketches = torch.Generator().manual_seed(10), Sketches(10)
    a = torch.randint(-128, 128, (32, 64), dtype=torch.int8, generator=generator)
    b = torch.randint(-128, 128, (64, 32), dtype=torch.int8, generator=generator)
    c = torch._int_mm(a, b)
    x = sketches.draw(32, torch.int32, c.device)
    assert not exact_difference(a, b, c, x).any()
    for bit in range(32):
        struck = c.clone()
        mask = -(2**31) if bit == 31 else 2**bit
        struck[bit % 32, (7 * bit) % 32] ^= mask
        assert exact_difference(a, b, struck, x).any()


def test_checksums_draw_nothing_from_the_models_generator() -> None:
    before = torch.get_rng_state()
    Sketches(0).draw(100_000, torch.float32, torch.device("cpu"))
    assert torch.equal(before, torch.get_rng_state())


def test_the_bound_of_a_weight_holds_through_training_zeros_and_nan() -> None:
    from skyhall.integrity.singular import SingularValues

    weight = torch.nn.Parameter(torch.randn(60, 40, generator=torch.Generator().manual_seed(1)))
    bounds = SingularValues(1)
    for _ in range(30):
        exact = float(torch.linalg.matrix_norm(weight.detach(), 2))
        assert exact <= float(bounds.bound(weight.t(), torch.float32)) <= 2.3 * exact
        with torch.no_grad():
            weight.mul_(0.97).add_(0.05 * torch.randn(60, 40))
    with torch.no_grad():
        weight.zero_()
    assert float(bounds.bound(weight, torch.float32)) < 1e-15
    with torch.no_grad():
        weight.fill_(math.nan)
    assert math.isnan(float(bounds.bound(weight, torch.float32)))
    with torch.no_grad():
        weight.fill_(1.0)
    assert float(bounds.bound(weight, torch.float32)) >= math.sqrt(60 * 40)
