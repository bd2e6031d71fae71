"""Exact sums of state at rest: weights, moments, buffers and gradients as the words that memory holds.

A tensor's bytes are taken as 64-bit words and added up, modulo 2⁶⁴, in blocks of 4 KiB. A flipped bit always changes
the sum of its block; flips hide only in opposite pairs of the same weight within one block. The block says where.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.passes import word_sums

__all__ = ["StateSums", "agree", "as_wide_words", "block_sums"]

_BLOCK = 512  # words of 64 bits: 4 KiB


def block_sums(tensor: Tensor) -> Tensor:
    """Return the sums (int64, one per block of 4 KiB, at least one) of a tensor's words.

    Parameters
    ----------
    tensor : of any dtype and shape; one that is not dense in memory is copied for it.
    """
    flat = _dense(tensor.detach().resolve_conj().resolve_neg())
    if flat.device.type == "cpu" and not flat.is_quantized:
        return word_sums(flat.view(torch.uint8), flat.numel() * flat.element_size() // (8 * _BLOCK))
    size = flat.element_size()
    per_word = 8 // size if size <= 8 else 1
    whole = flat.numel() // per_word * per_word
    blocked = whole // (per_word * _BLOCK) * (per_word * _BLOCK)
    parts = []
    if blocked:
        parts.append(_as_words(flat[:blocked]).view(-1, _BLOCK).sum(-1))
    rest = flat[blocked:whole]
    last = _as_words(rest).sum() if rest.numel() else torch.zeros((), dtype=torch.int64, device=flat.device)
    tail = flat[whole:]
    if tail.numel():
        last = last + tail.contiguous().view(torch.uint8).to(torch.int64).sum()
    parts.append(last.view(1))
    return torch.cat(parts)


def agree(one: Tensor, other: Tensor) -> Tensor:
    """Return whether two tensors' sums are the same (0-dim truth, on their device)."""
    if one.device.type == "cpu" or one.shape != other.shape:
        return torch.tensor(torch.equal(one, other) if one.shape == other.shape else False)
    return (one == other).all()


def as_wide_words(tensor: Tensor) -> Tensor | None:
    """Return a tensor's memory as int64 words, None where it does not divide into whole ones at whole addresses."""
    flat = _dense(tensor.detach())
    size = flat.element_size()
    if (
        not flat.numel()
        or flat.is_complex()
        or size > 8
        or flat.numel() * size % 8
        or flat.storage_offset() * size % 8
    ):
        return None
    return flat.view(torch.int64)


def _dense(tensor: Tensor) -> Tensor:
    """Return a tensor's elements in the order of memory, without a copy where it fills its memory."""
    if tensor.is_contiguous():
        return tensor.view(-1)
    order = sorted(range(tensor.dim()), key=tensor.stride, reverse=True)
    arranged = tensor.permute(order)
    return arranged.reshape(
        -1
    ).contiguous()  # what has gaps may come back as a view of every so many elements


def _as_words(flat: Tensor) -> Tensor:
    if flat.storage_offset() * flat.element_size() % 8:
        flat = flat.clone()  # words must begin at whole addresses
    if flat.is_complex():
        flat = torch.view_as_real(flat).reshape(-1)
    return flat.view(torch.int64)


class StateSums:
    """Remembers the sums of named tensors, and says which no longer agree.

    Sums are taken on each tensor's device; `changed` reads them all at once.
    """

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}

    def renew(self, tensors: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]]) -> None:
        """Remember the sums of these tensors as right."""
        for name, tensor in dict(tensors).items():
            self._sums[name] = block_sums(tensor)

    def forget(self, names: Iterable[str]) -> None:
        """Forget these tensors."""
        for name in names:
            self._sums.pop(name, None)

    def take(self, name: str, sums: Tensor) -> None:
        """Remember sums that were computed elsewhere."""
        self._sums[name] = sums

    def of(self, name: str) -> Tensor | None:
        """Return what is remembered of a tensor."""
        return self._sums.get(name)

    def changed(self, tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
        """Return the tensors whose bytes differ from what was remembered, with up to ten blocks of 4 KiB that do.

        A tensor that was never remembered is passed over; one of another size counts as changed.
        """
        known = [(name, tensor, self._sums[name]) for name, tensor in tensors.items() if name in self._sums]
        differing: list[tuple[str, Any]] = []
        for name, tensor, sums in known:
            now = block_sums(tensor)
            if now.device.type == "cpu" and torch.equal(now, sums):
                continue
            if now.shape != sums.shape:
                differing.append((name, None))
            else:
                differing.append((name, now != sums))
        flags = [each.any() for _, each in differing if each is not None]
        if flags and not bool(torch.stack([flag.to(flags[0].device) for flag in flags]).any()):
            differing = [(name, each) for name, each in differing if each is None]
        return {
            name: () if each is None else tuple(each.nonzero().flatten()[:10].tolist())
            for name, each in differing
            if each is None or bool(each.any())
        }
