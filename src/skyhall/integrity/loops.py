"""Loops that read memory once, as plain Python; `passes` compiles them.

Each takes arrays that it reads, then arrays that it fills. Sums are taken in any order, as their limits allow
(`rounding`); NaN and infinity stay what they are. They call nothing but NumPy's arithmetic, so that the compiler's
cache, which looks at this file alone, is never out of date.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "backward_rows", "column_products", "forward_rows", "head_loops", "sizes", "within", "word_sums",
]  # fmt: skip


def forward_rows(a: Any, w: Any, z: Any, right: Any, norms: Any, ahead: Any) -> None:
    """Fill `right` with a @ w, `norms` with those of a's rows and `ahead` with a @ z, each (M,).

    Parameters
    ----------
    a, w, z : (M, K), (K,), (K,), rows whole in memory.
    """
    zero = a.dtype.type(0.0)
    whole = a.shape[0] // 4 * 4
    for i in range(0, whole, 4):  # memory gives four rows side by side twice as fast as one after the other
        one, two, three, four = a[i], a[i + 1], a[i + 2], a[i + 3]
        r1, r2, r3, r4 = zero, zero, zero, zero
        h1, h2, h3, h4 = zero, zero, zero, zero
        n1, n2, n3, n4 = zero, zero, zero, zero
        for j in range(a.shape[1]):
            v1, v2, v3, v4 = one[j], two[j], three[j], four[j]
            by_w, by_z = w[j], z[j]
            r1 += v1 * by_w
            r2 += v2 * by_w
            r3 += v3 * by_w
            r4 += v4 * by_w
            h1 += v1 * by_z
            h2 += v2 * by_z
            h3 += v3 * by_z
            h4 += v4 * by_z
            n1 += v1 * v1
            n2 += v2 * v2
            n3 += v3 * v3
            n4 += v4 * v4
        right[i], right[i + 1], right[i + 2], right[i + 3] = r1, r2, r3, r4
        ahead[i], ahead[i + 1], ahead[i + 2], ahead[i + 3] = h1, h2, h3, h4
        norms[i], norms[i + 1] = np.sqrt(n1), np.sqrt(n2)
        norms[i + 2], norms[i + 3] = np.sqrt(n3), np.sqrt(n4)
    for i in range(whole, a.shape[0]):
        total, other, square = zero, zero, zero
        for j in range(a.shape[1]):
            total += a[i, j] * w[j]
            other += a[i, j] * z[j]
            square += a[i, j] * a[i, j]
        right[i], ahead[i], norms[i] = total, other, np.sqrt(square)


def backward_rows(g: Any, w: Any, u: Any, right: Any, norms: Any, below: Any, squares: Any) -> None:
    """Fill in from one read of g: g @ w and the norms of its rows; u @ g and the squares of its columns added up.

    Parameters
    ----------
    g, w, u : (M, N), (N,), (M,), rows whole in memory.
    right, norms : (M,).
    below, squares : (N,) float64.
    """
    zero = g.dtype.type(0.0)
    below[:] = 0.0
    squares[:] = 0.0
    some = np.zeros((2, g.shape[1]), g.dtype)
    part, power = some[0], some[1]
    whole = g.shape[0] // 4 * 4
    for start in range(0, whole, 32):  # short sums in the format, long ones in double precision
        some[:] = 0.0
        for i in range(start, min(whole, start + 32), 4):  # four rows at a time, for a quarter of the stores
            one, two, three, four = g[i], g[i + 1], g[i + 2], g[i + 3]
            u1, u2, u3, u4 = u[i], u[i + 1], u[i + 2], u[i + 3]
            r1, r2, r3, r4 = zero, zero, zero, zero
            n1, n2, n3, n4 = zero, zero, zero, zero
            for j in range(g.shape[1]):
                v1, v2, v3, v4 = one[j], two[j], three[j], four[j]
                s1, s2, s3, s4 = v1 * v1, v2 * v2, v3 * v3, v4 * v4
                weight = w[j]
                r1 += v1 * weight
                r2 += v2 * weight
                r3 += v3 * weight
                r4 += v4 * weight
                n1 += s1
                n2 += s2
                n3 += s3
                n4 += s4
                part[j] += (u1 * v1 + u2 * v2) + (u3 * v3 + u4 * v4)
                power[j] += (s1 + s2) + (s3 + s4)
            right[i], right[i + 1], right[i + 2], right[i + 3] = r1, r2, r3, r4
            norms[i], norms[i + 1] = np.sqrt(n1), np.sqrt(n2)
            norms[i + 2], norms[i + 3] = np.sqrt(n3), np.sqrt(n4)
        for j in range(g.shape[1]):
            below[j] += np.float64(part[j])
            squares[j] += np.float64(power[j])
    for i in range(whole, g.shape[0]):
        total = zero
        square = zero
        for j in range(g.shape[1]):
            value = g[i, j]
            total += value * w[j]
            square += value * value
            below[j] += np.float64(u[i] * value)
            squares[j] += np.float64(value * value)
        right[i] = total
        norms[i] = np.sqrt(square)


def column_products(a: Any, u: Any, below: Any, squares: Any) -> None:
    """Fill `below` with u @ a and `squares` with those of a's columns added up, both (K,) float64.

    Parameters
    ----------
    a, u : (M, K), (M,), rows whole in memory.
    """
    below[:] = 0.0
    squares[:] = 0.0
    some = np.zeros((2, a.shape[1]), a.dtype)
    part, power = some[0], some[1]
    whole = a.shape[0] // 4 * 4
    for start in range(0, whole, 32):  # as in `backward_rows`
        some[:] = 0.0
        for i in range(start, min(whole, start + 32), 4):
            one, two, three, four = a[i], a[i + 1], a[i + 2], a[i + 3]
            u1, u2, u3, u4 = u[i], u[i + 1], u[i + 2], u[i + 3]
            for j in range(a.shape[1]):
                v1, v2, v3, v4 = one[j], two[j], three[j], four[j]
                part[j] += (u1 * v1 + u2 * v2) + (u3 * v3 + u4 * v4)
                power[j] += (v1 * v1 + v2 * v2) + (v3 * v3 + v4 * v4)
        for j in range(a.shape[1]):
            below[j] += np.float64(part[j])
            squares[j] += np.float64(power[j])
    for i in range(whole, a.shape[0]):
        for j in range(a.shape[1]):
            below[j] += np.float64(u[i] * a[i, j])
            squares[j] += np.float64(a[i, j] * a[i, j])


def within(value: Any, norms: Any, factor: float, offset: float) -> bool:
    """Say whether each |value| (M,) is at most norms (M,) × factor + offset, and that is finite."""
    limit = np.float64(0.0)
    right = True
    for i in range(value.shape[0]):
        each = norms[i] * factor + offset
        right &= abs(value[i]) <= each  # false for NaN
        limit += each
    return bool(right) and bool(limit < np.inf)


def word_sums(words: Any, tail: Any, sums: Any) -> None:
    """Fill `sums` (B,) with the sums of 512 words each, modulo 2⁶⁴; the last one with the rest's, bytes included.

    Parameters
    ----------
    words, tail : int64 and uint8, one after the other in memory.
    """
    blocks = sums.shape[0] - 1
    for b in range(blocks):
        total = np.int64(0)
        block = words[512 * b : 512 * b + 512]
        for j in range(512):
            total += block[j]
        sums[b] = total
    total = np.int64(0)
    for j in range(512 * blocks, words.shape[0]):
        total += words[j]
    for j in range(tail.shape[0]):
        total += np.int64(tail[j])
    sums[blocks] = total


def sizes(values: Any, bits: Any, mask: Any, found: Any) -> None:
    """Fill `found` with the sum of squares (2,) and `mask` with the largest of the bits below it; NaN's are largest.

    Parameters
    ----------
    values, bits : (n,) floating point, and the same memory as integers.
    mask : (1,) all bits but the sign; receives the largest.
    """
    square = 0.0
    below = mask[0]
    largest = below & 0
    for start in range(
        0, values.shape[0], 4096
    ):  # short sums in the format, the long one in double precision
        part = values[start : start + 4096]
        words = bits[start : start + 4096]
        some = values.dtype.type(0.0)
        for j in range(part.shape[0]):
            some += part[j] * part[j]
        for j in range(words.shape[0]):
            largest = max(largest, words[j] & below)
        square += some
    found[0] = square
    mask[0] = largest


def head_loops(width: int) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return the loops over queries and over keys that `attention.identity_ratios` needs, for heads of this width.

    The width is a constant in them, for which they run twice as fast.
    """
    half = width // 2

    def queries(
        query: Any,
        grad_out: Any,
        grad_query: Any,
        places: Any,
        shape: Any,
        sums: Any,
        sizes: Any,
        longest: Any,
    ) -> None:
        """Fill in what one pass over Q, dO and dQ gives; arguments as for `keys`, (3, 3) places."""
        zero = query.dtype.type(0.0)
        some = np.zeros((shape[1], 6, width), query.dtype)
        lengths = np.zeros((shape[1], 2), query.dtype)
        for b in range(shape[0]):
            lengths[:, 0] = 0.0
            lengths[:, 1] = np.inf
            for start in range(0, shape[2], 32):  # short sums in the format, long ones in double precision
                some[:] = 0.0
                for i in range(start, min(shape[2], start + 32)):  # heads mostly lie side by side in a row
                    for h in range(shape[1]):
                        at = b * places[0, 0] + h * places[0, 1] + i * places[0, 2]
                        q = query[at : at + width]
                        at = b * places[1, 0] + h * places[1, 1] + i * places[1, 2]
                        g = grad_out[at : at + width]
                        at = b * places[2, 0] + h * places[2, 1] + i * places[2, 2]
                        d = grad_query[at : at + width]
                        out, square, flow = some[h, 0], some[h, 1], some[h, 2]
                        even, odd, own = some[h, 3], some[h, 4], some[h, 5]
                        length = zero
                        weight = zero
                        for c in range(width):
                            length += q[c] * q[c]
                            weight += g[c] * g[c]
                        lengths[h, 0] = max(lengths[h, 0], length)
                        lengths[h, 1] = min(lengths[h, 1], length)
                        for c in range(width):
                            out[c] += g[c]
                            square[c] += g[c] * g[c]
                            flow[c] += q[c] * q[c] * weight
                            own[c] += q[c] * q[c]
                            even[c] += q[c] * d[c]
                        for c in range(half):
                            odd[c] += q[c] * d[c + width - half]
                        for c in range(half, width):
                            odd[c] += q[c] * d[c - half]
                for h in range(shape[1]):
                    for c in range(width):
                        sums[b, h, 0, c] -= np.float64(some[h, 0, c])
                        sums[b, h, 2, c] += np.float64(some[h, 3, c])
                        sums[b, h, 3, c] += np.float64(some[h, 4, c])
                        sizes[b, h, 0, c] += np.float64(some[h, 1, c])
                        sizes[b, h, 1, c] += np.float64(some[h, 2, c])
                        sizes[b, h, 2, c] += np.float64(some[h, 5, c])
            for h in range(shape[1]):
                longest[b, h, 0] = np.float64(lengths[h, 0])
                longest[b, h, 3] = np.float64(lengths[h, 1])

    def keys(
        key: Any, value: Any, grad_key: Any, grad_value: Any, places: Any, shape: Any,
        sums: Any, sizes: Any, longest: Any,
    ) -> None:  # fmt: skip
        """Fill in what one pass over K, V, dK and dV gives.

        Parameters
        ----------
        key ... grad_value : memory of tensors (B, H, T, width) from their first element on, a row side by side.
        places : (4, 3) int64: how far apart batches, heads and rows lie in each.
        shape : (3,) int64: B, H, T.
        sums : (B, H, 4, width) float64, added to: 1ᵀ dV - 1ᵀ dO; 1ᵀ dK; of Qᵀ dQ - dKᵀ K the diagonal, and the
            elements half a width to its right.
        sizes : (B, H, 3, width) float64, added to: squares of dO's columns; squares of Q's, each row weighted with
            ‖dO‖²; squares of Q's.
        longest : (B, H, 4) float64: the largest squares of a row of Q, K and V, and the least of Q.
        """
        zero = key.dtype.type(0.0)
        some = np.zeros((shape[1], 4, width), key.dtype)
        lengths = np.zeros((shape[1], 2), key.dtype)
        for b in range(shape[0]):
            lengths[:] = 0.0
            for start in range(0, shape[2], 32):
                some[:] = 0.0
                for j in range(start, min(shape[2], start + 32)):
                    for h in range(shape[1]):
                        at = b * places[0, 0] + h * places[0, 1] + j * places[0, 2]
                        k = key[at : at + width]
                        at = b * places[1, 0] + h * places[1, 1] + j * places[1, 2]
                        v = value[at : at + width]
                        at = b * places[2, 0] + h * places[2, 1] + j * places[2, 2]
                        d = grad_key[at : at + width]
                        at = b * places[3, 0] + h * places[3, 1] + j * places[3, 2]
                        e = grad_value[at : at + width]
                        by_value, by_key, even, odd = some[h, 0], some[h, 1], some[h, 2], some[h, 3]
                        length = zero
                        size = zero
                        for c in range(width):
                            length += k[c] * k[c]
                            size += v[c] * v[c]
                        lengths[h, 0] = max(lengths[h, 0], length)
                        lengths[h, 1] = max(lengths[h, 1], size)
                        for c in range(width):
                            by_value[c] += e[c]
                            by_key[c] += d[c]
                            even[c] += d[c] * k[c]
                        for c in range(half):
                            odd[c] += d[c] * k[c + width - half]
                        for c in range(half, width):
                            odd[c] += d[c] * k[c - half]
                for h in range(shape[1]):
                    for c in range(width):
                        sums[b, h, 0, c] += np.float64(some[h, 0, c])
                        sums[b, h, 1, c] += np.float64(some[h, 1, c])
                        sums[b, h, 2, c] -= np.float64(some[h, 2, c])
                        sums[b, h, 3, c] -= np.float64(some[h, 3, c])
            for h in range(shape[1]):
                longest[b, h, 1] = np.float64(lengths[h, 0])
                longest[b, h, 2] = np.float64(lengths[h, 1])

    return queries, keys
