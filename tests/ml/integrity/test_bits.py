"""Flips and stuck bits: exactly the asked bits change, in every dtype, whatever the tensor's layout."""

from __future__ import annotations

import math
import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skyhall.integrity.bits import DTYPES, bit_field, bits_of, dtype_name, flip, mask_of, stick, width, words
from skyhall.integrity.errors import IntegrityError

pytestmark = pytest.mark.ml

ALL = [*DTYPES.values(), torch.bool]


def random_bits(dtype: torch.dtype, count: int, seed: int) -> torch.Tensor:
    made = torch.Generator().manual_seed(seed)
    if dtype == torch.bool:
        return torch.randint(0, 2, (count,), generator=made).to(torch.bool)
    size = count * dtype.itemsize
    return torch.randint(0, 256, (size,), dtype=torch.uint8, generator=made).view(dtype)


def raw(tensor: torch.Tensor) -> bytes:
    return bytes(tensor.contiguous().view(-1).view(torch.uint8).tolist())


@given(dtype=st.sampled_from(ALL), seed=st.integers(0, 2**20), data=st.data())
def test_a_flip_changes_the_asked_bits_and_no_other_and_undoes_itself(
    dtype: torch.dtype, seed: int, data: st.DataObject
) -> None:
    tensor = random_bits(dtype, 12, seed)
    before = raw(tensor)
    elements = data.draw(st.lists(st.integers(0, 11), unique=True, min_size=1, max_size=12))
    mask = data.draw(st.integers(1, (1 << width(dtype)) - 1))
    flip(tensor, elements, mask)
    size = dtype.itemsize
    for index in range(12):
        old, new = (
            int.from_bytes(each[index * size : (index + 1) * size], "little")
            for each in (before, raw(tensor))
        )
        assert old ^ new == (mask if index in elements else 0)
    flip(tensor, elements, mask)
    assert raw(tensor) == before


@given(dtype=st.sampled_from(ALL), seed=st.integers(0, 2**20), value=st.integers(0, 1), data=st.data())
def test_a_stuck_bit_has_its_value_afterwards_and_sticking_again_changes_nothing(
    dtype: torch.dtype, seed: int, value: int, data: st.DataObject
) -> None:
    tensor = random_bits(dtype, 6, seed)
    before = raw(tensor)
    mask = data.draw(st.integers(1, (1 << width(dtype)) - 1))
    stick(tensor, [2, 5], mask, value)
    once = raw(tensor)
    size = dtype.itemsize
    for index in range(6):
        old, new = (
            int.from_bytes(each[index * size : (index + 1) * size], "little") for each in (before, once)
        )
        expected = (old | mask if value else old & ~mask) if index in (2, 5) else old
        assert new == expected
    stick(tensor, [2, 5], mask, value)
    assert raw(tensor) == once


def test_the_bits_of_a_float_are_those_of_ieee_754() -> None:
    number = torch.tensor([1.0])
    flip(number, [0], mask_of(bits_of(torch.float32, "sign")))
    assert number.item() == -1.0
    flip(number, [0], 1 << 30)
    assert number.item() == -math.inf
    number = torch.tensor([1.5])
    flip(number, [0], 1 << 23)
    assert number.item() == 0.75
    half = torch.tensor([1.0], dtype=torch.bfloat16)
    flip(half, [0], 1 << 6)
    assert half.item() == 1.5
    assert struct.unpack("<I", raw(torch.tensor([1.5])))[0] >> 22 == 0b0011111111


@pytest.mark.parametrize(
    ("dtype", "which", "bits"),
    [
        (torch.float32, "sign", (31,)),
        (torch.float32, "exponent", tuple(range(23, 31))),
        (torch.float32, "top-exponent", (30,)),
        (torch.float32, "mantissa", tuple(range(23))),
        (torch.float16, "exponent", tuple(range(10, 15))),
        (torch.bfloat16, "exponent", tuple(range(7, 15))),
        (torch.bfloat16, "high", tuple(range(8, 16))),
        (torch.int8, "sign", (7,)),
        (torch.int8, "all", tuple(range(8))),
        (torch.uint8, "low", tuple(range(4))),
        (torch.float32, "sign+30", (30, 31)),
        (torch.float32, "3-5+1", (1, 3, 4, 5)),
    ],
)
def test_bits_are_named(dtype: torch.dtype, which: str, bits: tuple[int, ...]) -> None:
    assert bits_of(dtype, which) == bits


@pytest.mark.parametrize("dtype", ALL)
def test_fields_and_halves_part_a_word(dtype: torch.dtype) -> None:
    fields = [bit_field(dtype, bit) for bit in range(width(dtype))]
    assert fields.count("sign") == (1 if dtype.is_signed else 0)
    assert sorted(bits_of(dtype, "low+high")) == list(range(width(dtype)))
    if dtype.is_floating_point:
        mantissa = round(-math.log2(torch.finfo(dtype).eps))
        assert fields.count("mantissa") == mantissa
        assert fields.count("exponent") == width(dtype) - 1 - mantissa


@pytest.mark.parametrize(
    ("dtype", "which", "told"),
    [
        (torch.int8, "exponent", "int8 has no exponent"),
        (torch.float16, "16", "0 to 15"),
        (torch.float32, "30-23", "lower end first"),
        (torch.float32, "exponnent", "did you mean 'exponent'"),
        (torch.float32, "-3", "there are no bits"),
    ],
)
def test_a_wrong_name_says_what_is_right(dtype: torch.dtype, which: str, told: str) -> None:
    with pytest.raises(IntegrityError, match=told):
        bits_of(dtype, which)


def test_strided_and_scalar_tensors_are_hit_in_place() -> None:
    base = torch.ones(3, 4)
    flip(base.t(), [1], 1 << 31)  # element (0, 1) of the transpose is (1, 0) of the base
    assert base[1, 0].item() == -1.0
    assert int((base == -1.0).sum()) == 1
    scalar = torch.tensor(2.0)
    flip(scalar, [0], 1 << 31)
    assert scalar.item() == -2.0


def test_a_view_shares_its_memory() -> None:
    tensor = torch.zeros(2)
    words(tensor)[1] = 0x3F800000
    assert tensor.tolist() == [0.0, 1.0]


def test_what_has_no_bits_of_its_own_is_refused() -> None:
    with pytest.raises(IntegrityError, match="share their bits"):
        flip(torch.zeros(1).expand(4), [2], 1)
    with pytest.raises(IntegrityError, match="wider than 64"):
        words(torch.zeros(1, dtype=torch.complex128))
    with pytest.raises(IntegrityError, match="does not fit"):
        flip(torch.zeros(1, dtype=torch.float16), [0], 1 << 16)


def test_names_of_dtypes() -> None:
    assert [dtype_name(dtype) for dtype in (torch.float32, torch.bfloat16, torch.uint8, torch.int16)] == [
        "fp32",
        "bf16",
        "bytes",
        "int16",
    ]
