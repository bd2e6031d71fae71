from __future__ import annotations

from typing import Any

import pytest
import torch

from skyhall.integrity.ledger import same_bits
from skyhall.integrity.sums import StateSums, block_sums

pytestmark = pytest.mark.ml


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int8, torch.bool], ids=str
)
def test_any_flipped_bit_changes_the_sum_of_its_block(dtype: Any) -> None:
    generator = torch.Generator().manual_seed(1)
    tensor = torch.randn(3001, generator=generator).mul_(9).to(dtype)
    before = block_sums(tensor)
    raw = tensor.view(torch.uint8)
    per_block = 4096 // tensor.element_size() * tensor.element_size()
    for byte in torch.randint(raw.numel(), (300,), generator=generator).tolist():
        for bit in (0, 7):
            raw[byte] ^= 1 << bit
            changed = (block_sums(tensor) != before).nonzero().flatten().tolist()
            assert changed == [min(byte // per_block, len(before) - 1)]
            raw[byte] ^= 1 << bit
    assert torch.equal(block_sums(tensor), before)


def test_words_that_change_places_between_blocks_are_seen() -> None:
    tensor = torch.randn(4096)
    before = block_sums(tensor)
    tensor[[10, 3000]] = tensor[[3000, 10]]
    assert not torch.equal(block_sums(tensor), before)


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (64, 33), (0,)])
def test_shapes_of_every_kind_have_sums(shape: tuple[int, ...]) -> None:
    assert block_sums(torch.ones(shape)).dtype == torch.int64


def test_a_transposed_weight_has_the_sums_of_its_memory() -> None:
    weight = torch.randn(60, 50)
    assert torch.equal(block_sums(weight.t()), block_sums(weight))


def test_a_tensor_at_an_odd_place_in_memory_has_sums() -> None:
    assert torch.equal(block_sums(torch.arange(9.0)[1:]), block_sums(torch.arange(9.0)[1:].clone()))


def test_changed_names_the_tensor_and_the_block() -> None:
    state = {"a": torch.randn(5000), "b": torch.randn(10)}
    sums = StateSums()
    sums.renew(state)
    assert sums.changed(state) == {}
    state["a"][2500] = 0.0
    assert sums.changed(state) == {"a": (2,)}


def test_a_tensor_of_another_size_counts_as_changed() -> None:
    sums = StateSums()
    sums.renew({"a": torch.zeros(5000)})
    assert "a" in sums.changed({"a": torch.zeros(10)})


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.float64, torch.int8, torch.complex64, torch.int64], ids=str
)
@pytest.mark.parametrize("shape", [(), (3,), (8,), (5, 7), (4, 6), (0,)], ids=str)
def test_same_bits_compares_every_bit(dtype: Any, shape: tuple[int, ...]) -> None:
    one = torch.randn(shape, generator=torch.Generator().manual_seed(1)).mul_(9).to(dtype)
    assert same_bits(one, one.clone())
    if one.numel():
        other = one.clone()
        other.view(-1).view(torch.uint8)[-1] ^= 1
        assert not same_bits(one, other)


def test_nan_has_its_own_bits_and_the_two_zeros_differ() -> None:
    one = torch.full((8, 8), float("nan"))
    assert same_bits(one, one.clone())
    assert same_bits(one.t(), one.clone().t())
    assert not same_bits(torch.zeros(8), -torch.zeros(8))
    assert same_bits(torch.arange(9.0)[1:], torch.arange(9.0)[1:].clone())
