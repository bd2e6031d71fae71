"""Digests of state: SHA-256 over canonical bytes, so that two executions agree or do not, bit for bit."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["digest_of", "majority"]


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 (64 hex digits) of named tensors, whatever their order in the mapping and in memory.

    For each name in sorted order: name, dtype and shape as text, and the elements in row-major order as the machine
    holds them. NaNs with other bits, and the two zeros, differ.
    """
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach()
        total.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        plain = tensor.to("cpu").contiguous().reshape(-1)
        total.update(memoryview(plain.view(torch.uint8).numpy()) if plain.numel() else b"")
    return total.hexdigest()


def majority(digests: Sequence[str]) -> str | None:
    """Return the digest that more than half of the executions have; None where none has, never a guess."""
    if not digests:
        return None
    digest, votes = Counter(digests).most_common(1)[0]
    return digest if 2 * votes > len(digests) else None
