"""SYNTHETIC radar images of the sea with planted ships: amplitude of K-distributed clutter, L looks.

Intensity is speckle (gamma, L looks) over brightness: the sea's, with a texture that may be correlated from pixel to
pixel, and the ships' radar cross-section. Nothing here is an observation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from skyhall.jobs.fields import correlated
from skyhall.jobs.ships import Clutter

__all__ = ["SeaScene", "make_sea_scene"]

_SEA: Final = 10.0**-1.5  # radar cross-section of a square metre of sea, C band, moderate wind: assumed
_FINER: Final = 4  # by which ships are drawn finer than pixels, a side


@dataclass(frozen=True, slots=True, eq=False)
class SeaScene:
    """A synthetic scene.

    Attributes
    ----------
    amplitude : (size, size), float32; the sea's mean square is its cross-section per m².
    ships : (size, size): 0, or the number of the ship, from 1, that covers the pixel or one beside it.
    length_m : of each ship.
    cross_section_m2 : of each ship.
    """

    amplitude: npt.NDArray[np.float32]
    ships: npt.NDArray[np.int64]
    length_m: npt.NDArray[np.float64]
    cross_section_m2: npt.NDArray[np.float64]


def make_sea_scene(
    seed: tuple[int, int],
    *,
    size: int,
    ships: int,
    clutter: Clutter,
    pixel_m: float = 20.0,
    correlation: float = 0.0,
) -> SeaScene:
    """Return a scene that depends on the arguments alone.

    Parameters
    ----------
    seed : of the job, and the number of the scene.
    size : rows and columns, at least 32.
    ships : planted; fewer where there is no room for them apart from each other.
    pixel_m : edge of a pixel, m, at least 5.
    correlation : length of the texture's, pixels; 0 for none.
    """
    drawn = np.random.default_rng(seed)
    brightness = _SEA * _texture(drawn, size, clutter.texture, correlation)
    covered = np.zeros((size, size), np.int64)
    longest = min(300.0, 0.5 * size * pixel_m)
    planted = []
    for length in 10.0 ** drawn.uniform(np.log10(20.0), np.log10(longest), ships):  # lengths: assumed
        part, place = _ship(drawn, size, length / pixel_m)
        # Ships that touch are one to the detector; those that find no room stay in port.
        if covered[tuple(slice(max(each.start - 3, 0), each.stop + 3) for each in place)].any():
            continue
        planted.append(length)
        covered[place][part > 0.0] = len(planted)
        brightness[place] += part / part.sum() * _cross_section(length) / pixel_m**2
    grown = ndimage.grey_dilation(covered, size=(3, 3))
    speckle = drawn.gamma(clutter.looks, 1.0 / clutter.looks, (size, size))
    lengths = np.array(planted)
    return SeaScene(np.sqrt(brightness * speckle).astype(np.float32), grown, lengths, _cross_section(lengths))


def _cross_section(length_m: float | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a ship's radar cross-section, m², at C band: 0.08 length^(7/3).

    Assumed, in the form of Vachon et al. 1997 (Canadian Journal of Remote Sensing 23, 48-59).
    """
    return np.asarray(0.08 * length_m ** (7.0 / 3.0))


def _texture(
    drawn: np.random.Generator, size: int, shape: float, correlation: float
) -> npt.NDArray[np.float64]:
    """Return the sea's brightness around 1: gamma distributed, by way of a Gaussian field where it is correlated."""
    if np.isinf(shape):
        return np.ones((size, size))
    if not correlation:
        return drawn.gamma(shape, 1.0 / shape, (size, size))
    share = special.ndtr(correlated(drawn, (size, size), correlation))
    return np.asarray(special.gammaincinv(shape, share) / shape)


def _ship(
    drawn: np.random.Generator, size: int, length: float
) -> tuple[npt.NDArray[np.float64], tuple[slice, slice]]:
    """Return the share of each pixel that a ship covers, and which pixels; its length is in pixels.

    Its beam is a sixth of its length: assumed.
    """
    heading = drawn.uniform(0.0, np.pi)
    reach = length / 2.0 + 1.0
    row, column = drawn.uniform(reach, size - reach, 2)
    place = tuple(slice(int(middle - reach), math.ceil(middle + reach)) for middle in (row, column))
    down, right = (
        np.arange(each.start + 0.5 / _FINER, each.stop, 1.0 / _FINER) - middle
        for each, middle in zip(place, (row, column), strict=True)
    )
    along = np.abs(down[:, None] * np.sin(heading) + right * np.cos(heading)) <= length / 2.0
    across = np.abs(down[:, None] * np.cos(heading) - right * np.sin(heading)) <= max(length / 12.0, 0.5)
    fine = (along & across).reshape(len(down) // _FINER, _FINER, len(right) // _FINER, _FINER)
    return np.asarray(fine.mean((1, 3))), (place[0], place[1])
