r"""The file format of a checkpoint: values and tensors as canonical bytes, sealed with SHA-256.

    skyhall-checkpoint 1\n                                   ASCII, 21 bytes
    length of the header in bytes                            unsigned, 8 bytes, little-endian
    header                                                   JSON, UTF-8, keys sorted, no spaces
    zeros up to the next multiple of 64
    tensors, one after another, each at a multiple of 64     row-major, little-endian
    SHA-256 of everything before                             32 bytes

The header holds a tree of values in which ``{"tensor": n}`` stands for the n-th tensor, and the tensors' dtypes, shapes
and offsets. The same state gives the same bytes: there is no time, path or order of insertion in them. Nothing is
executed when it is read: there is no pickle. The digest is checked over the whole file before anything is interpreted.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skyhall.integrity.errors import CheckpointError

__all__ = ["MAGIC", "pack", "unpack"]

MAGIC = b"skyhall-checkpoint 1\n"
_ALIGN = 64
_DIGEST = 32
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
    )
}
_PLAIN = (str, int, float, bool, type(None))


def pack(tree: Any) -> bytearray:
    """Return the file's bytes for a tree of dicts, lists, tuples, numbers, texts, bytes, arrays and tensors.

    Raises
    ------
    CheckpointError
        For a value of another kind, with its place in the tree.
    """
    tensors: list[Tensor] = []
    values = _plain(tree, tensors, "")
    described, offset = [], 0
    for tensor in tensors:
        size = tensor.numel() * tensor.dtype.itemsize
        described.append(
            {"dtype": _name(tensor), "shape": list(tensor.shape), "offset": offset, "bytes": size}
        )
        offset += -(-size // _ALIGN) * _ALIGN
    header = json.dumps(
        {"tensors": described, "values": values}, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    ).encode()
    out = bytearray(MAGIC + len(header).to_bytes(8, "little") + header)
    _pad(out)
    for tensor in tensors:
        out += _raw(tensor)
        _pad(out)
    out += hashlib.sha256(out).digest()
    return out


def unpack(data: bytes | bytearray) -> Any:
    """Return the tree that `pack` packed, tensors on the CPU.

    Raises
    ------
    CheckpointError
        When the bytes are no checkpoint, of another version, truncated, or differ from their digest: says which.
    """
    if not data.startswith(MAGIC):
        known = data.startswith(MAGIC[: MAGIC.index(b" ")])
        raise CheckpointError(
            "is of another version" if known else "is no checkpoint, or its first bytes are wrong"
        )
    start = len(MAGIC) + 8
    length = int.from_bytes(data[len(MAGIC) : start], "little")
    sealed = memoryview(data)[:-_DIGEST]  # a slice of the bytes would copy them
    if hashlib.sha256(sealed).digest() != data[-_DIGEST:]:
        raise CheckpointError(_difference(data, start, length))
    header = json.loads(data[start : start + length])
    base = -(-(start + length) // _ALIGN) * _ALIGN
    tensors = [_tensor(sealed, base, described) for described in header["tensors"]]
    return _tree(header["values"], tensors)


def _difference(data: bytes | bytearray, start: int, length: int) -> str:
    """Say what is wrong with a file whose digest differs: cut, or changed."""
    try:
        header = json.loads(data[start : start + length])
        base = -(-(start + length) // _ALIGN) * _ALIGN
        ends = [each["offset"] + -(-each["bytes"] // _ALIGN) * _ALIGN for each in header["tensors"]]
        whole = base + max(ends, default=0) + _DIGEST
    except (ValueError, KeyError, TypeError, OverflowError):
        whole = start + length + _DIGEST
    if len(data) < whole:
        return f"is truncated: {len(data):,} of {whole:,} bytes"
    return "has bytes that differ from its SHA-256"


def _plain(value: Any, tensors: list[Tensor], place: str) -> Any:
    """Return `value` as JSON; tensors and arrays go to `tensors`."""
    if isinstance(value, np.ndarray):
        return {
            "array": _plain(torch.from_numpy(_unsigned(value)), tensors, place)["tensor"],
            "of": str(value.dtype),
        }
    if isinstance(value, Tensor):
        if _name(value) not in _DTYPES:
            raise CheckpointError(
                f"{place or 'the state'} is a tensor of {value.dtype}, which has no place in a file"
            )
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if isinstance(value, np.generic):
        return _plain(value.item(), tensors, place)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_plain(each, tensors, f"{place}[{index}]") for index, each in enumerate(value)]}
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, (str, int)) or isinstance(key, bool):
                raise CheckpointError(
                    f"{place or 'the state'} has the key {key!r}, neither text nor whole number"
                )
        keys = sorted(value, key=lambda key: (isinstance(key, str), key))
        return {"dict": [[key, _plain(value[key], tensors, f"{place}.{key}".lstrip("."))] for key in keys]}
    raise CheckpointError(f"{place or 'the state'} is a {type(value).__name__}, which has no place in a file")


def _tree(value: Any, tensors: list[Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "array" in value:
        return tensors[value["array"]].numpy().view(value["of"])
    if "bytes" in value:
        return bytes.fromhex(value["bytes"])
    if "dict" in value:
        return {key: _tree(each, tensors) for key, each in value["dict"]}
    if "tuple" in value:
        return tuple(_tree(each, tensors) for each in value["tuple"])
    return [_tree(each, tensors) for each in value["list"]]


def _name(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _unsigned(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array in a dtype that torch has, of the same bytes."""
    whole = np.ascontiguousarray(array)
    if whole.dtype.kind not in "fiub" or whole.dtype.itemsize > 8:
        raise CheckpointError(f"an array of {whole.dtype} has no place in a file")
    return whole.view({1: np.uint8, 2: np.int16, 4: np.int32, 8: np.int64}[whole.dtype.itemsize]).copy()


def _raw(tensor: Tensor) -> memoryview:
    held = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    size = tensor.dtype.itemsize
    if sys.byteorder == "big" and size > 1:
        held = held.reshape(-1, size)[:, ::-1]
    return np.ascontiguousarray(held).reshape(-1).data


def _tensor(data: memoryview, base: int, described: dict[str, Any]) -> Tensor:
    dtype, start = _DTYPES[described["dtype"]], base + described["offset"]
    held = np.frombuffer(data, dtype=np.uint8, count=described["bytes"], offset=start)
    if sys.byteorder == "big" and dtype.itemsize > 1:
        held = held.reshape(-1, dtype.itemsize)[:, ::-1]
    flat = torch.from_numpy(
        held.reshape(-1).copy()
    )  # own memory: the file's bytes may go, and alignment is torch's
    return (flat.view(dtype) if len(flat) else torch.empty(0, dtype=dtype)).reshape(described["shape"])


def _pad(out: bytearray) -> None:
    out += bytes(-len(out) % _ALIGN)
