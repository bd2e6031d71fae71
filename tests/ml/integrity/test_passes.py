from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from skyhall.integrity import passes
from skyhall.integrity.guards import Ceiling, norm_and_peak
from skyhall.integrity.sums import block_sums

pytestmark = pytest.mark.ml

SHAPES = [(1, 1), (3, 5), (4, 8), (7, 33), (130, 257)]


@pytest.fixture(params=[1, 3])
def threads(request: Any, monkeypatch: Any) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    monkeypatch.setattr(passes, "_WORTH_A_THREAD", 64)  # so that small matrices are parted too
    yield request.param
    torch.set_num_threads(before)


def drawn(*shape: int, dtype: Any, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def close(found: Tensor, exact: Tensor, dtype: Any) -> None:
    scale = 1e-5 if dtype == torch.float32 else 1e-13
    torch.testing.assert_close(found.double(), exact, rtol=scale, atol=scale * math.sqrt(exact.numel() + 300))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_passes_over_matrices_give_products_and_norms(threads: int, dtype: Any) -> None:
    for rows, columns in SHAPES:
        a = drawn(rows, columns, dtype=dtype)
        w, z = drawn(columns, dtype=dtype, seed=2), drawn(columns, dtype=dtype, seed=3)
        u = drawn(rows, dtype=dtype, seed=5)
        norms = a.double().norm(dim=1)
        close(passes.forward_rows(a, w, z)[2], a.double() @ z.double(), dtype)
        for found in (passes.forward_rows(a, w, z), passes.row_products(a, w), passes.backward_rows(a, w, u)):
            close(found[0], a.double() @ w.double(), dtype)
            close(found[1], norms, dtype)
        for found in (passes.column_products(a, u), passes.backward_rows(a, w, u)[2:]):
            close(found[0], u.double() @ a.double(), dtype)
            close(found[1], a.double().norm(dim=0), dtype)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_stays_so(bad: float) -> None:
    a = torch.ones(9, 17)
    a[4, 3] = bad
    ones = torch.ones(17)
    right, norms = passes.row_products(a, ones)
    assert not right[4].isfinite()
    assert not norms[4].isfinite()
    assert right[:4].isfinite().all()
    below, squares = passes.column_products(a, torch.ones(9))
    assert not below[3].isfinite()
    assert not squares[3].isfinite()
    assert not passes.within(right, norms, 1e9, 0.0)
    assert not math.isfinite(passes.sizes(a)[0])
    assert math.isnan(passes.sizes(a)[1]) == math.isnan(bad)


def test_within_tells_each_side_of_a_limit() -> None:
    norms = torch.tensor([1.0, 2.0, 3.0])
    assert passes.within(torch.tensor([0.5, -1.0, 1.5]), norms, 0.5, 1e-9)
    for row, value in ((0, 0.51), (1, -1.1), (2, math.nan)):
        values = torch.tensor([0.5, -1.0, 1.5])
        values[row] = value
        assert not passes.within(values, norms, 0.5, 1e-9)
    assert not passes.within(torch.zeros(3), torch.tensor([1.0, math.inf, 1.0]), 1.0, 0.0)


@pytest.mark.parametrize("size", [0, 1, 5, 511, 4096, 4097, 65_537])
def test_word_sums_are_those_of_the_words(threads: int, size: int) -> None:
    memory = torch.randint(0, 256, (size,), generator=torch.Generator().manual_seed(size), dtype=torch.uint8)
    data = bytes(memory.numpy())
    blocks = size // 4096
    words = [int.from_bytes(data[at : at + 8], "little", signed=True) for at in range(0, size // 8 * 8, 8)]
    expected = [sum(words[512 * b : 512 * b + 512]) for b in range(blocks)]
    expected.append(sum(words[512 * blocks :]) + sum(data[size // 8 * 8 :]))
    found = [int(each) for each in passes.word_sums(memory, blocks)]
    assert found == [(each + 2**63) % 2**64 - 2**63 for each in expected]


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.int8, torch.bool, torch.complex64], ids=str
)
def test_a_flipped_bit_shows_in_the_sums_of_every_format(dtype: Any) -> None:
    tensor = torch.ones(7000).to(dtype)
    before = block_sums(tensor)
    tensor.view(torch.uint8)[5000] ^= 1
    assert (block_sums(tensor) != before).sum() == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("width", [1, 2, 5, 64])
def test_head_sums_are_the_sums_that_the_identities_compare(threads: int, width: int, dtype: Any) -> None:
    batch, heads, rows, keys = 3, 2, 37, 41

    def laid(number: int, length: int) -> Tensor:
        flat = drawn(batch, length, heads, width, dtype=dtype, seed=number)
        return flat.transpose(1, 2) if number % 2 else flat.transpose(1, 2).contiguous()

    query, grad_out, grad_query = (laid(number, rows) for number in (1, 2, 3))
    key, value, grad_key, grad_value = (laid(number, keys) for number in (4, 5, 6, 7))
    sums, sizes, longest = passes.head_sums(query, key, value, grad_out, (grad_query, grad_key, grad_value))
    query, key, value, grad_out, grad_query, grad_key, grad_value = (
        each.double() for each in (query, key, value, grad_out, grad_query, grad_key, grad_value)
    )
    turned = query.mT @ grad_query - grad_key.mT @ key
    places = torch.arange(width)
    expected = torch.stack(
        [
            grad_value.sum(2) - grad_out.sum(2),
            grad_key.sum(2),
            turned[:, :, places, places],
            turned[
                :,
                :,
                places,
                torch.where(places < width // 2, places + width - width // 2, places - width // 2),
            ],
        ],
        2,
    )
    close(torch.from_numpy(sums), expected, dtype)
    lengths = grad_out.norm(dim=-1, keepdim=True)
    close(torch.from_numpy(sizes[:, :, 0]), grad_out.square().sum(2), dtype)
    close(torch.from_numpy(sizes[:, :, 1]), (query * lengths).square().sum(2), dtype)
    ends = [each.square().sum(-1).amax(-1) for each in (query, key, value)]
    ends.append(query.square().sum(-1).amin(-1))
    close(torch.from_numpy(longest), torch.stack(ends, -1), dtype)
    close(torch.from_numpy(sizes[:, :, 2]), query.square().sum(2), dtype)


def test_threads_of_a_pass_do_not_outlive_a_fork(monkeypatch: Any) -> None:
    monkeypatch.setattr(passes, "_WORTH_A_THREAD", 64)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        a, w = torch.ones(64, 64), torch.ones(64)
        passes.row_products(a, w)
        child = os.fork()
        if child == 0:  # with the parent's pool it would wait for threads that are not there
            os._exit(0 if bool((passes.row_products(a, w)[0] == 64.0).all()) else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        torch.set_num_threads(before)


def test_norm_and_peak_are_torchs() -> None:
    generator = torch.Generator().manual_seed(2)
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.complex64):
        some = [torch.randn(n, generator=generator).to(dtype) for n in (1, 5000, 9001)]
        norm, peak = norm_and_peak(some)
        flat = torch.cat([torch.view_as_real(each).flatten() if each.is_complex() else each for each in some])
        assert norm == pytest.approx(
            float(flat.double().norm()), rel=1e-2 if dtype == torch.bfloat16 else 1e-5
        )
        assert peak == float(flat.abs().max())
    assert norm_and_peak([]) == (0.0, 0.0)
    assert all(math.isnan(each) for each in norm_and_peak([torch.ones(3), torch.tensor([1.0, math.nan])]))
    assert norm_and_peak([torch.tensor([-math.inf])]) == (math.inf, math.inf)


def test_a_ceiling_falls_to_twice_what_is_usual_and_rises_no_higher_than_one() -> None:
    ceiling = Ceiling()
    assert not ceiling.doubts(0.9)
    assert ceiling.doubts(1.1)
    assert ceiling.doubts(math.nan)
    for _ in range(8):
        ceiling.learn(0.1)
    assert not ceiling.doubts(0.19)
    assert ceiling.doubts(0.21)
    ceiling.learn(0.8)
    assert not ceiling.doubts(0.99)
    assert ceiling.doubts(1.01)
    for _ in range(64):
        ceiling.learn(0.1)
    assert ceiling.doubts(0.21)
