"""Loops that compute element-wise operators a second time while they read what was given and what came out.

Plain Python, which `passes` compiles, as that of `loops`; single precision. Each says whether all is within limits
that are tens of roundoffs: a correct result may exceed one, which is to cost no more than its second execution. What is
not finite is never within.

The complementary error function is 7.1.28 of M. Abramowitz, I. Stegun, *Handbook of Mathematical Functions* (1964),
right to 3 × 10⁻⁷; the exponential is a polynomial's power, right to 10⁻⁸: both are arithmetic alone, which compilers
lay out for vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["gelu", "gelu_gradient", "layer_norm", "layer_norm_gradient", "same_rows", "total"]

_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_MOST = np.float32(np.finfo(np.float32).max)  # a limit above it would let everything pass
_LEAST = np.float32(1e-37)  # below which subnormal numbers may be taken for zero
_LIMIT = np.float32(32.0 * 2.0**-24)
_GELU = np.float32(4e-6)
_GELU_GRADIENT = np.float32(1e-5)
_ROOT = np.float32(0.5**0.5)
_E1, _E2, _E3 = np.float32(0.0705230784), np.float32(0.0422820123), np.float32(0.0092705272)
_E4, _E5, _E6 = np.float32(0.0001520143), np.float32(0.0002765672), np.float32(0.0000430638)
_F2, _F3, _F4 = np.float32(1 / 2), np.float32(1 / 6), np.float32(1 / 24)
_F5, _F6, _F7 = np.float32(1 / 120), np.float32(1 / 720), np.float32(1 / 5040)
_THIRTY_SECOND = np.float32(1.0 / 32.0)
_PEAK = np.float32((2.0 * np.pi) ** -0.5)


def gelu(x: Any, y: Any) -> bool:
    """Say whether y is x Φ(x) to 4 × 10⁻⁶ |x|, both (n,)."""
    bad = _ZERO
    for i in range(x.shape[0]):
        v = x[i]
        t = abs(v) * _ROOT
        p = _ONE + t * (_E1 + t * (_E2 + t * (_E3 + t * (_E4 + t * (_E5 + t * _E6)))))
        p *= p
        p *= p
        p *= p
        p *= p
        tail = _HALF / p
        share = _ONE - tail if v >= _ZERO else tail
        limit = abs(v) * _GELU + _LEAST
        bad += _ZERO if (abs(y[i] - v * share) <= limit) & (limit <= _MOST) else _ONE
    return bool(bad == _ZERO)


def gelu_gradient(g: Any, x: Any, d: Any) -> bool:
    """Say whether d is g (Φ(x) + x φ(x)) to 10⁻⁵ |g|, all (n,)."""
    bad = _ZERO
    for i in range(x.shape[0]):
        v = x[i]
        t = abs(v) * _ROOT
        p = _ONE + t * (_E1 + t * (_E2 + t * (_E3 + t * (_E4 + t * (_E5 + t * _E6)))))
        p *= p
        p *= p
        p *= p
        p *= p
        tail = _HALF / p
        share = _ONE - tail if v >= _ZERO else tail
        s = v * v * _THIRTY_SECOND
        q = _ONE + s * (_ONE + s * (_F2 + s * (_F3 + s * (_F4 + s * (_F5 + s * (_F6 + s * _F7))))))
        q *= q
        q *= q
        q *= q
        q *= q
        slope = share + v * (_PEAK / q)
        limit = abs(g[i]) * _GELU_GRADIENT + _LEAST
        bad += _ZERO if (abs(d[i] - g[i] * slope) <= limit) & (limit <= _MOST) else _ONE
    return bool(bad == _ZERO)


def total(a: Any, b: Any, c: Any) -> bool:
    """Say whether c is a + b, all (n,)."""
    bad = _ZERO
    for i in range(a.shape[0]):
        bad += _ZERO if c[i] == a[i] + b[i] else _ONE
    return bool(bad == _ZERO)


def same_rows(one: Any, other: Any, places: Any, shape: Any) -> bool:
    """Say whether two tensors have the same bits, seen as rows that lie whole in memory.

    Parameters
    ----------
    one, other : int32, their memory from the first element on.
    places : (2, 4) int64: how far apart the elements of four axes lie in each.
    shape : (5,) int64: their sizes, and the length of a row.
    """
    width = shape[4]
    bad = np.int32(0)
    for a in range(shape[0]):
        for b in range(shape[1]):
            for c in range(shape[2]):
                for d in range(shape[3]):
                    at = a * places[0, 0] + b * places[0, 1] + c * places[0, 2] + d * places[0, 3]
                    row = one[at : at + width]
                    at = a * places[1, 0] + b * places[1, 1] + c * places[1, 2] + d * places[1, 3]
                    copy = other[at : at + width]
                    for j in range(width):
                        bad |= row[j] ^ copy[j]
    return bool(bad == 0)


def layer_norm(x: Any, y: Any, mean: Any, rstd: Any, gain: Any, shift: Any, eps: Any) -> bool:
    """Say whether y is x with rows of mean 0 and variance 1, times gain, plus shift, to 32 roundoffs.

    Parameters
    ----------
    x, y : (M, N), rows whole in memory.
    mean, rstd : (M,), of x's rows; judged as well.
    gain, shift : (N,).
    eps : added to the variance.
    """
    bad = _ZERO
    share = np.float32(1.0 / x.shape[1])
    for i in range(x.shape[0]):
        row, out = x[i], y[i]
        whole = _ZERO
        for j in range(row.shape[0]):
            whole += row[j]
        centre = whole * share
        square = _ZERO
        for j in range(row.shape[0]):
            square += (row[j] - centre) * (row[j] - centre)
        spread = np.sqrt(square * share + eps)
        scale = _ONE / spread
        far = _ONE + abs(centre) * scale
        limit = _LIMIT * (spread + abs(centre))
        bad += _ZERO if (abs(mean[i] - centre) <= limit) & (limit <= _MOST) else _ONE
        limit = _LIMIT * far
        bad += _ZERO if (abs(rstd[i] * spread - _ONE) <= limit) & (limit <= _MOST) else _ONE
        for j in range(row.shape[0]):
            normal = (row[j] - centre) * scale
            limit = _LIMIT * (abs(gain[j]) * far * (abs(normal) + _ONE) + abs(shift[j])) + _LEAST
            off = abs(out[j] - normal * gain[j] - shift[j])
            bad += _ZERO if (off <= limit) & (limit <= _MOST) else _ONE
    return bool(bad == _ZERO)


def layer_norm_gradient(g: Any, x: Any, d: Any, mean: Any, rstd: Any, gain: Any, columns: Any) -> bool:
    """Say whether d is the gradient of a layer norm's input, to 32 roundoffs; fill in what gain's and shift's are.

    Parameters
    ----------
    g, x, d : (M, N), of the result, the input and its gradient; rows whole in memory.
    mean, rstd : (M,), as the forward pass gave them.
    gain : (N,).
    columns : (4, N) float64: sums of g n, of its squares with |n| + 1 + |mean| × rstd in the place of n, of g, and of
        its squares, with n the normal x.
    """
    bad = _ZERO
    share = np.float32(1.0 / x.shape[1])
    columns[:] = 0.0
    some = np.zeros((4, x.shape[1]), np.float32)
    by_gain, gain_square, by_shift, shift_square = some[0], some[1], some[2], some[3]
    for start in range(0, x.shape[0], 32):  # short sums in single precision, long ones in double
        some[:] = _ZERO
        for i in range(start, min(x.shape[0], start + 32)):
            given, row, out = g[i], x[i], d[i]
            m, r = mean[i], rstd[i]
            flat, along, square = _ZERO, _ZERO, _ZERO
            for j in range(row.shape[0]):
                flow = given[j] * gain[j]
                flat += flow
                along += flow * ((row[j] - m) * r)
                square += flow * flow
            flat *= share
            along *= share
            far = _ONE + abs(m) * r
            size = np.sqrt(square * share) * far
            for j in range(row.shape[0]):
                flow = given[j] * gain[j]
                normal = (row[j] - m) * r
                limit = _LIMIT * r * (abs(flow) + size * (abs(normal) + _ONE)) + _LEAST
                off = abs(out[j] - r * (flow - flat - normal * along))
                bad += _ZERO if (off <= limit) & (limit <= _MOST) else _ONE
                most = given[j] * (abs(normal) + far)
                by_gain[j] += given[j] * normal
                gain_square[j] += most * most
                by_shift[j] += given[j]
                shift_square[j] += given[j] * given[j]
        for j in range(some.shape[1]):
            columns[0, j] += np.float64(by_gain[j])
            columns[1, j] += np.float64(gain_square[j])
            columns[2, j] += np.float64(by_shift[j])
            columns[3, j] += np.float64(shift_square[j])
    return bool(bad == _ZERO)
