"""A made-up image sensor: its offsets, gains and bad pixels, and frames of a known scene with radiation hits.

Every number of the sensor is assumed: those of a scientific CMOS detector of the usual kind, no particular one. The
scene is smooth and does not move through a group of frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import convolve2d

__all__ = [
    "ELECTRONS_PER_DN",
    "FULL_SCALE",
    "GAIN_BITS",
    "READ_NOISE_DN",
    "Frames",
    "Sensor",
    "expose",
    "sensor",
]

FULL_SCALE = 16383  # DN, 14 bits; assumed
ELECTRONS_PER_DN = 4  # full well 65,000 electrons; assumed
READ_NOISE_DN = 3  # 12 electrons, one standard deviation; assumed
GAIN_BITS = 14  # of the fraction of a gain in fixed point; assumed
_OFFSET_DN = (400.0, 15.0)  # mean and standard deviation over the pixels; assumed
_RESPONSE_SPREAD = 0.02  # standard deviation of the pixels' response; assumed
_BAD_SHARE = 0.005  # of the pixels: dead, hot or stuck; assumed
_SCENE_DN = 4000.0  # mean of the scene; assumed
_WAVES, _AMPLITUDE_DN = 4, 600.0  # of the scene, with periods from 256 to 1024 pixels; assumed
_HIT_DN = 2500.0  # mean charge that a hit leaves in a pixel, exponential; assumed
_TRACK = 6  # pixels at most that one hit crosses; assumed
_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])


@dataclass(frozen=True, slots=True, eq=False)
class Sensor:
    """Maps of a sensor, (n, n) each.

    Attributes
    ----------
    offset : DN that a dark frame has, int32.
    response : DN for each DN of the scene.
    gain : what undoes the response, int32 in fixed point with `GAIN_BITS` bits of fraction. A bad pixel's is that of
        its good neighbours together, as a flat field measured through the first steps of the calibration gives it.
    bad : pixels that do not measure; each has a good one among its eight neighbours.
    """

    offset: NDArray[np.int32]
    response: NDArray[np.float64]
    gain: NDArray[np.int32]
    bad: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """A group of frames with what is true of them.

    Attributes
    ----------
    raw : what the sensor read, int32 (f, n, n), 0 to `FULL_SCALE`.
    scene : what it looked at, DN, (n, n).
    hits : DN that radiation added, int32 (f, n, n).
    """

    raw: NDArray[np.int32]
    scene: NDArray[np.float64]
    hits: NDArray[np.int32]


def sensor(size: int, rng: np.random.Generator) -> Sensor:
    """Return a sensor of `size` × `size` pixels."""
    shape = size, size
    offset = np.rint(rng.normal(*_OFFSET_DN, shape)).astype(np.int32)
    response = rng.normal(1.0, _RESPONSE_SPREAD, shape)
    bad = rng.random(shape) < _BAD_SHARE
    bad &= _around(~bad) > 0
    flat = np.where(bad, _around(response * ~bad) / np.maximum(_around(~bad), 1), response)
    gain = np.rint((1 << GAIN_BITS) / flat).astype(np.int32)
    return Sensor(offset, response, gain, bad)


def expose(taken: Sensor, frames: int, hits_per_megapixel: float, rng: np.random.Generator) -> Frames:
    """Return a group of frames of a scene of its own.

    Parameters
    ----------
    frames : in the group.
    hits_per_megapixel : particles that cross a million pixels while one frame is taken, on average.
    """
    shape = taken.offset.shape
    scene = _scene(shape[0], rng)
    electrons = rng.poisson(scene * taken.response * ELECTRONS_PER_DN, (frames, *shape))
    hits = np.stack([_hits(shape[0], hits_per_megapixel, rng) for _ in range(frames)])
    read = (
        electrons / ELECTRONS_PER_DN + taken.offset + rng.normal(0.0, READ_NOISE_DN, electrons.shape) + hits
    )
    raw = np.clip(np.rint(read), 0, FULL_SCALE).astype(np.int32)
    stuck = rng.integers(0, FULL_SCALE + 1, shape)
    return Frames(np.where(taken.bad, stuck, raw).astype(np.int32), scene, hits)


def _around(image: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return the sum over the eight neighbours."""
    summed: NDArray[np.float64] = convolve2d(image.astype(np.float64), _NEIGHBOURS, mode="same")
    return summed


def _scene(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    x = np.arange(size)
    scene = np.full((size, size), _SCENE_DN)
    for _ in range(_WAVES):
        wave, direction, phase = (
            2.0 * np.pi / rng.uniform(256.0, 1024.0),
            rng.uniform(0.0, np.pi),
            rng.uniform(0, 6.3),
        )
        along = np.cos(direction) * x[:, None] + np.sin(direction) * x
        scene += _AMPLITUDE_DN * np.cos(wave * along + phase)
    return scene


def _hits(size: int, per_megapixel: float, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return the DN that straight tracks leave in one frame."""
    left = np.zeros((size, size), np.int32)
    for _ in range(rng.poisson(per_megapixel * size * size / 1e6)):
        row, column = rng.uniform(0.0, size, 2)
        direction = rng.uniform(0.0, 2.0 * np.pi)
        for step in range(rng.integers(1, _TRACK + 1)):
            at = int(row + step * np.sin(direction)), int(column + step * np.cos(direction))
            if min(at) >= 0 and max(at) < size:
                left[at] += round(rng.exponential(_HIT_DN))
    return left
