"""The bits of tensors: views as unsigned words, flips, stuck bits, and which bit means what.

Nothing here rounds or converts: a tensor is seen through an integer dtype of its own width, so that what is flipped are
the bits that lie in memory. A bit's number is its weight: bit 0 is the least significant of the word.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from skyhall.integrity.errors import IntegrityError, nearest

__all__ = [
    "DTYPES",
    "FIELDS",
    "bit_field",
    "bits_of",
    "dtype_name",
    "flip",
    "mask_of",
    "stick",
    "width",
    "words",
]

# Word of the same width. Torch's unsigned types wider than 8 bits have no bitwise kernels; two's complement is the
# same bits.
_WORD = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
# Exponent and mantissa bits (IEEE 754-2019 table 3.5; bfloat16: binary32 cut to its upper half).
_FLOATS = {
    torch.float64: (11, 52),
    torch.float32: (8, 23),
    torch.float16: (5, 10),
    torch.bfloat16: (8, 7),
}
DTYPES = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
    "int8": torch.int8,
    "int32": torch.int32,
    "int64": torch.int64,
    "bytes": torch.uint8,
}
FIELDS = ("all", "sign", "exponent", "top-exponent", "mantissa", "high", "low")


def dtype_name(dtype: torch.dtype) -> str:
    """Return the short name that rows and fault lists use, such as ``fp32``, ``bf16``, ``int8``, ``bytes``."""
    for name, known in DTYPES.items():
        if known == dtype:
            return name
    return str(dtype).removeprefix("torch.")


def width(dtype: torch.dtype) -> int:
    """Return the bits of one element."""
    return 8 * dtype.itemsize


def words(tensor: Tensor) -> Tensor:
    """Return `tensor`'s memory as integers of the same width: same shape, shared storage.

    Raises
    ------
    IntegrityError
        When the elements are wider than 64 bits (complex128), or share memory with one another (an expanded tensor).
    """
    if tensor.dtype.itemsize not in _WORD:
        raise IntegrityError(f"elements of {tensor.dtype} are wider than 64 bits", "view_as_real them first")
    if any(stride == 0 and size > 1 for stride, size in zip(tensor.stride(), tensor.shape, strict=True)):
        raise IntegrityError("elements of an expanded tensor share their bits", "give its base, or a clone")
    return tensor.detach().view(_WORD[tensor.dtype.itemsize])


def flip(tensor: Tensor, elements: Sequence[int] | Tensor, mask: int) -> None:
    """Flip the bits of `mask` in some elements, in place.

    Parameters
    ----------
    elements : indices into the flattened tensor (row-major), each at most once.
    mask : bits to flip in each; bit 0 is the least significant.
    """
    view, where = _picked(tensor, elements)
    view[where] = view[where] ^ _signed(mask, width(tensor.dtype))


def stick(tensor: Tensor, elements: Sequence[int] | Tensor, mask: int, value: int) -> None:
    """Force the bits of `mask` in some elements to `value` (0 or 1), in place, as a stuck cell or line does."""
    view, where = _picked(tensor, elements)
    bits = _signed(mask, width(tensor.dtype))
    view[where] = (view[where] | bits) if value else (view[where] & ~bits)


def bit_field(dtype: torch.dtype, bit: int) -> str:
    """Return what a bit means: ``sign``, ``exponent``, ``mantissa`` of a float; ``sign``, ``value`` of an integer."""
    if not 0 <= bit < width(dtype):
        raise IntegrityError(f"{dtype_name(dtype)} has no bit {bit}", f"0 to {width(dtype) - 1}")
    if dtype in _FLOATS:
        exponent, mantissa = _FLOATS[dtype]
        if bit < mantissa:
            return "mantissa"
        return "exponent" if bit < mantissa + exponent else "sign"
    return "sign" if dtype.is_signed and bit == width(dtype) - 1 else "value"


def bits_of(dtype: torch.dtype, which: str) -> tuple[int, ...]:
    """Return the bits that a text names, ascending.

    Parameters
    ----------
    which : ``all``; a field (``sign``, ``exponent``, ``top-exponent``: its most significant bit, ``mantissa``);
        ``high`` or ``low``: half of the word; a bit (``30``), a range (``23-30``), or several of these with ``+``
        between them (``sign+exponent``). An integer has a sign (if signed) and neither exponent nor mantissa.

    Raises
    ------
    IntegrityError
        When the text names nothing, or nothing that this dtype has.
    """
    found: set[int] = set()
    for part in which.split("+"):
        found |= set(_named(dtype, part.strip()))
    return tuple(sorted(found))


def mask_of(bits: Sequence[int]) -> int:
    """Return the mask with these bits set."""
    return reduce(operator.or_, (1 << bit for bit in bits), 0)


def _named(dtype: torch.dtype, part: str) -> Sequence[int]:
    size = width(dtype)
    if part == "all":
        return range(size)
    if part == "high":
        return range(size // 2, size)
    if part == "low":
        return range(size // 2)
    if part in FIELDS:
        field = "exponent" if part == "top-exponent" else part
        bits = [bit for bit in range(size) if bit_field(dtype, bit) == field]
        if not bits:
            raise IntegrityError(
                f"{dtype_name(dtype)} has no {field}", "choose all, high, low, or bits by number"
            )
        return bits[-1:] if part == "top-exponent" else bits
    low, dash, high = part.partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()):
        right = nearest(part, FIELDS)
        raise IntegrityError(f"there are no bits '{part}'", f"{right} Or a number, or a range such as 23-30")
    first, last = int(low), int(high or low)
    if not first <= last < size:
        raise IntegrityError(f"{dtype_name(dtype)} has no bits {part}", f"0 to {size - 1}, lower end first")
    return range(first, last + 1)


def _picked(tensor: Tensor, elements: Sequence[int] | Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the words and the index of the elements; an index of several parts reaches strided tensors in place."""
    view = words(tensor)
    flat = torch.as_tensor(elements, dtype=torch.int64, device=tensor.device).reshape(-1)
    if tensor.dim() == 0:
        view = view.reshape(1)
    return view, torch.unravel_index(flat, view.shape)


def _signed(mask: int, size: int) -> int:
    """Return the mask as the two's complement number that the word's dtype can take."""
    if not 0 <= mask < 1 << size:
        raise IntegrityError(f"mask {mask:#x} does not fit into {size} bits")
    return mask - (1 << size) if size > 8 and mask >> (size - 1) else mask
