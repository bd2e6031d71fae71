"""Single passes over tensors on a CPU: what a check needs of a matrix while it is read once.

Torch's own operators would read it once for each sum, and write what is between them. The loops of `loops` are compiled
on first use, for each format, and the result is kept on disk where it can be. They work on torch's count of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skyhall.integrity import elementwise_loops, loops

__all__ = [
    "agree", "backward_rows", "can_pass", "column_products", "forward_rows", "gradient_columns", "head_sums",
    "plain_memory", "row_products", "same_rows", "sizes", "within", "word_sums",
]  # fmt: skip

_WORTH_A_THREAD = 1 << 20  # bytes
_FORMATS = (torch.float32, torch.float64)
_WORDS = {torch.float32: (torch.int32, 2**31 - 1), torch.float64: (torch.int64, 2**63 - 1)}


def can_pass(*matrices: Tensor) -> bool:
    """Say whether matrices can be read here: on a CPU, in one of the wide formats, each row whole in memory."""
    return all(
        plain_memory(each)
        and each.dtype in _FORMATS
        and each.dtype == matrices[0].dtype
        and each.is_contiguous()
        for each in matrices
    )


def plain_memory(tensor: Tensor) -> bool:
    """Say whether a tensor is memory of a CPU, and no subclass that stands for something else."""
    return tensor.device.type == "cpu" and type(tensor).__torch_dispatch__ is Tensor.__torch_dispatch__


def forward_rows(a: Tensor, w: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a @ w, the norms of a's rows, and a @ z, each (M,)."""
    found = _by_rows(loops.forward_rows, 3, a, w, z)
    return found[0], found[1], found[2]


def row_products(a: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return a @ w and the norms of a's rows, both (M,)."""
    return forward_rows(a, w, w)[:2]  # memory sets the pace: a second product costs nothing


def backward_rows(g: Tensor, w: Tensor, u: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return g @ w and the norms of g's rows, both (M,), and u @ g and the norms of its columns, both (N,)."""
    loop, spans = _compiled(loops.backward_rows), _spans(g.shape[0], g.nbytes)
    matrix, vector, by_row = _array(g), _array(w), _array(u)
    rows = np.empty((2, g.shape[0]), matrix.dtype)
    columns = np.empty((len(spans), 2, g.shape[1]))

    def part(number: int) -> None:
        own = spans[number]
        loop(
            matrix[own],
            vector,
            by_row[own],
            rows[0, own],
            rows[1, own],
            columns[number, 0],
            columns[number, 1],
        )

    _each(part, len(spans))
    by_rows, by_columns = torch.from_numpy(rows), torch.from_numpy(columns.sum(0))
    return by_rows[0], by_rows[1], by_columns[0].to(g.dtype), by_columns[1].sqrt_().to(g.dtype)


def column_products(a: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Return u @ a and the norms of a's columns, both (K,)."""
    loop, spans = _compiled(loops.column_products), _spans(a.shape[0], a.nbytes)
    matrix, vector = _array(a), _array(u)
    columns = np.empty((len(spans), 2, a.shape[1]))

    def part(number: int) -> None:
        loop(matrix[spans[number]], vector[spans[number]], columns[number, 0], columns[number, 1])

    _each(part, len(spans))
    by_columns = torch.from_numpy(columns.sum(0))
    return by_columns[0].to(a.dtype), by_columns[1].sqrt_().to(a.dtype)


def within(value: Tensor, norms: Tensor, factor: float, offset: float) -> bool:
    """Return whether each |value| (M,) is at most norms (M,) × factor + offset, and that is finite."""
    return bool(_compiled(loops.within)(value.numpy(), norms.numpy(), factor, offset))


def word_sums(memory: Tensor, blocks: int) -> Tensor:
    """Return the sums (int64, `blocks` of 512 words and one of the rest) of a tensor's memory, given as bytes (n,)."""
    array = memory.numpy()
    whole = array.shape[0] // 8 * 8
    words, tail = array[:whole].view(np.int64), array[whole:]
    sums = np.empty(blocks + 1, np.int64)
    loop, spans = _compiled(loops.word_sums), _spans(blocks, array.shape[0])
    if len(spans) == 1:
        loop(words, tail, sums)
        return torch.from_numpy(sums)

    def part(number: int) -> None:
        own = spans[number]
        if number + 1 == len(spans):
            loop(words[512 * own.start :], tail, sums[own.start :])
        else:
            held = np.empty(own.stop - own.start + 1, np.int64)
            loop(words[512 * own.start : 512 * own.stop], tail[:0], held)
            sums[own] = held[:-1]

    _each(part, len(spans))
    return torch.from_numpy(sums)


def sizes(tensor: Tensor) -> tuple[float, float]:
    """Return the sum of squares and the largest size of a tensor's elements; NaN if one of them is."""
    kind, below = _WORDS[tensor.dtype]
    values = tensor.detach().view(-1)
    words = values.view(kind).numpy()
    mask, found = np.array([below], words.dtype), np.empty(1)
    _compiled(loops.sizes)(values.numpy(), words, mask, found)
    return float(found[0]), float(mask.view(values.numpy().dtype)[0])


def head_sums(
    query: Tensor, key: Tensor, value: Tensor, grad_out: Tensor, grads: tuple[Tensor, Tensor, Tensor]
) -> tuple[Any, Any, Any]:
    """Return sums (B, H, 4, d), sizes (B, H, 3, d) and longest rows (B, H, 4), float64, as `loops.head_loops` tells."""
    batch, heads, _, width = query.shape
    over_queries, over_keys = _compiled_heads(width)
    sums, found = np.zeros((batch, heads, 4, width)), np.zeros((batch, heads, 3, width))
    longest = np.zeros((batch, heads, 4))
    by_query, by_key = (query, grad_out, grads[0]), (key, value, grads[1], grads[2])
    places = [np.array([each.stride()[:3] for each in some], np.int64) for some in (by_query, by_key)]
    memories = [[_memory(each) for each in some] for some in (by_query, by_key)]
    spans = _spans(batch, sum(each.nbytes for each in (*by_query, *by_key)))

    def part(number: int) -> None:
        own = spans[number]
        shape = (own.stop - own.start, heads)
        for loop, tensors, some, at in zip(
            (over_queries, over_keys), (by_query, by_key), memories, places, strict=True
        ):
            begun = [memory[own.start * place[0] :] for memory, place in zip(some, at, strict=True)]
            loop(
                *begun,
                at,
                np.array([*shape, tensors[0].shape[2]], np.int64),
                sums[own],
                found[own],
                longest[own],
            )

    _each(part, len(spans))
    return sums, found, longest


def agree(loop: Callable[..., bool], rows: Sequence[Tensor], *whole: Any) -> bool:
    """Return what a loop of `elementwise_loops` says of tensors, parted along their first axis, beside others."""
    compiled, spans = _compiled(loop), _spans(rows[0].shape[0], sum(each.nbytes for each in rows))
    arrays = [_array(each) for each in rows]
    others = [_array(each) if isinstance(each, Tensor) else each for each in whole]
    right = [False] * len(spans)

    def part(number: int) -> None:
        right[number] = bool(compiled(*[each[spans[number]] for each in arrays], *others))

    _each(part, len(spans))
    return all(right)


def gradient_columns(rows: Sequence[Tensor], gain: Tensor) -> tuple[bool, Any]:
    """Return what `elementwise_loops.layer_norm_gradient` says, and the columns (4, N) that it fills in.

    Parameters
    ----------
    rows : g, x, d (M, N), mean and rstd (M,), as it takes them.
    gain : (N,).
    """
    compiled = _compiled(elementwise_loops.layer_norm_gradient)
    spans = _spans(rows[0].shape[0], sum(each.nbytes for each in rows))
    arrays, own = [_array(each) for each in rows], _array(gain)
    columns = np.empty((len(spans), 4, gain.shape[0]))
    right = [False] * len(spans)

    def part(number: int) -> None:
        some = [each[spans[number]] for each in arrays]
        right[number] = bool(compiled(*some, own, columns[number]))

    _each(part, len(spans))
    return all(right), columns.sum(0)


def same_rows(one: Tensor, other: Tensor, places: Any, shape: Any) -> bool:
    """Return what `elementwise_loops.same_rows` says of two float32 tensors."""
    words = [_memory(each).view(np.int32) for each in (one, other)]
    return bool(_compiled(elementwise_loops.same_rows)(*words, places, shape))


def _by_rows(loop: Callable[..., None], results: int, matrix: Tensor, *vectors: Tensor) -> Tensor:
    """Return the results (results, M) of a loop over the rows of a matrix (M, K), beside which it takes vectors."""
    compiled, spans = _compiled(loop), _spans(matrix.shape[0], matrix.nbytes)
    array, others = _array(matrix), [_array(each) for each in vectors]
    found = np.empty((results, matrix.shape[0]), array.dtype)

    def part(number: int) -> None:
        own = spans[number]
        compiled(array[own], *others, *found[:, own])

    _each(part, len(spans))
    return torch.from_numpy(found)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


def _memory(tensor: Tensor) -> Any:
    """Return the memory between a tensor's first and last element as one array."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.detach().as_strided((last + 1,), (1,)).numpy()


@cache
def _compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """Return a loop compiled, from the cache on disk where there is one. Sums in any order; NaN and infinity kept."""
    import numba

    options: dict[str, Any] = {
        "fastmath": {"reassoc", "contract", "nsz"},
        "nogil": True,
        "error_model": "numpy",
    }
    try:
        found: Callable[..., None] = numba.njit(cache=True, **options)(loop)
    except RuntimeError:  # Numba finds no place for its cache
        found = numba.njit(**options)(loop)
    return found


@cache
def _compiled_heads(width: int) -> tuple[Callable[..., None], Callable[..., None]]:
    queries, keys = loops.head_loops(width)
    return _compiled(queries), _compiled(keys)


def _spans(count: int, size: int) -> list[slice]:
    """Return parts of `count` things of together `size` bytes, one for each of torch's threads where that pays."""
    threads = min(count, size // _WORTH_A_THREAD)
    if threads > 1:
        threads = min(threads, torch.get_num_threads())
    if threads <= 1:
        return [slice(0, count)]
    ends = [count * each // threads for each in range(threads + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _each(part: Callable[[int], None], count: int) -> None:
    if count == 1:
        part(0)
    else:
        list(_threads().map(part, range(count)))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="skyhall-pass")


if hasattr(os, "register_at_fork"):  # threads do not survive a fork
    os.register_at_fork(after_in_child=_threads.cache_clear)
