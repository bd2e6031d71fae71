"""SYNTHETIC radar images of the sea with planted ships: amplitude of K-distributed clutter, L looks.

Intensity is speckle (gamma, L looks) over brightness: the sea's, with a texture that may be correlated from pixel to
pixel, and the ships' radar cross-section. Nothing here is an observation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, special

from skyhall.jobs.fields import correlated
from skyhall.jobs.ships import Clutter

__all__ = ["SeaScene", "make_sea_scene"]

_SEA = 10.0**-1.5  # radar cross-section of a square metre of sea, C band, moderate wind: assumed
_FINER = 4  # by which ships are drawn finer than pixels, a side


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
    pixel_m : edge of a pixel, m.
    correlation : length of the texture's, pixels; 0 for none.
    """
    drawn = np.random.default_rng(seed)
    brightness = _SEA * _texture(drawn, size, clutter.texture, correlation)
    covered = np.zeros((size, size), np.int64)
    lengths = 10.0 ** drawn.uniform(np.log10(20.0), np.log10(300.0), ships)  # assumed
    planted = []
    for length in lengths:
        part = _ship(drawn, size, length / pixel_m)
        rows, columns = np.nonzero(part)
        # Ships that touch are one to the detector; those that find no room stay in port.
        near = covered[max(rows.min() - 3, 0) : rows.max() + 4, max(columns.min() - 3, 0) : columns.max() + 4]
        if near.any():
            continue
        planted.append(length)
        covered[part > 0.0] = len(planted)
        brightness += part / part.sum() * _cross_section(length) / pixel_m**2
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


def _ship(drawn: np.random.Generator, size: int, length: float) -> npt.NDArray[np.float64]:
    """Return the share of each pixel that a ship covers; its beam is a sixth of its length: assumed."""
    heading = drawn.uniform(0.0, np.pi)
    row, column = drawn.uniform(length / 2.0 + 1.0, size - length / 2.0 - 1.0, 2)
    middle = (np.arange(size * _FINER) + 0.5) / _FINER
    down, right = middle[:, None] - row, middle - column
    along = np.abs(down * np.sin(heading) + right * np.cos(heading)) <= length / 2.0
    across = np.abs(down * np.cos(heading) - right * np.sin(heading)) <= max(length / 12.0, 0.5)
    fine = (along & across).reshape(size, _FINER, size, _FINER)
    return np.asarray(fine.mean((1, 3)))
