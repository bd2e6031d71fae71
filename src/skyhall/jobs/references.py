"""What each kernel should give, by NumPy and SciPy in float64 (or whole numbers), by other code than torch's.

A reference takes the kernel's constants and inputs as NumPy arrays and returns two arrays: the value, and the scale in
which an element's rounding error is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal, special

from skyhall.jobs.sensor import ELECTRONS_PER_DN, GAIN_BITS, READ_NOISE_DN

__all__ = [
    "Arrays",
    "Reference",
    "calibrated",
    "convolution",
    "correlation",
    "fft",
    "fir",
    "integer_wavelet",
    "lrn",
    "matmul",
    "max_pool",
    "relu",
    "softmax",
    "wavelet",
]

Arrays = Mapping[str, NDArray[Any]]
Reference = Callable[..., tuple[NDArray[Any], NDArray[Any]]]
_EXACT = np.ones(())


def matmul(constants: Arrays, left: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return A B; rounding is measured in |A| |B|."""
    a, b = _wide(left), _wide(constants["right"])
    return a @ b, np.abs(a) @ np.abs(b)


def convolution(constants: Arrays, image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the image correlated with the kernel, zeros around it; rounding is measured in the same of magnitudes."""
    source, kernel = _wide(image), _wide(constants["kernel"])
    return (
        signal.correlate2d(source, kernel, mode="same"),
        signal.correlate2d(np.abs(source), np.abs(kernel), mode="same"),
    )


def fir(constants: Arrays, samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the causal filter's answer; rounding is measured in the answer of magnitudes to magnitudes."""
    taps, source = _wide(constants["taps"]), _wide(samples)
    return signal.lfilter(taps, 1.0, source), signal.lfilter(np.abs(taps), 1.0, np.abs(source))


def fft(constants: Arrays, samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the discrete Fourier transform; rounding is measured in its root mean square."""
    spectrum = np.fft.fft(samples.astype(np.complex128))
    return spectrum, np.sqrt(np.mean(np.abs(spectrum) ** 2))


def softmax(constants: Arrays, logits: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the softmax of each row; rounding is relative."""
    value = special.softmax(_wide(logits), axis=1)
    return value, value


def relu(constants: Arrays, image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return max(x, 0), exactly."""
    return np.where(image > 0, image, 0), _EXACT


def max_pool(constants: Arrays, image: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the largest of each 2 × 2 pixels, exactly."""
    half = image.shape[0] // 2
    return image.reshape(half, 2, half, 2).max(axis=(1, 3)), _EXACT


def lrn(
    constants: Arrays, channels: NDArray[Any], *, near: int, alpha: float, beta: float, k: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return x / (k + alpha/near Σ x²)^beta over `near` channels around each of (c, n, n); rounding is relative."""
    source = _wide(channels)
    value = np.empty_like(source)
    for channel in range(len(source)):
        around = source[max(0, channel - near // 2) : channel + near // 2 + 1]
        value[channel] = source[channel] / (k + alpha / near * np.sum(around**2, axis=0)) ** beta
    return value, np.abs(value)


def correlation(
    constants: Arrays, first: NDArray[Any], second: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return Pearson's coefficient of two images; rounding is measured in 1."""
    return np.corrcoef(_wide(first).ravel(), _wide(second).ravel())[:1, 1], _EXACT


def wavelet(constants: Arrays, image: NDArray[Any], *, levels: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the 9/7 pyramid by its filters; rounding is measured in that of magnitudes by magnitudes."""
    filters, source = constants["filters"], _wide(image)

    def by(bank: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
        def halves(rows: NDArray[Any]) -> NDArray[Any]:
            even = np.arange(0, rows.shape[1], 2)
            low, high = (
                sum(tap * rows[:, _mirrored(even + at - 4, rows.shape[1])] for at, tap in enumerate(each))
                for each in bank
            )
            return np.hstack((low, high))

        return halves

    return _pyramid(source, by(filters), levels), _pyramid(np.abs(source), by(np.abs(filters)), levels)


def integer_wavelet(
    constants: Arrays, image: NDArray[Any], *, levels: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the 9/7 pyramid of whole numbers, by the formulas of CCSDS 122.0-B as they stand, exactly."""

    def halves(rows: NDArray[Any]) -> NDArray[Any]:
        width = rows.shape[1]

        def x(at: NDArray[Any]) -> NDArray[Any]:
            return rows[:, _mirrored(at, width)].astype(np.float64)

        j = np.arange(width // 2)
        near, far = x(2 * j) + x(2 * j + 2), x(2 * j - 2) + x(2 * j + 4)
        high = x(2 * j + 1) - np.floor(9 / 16 * near - 1 / 16 * far + 1 / 2)
        low = x(2 * j) - np.floor(-1 / 4 * (high[:, np.maximum(j - 1, 0)] + high) + 1 / 2)
        return np.hstack((low, high)).astype(np.int64)

    return _pyramid(image.astype(np.int64), halves, levels), _EXACT


def calibrated(constants: Arrays, frames: NDArray[Any], *, sigmas: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the corrected image of `calibrate.Calibration`, exactly."""
    light = frames.astype(np.int64) - constants["offset"]
    bad = constants["bad"]
    repaired = light.copy()
    for row, column in np.argwhere(bad):
        window = np.s_[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        good = light[:, *window][:, ~bad[window]]
        count = good.shape[1]
        repaired[:, row, column] = (good.sum(axis=1) + count // 2) // count
    middle = np.sort(repaired, axis=0)[(len(frames) - 1) // 2]
    above = np.maximum(repaired - middle, 0)
    limit = sigmas**2 * (ELECTRONS_PER_DN * READ_NOISE_DN**2 + np.maximum(middle, 0))
    light = np.where(ELECTRONS_PER_DN * above**2 > limit, middle, repaired)
    flat = np.floor(light * constants["gain"] / 2.0**GAIN_BITS + 0.5).astype(np.int64).sum(axis=0)
    return flat[0::2, 0::2] + flat[0::2, 1::2] + flat[1::2, 0::2] + flat[1::2, 1::2], _EXACT


def _wide(array: NDArray[Any]) -> NDArray[np.float64]:
    return array.astype(np.float64)


def _mirrored(at: NDArray[Any], length: int) -> NDArray[Any]:
    """Return places mirrored about the first and the last."""
    inside = np.abs(at)
    return np.where(inside < length, inside, 2 * (length - 1) - inside)


def _pyramid(
    image: NDArray[Any], halves: Callable[[NDArray[Any]], NDArray[Any]], levels: int
) -> NDArray[Any]:
    made = image.copy()
    for level in range(levels):
        edge = len(image) >> level
        made[:edge, :edge] = halves(halves(made[:edge, :edge]).T).T
    return made
