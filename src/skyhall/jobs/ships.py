"""Ships on sea clutter by a constant false-alarm rate (CFAR): cell averaging around a guarded cell.

The threshold follows from the wanted probability of a false alarm in clutter of L looks, whose intensity is gamma
distributed around the sea's brightness; the sea's brightness is even, or itself gamma distributed (then the clutter is
K distributed). Written from the textbook: Ward, Tough and Watts, Sea Clutter (2nd ed., IET 2013), chapters 4 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage, special, stats
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["HALO", "Clutter", "ShipDetector", "threshold_factors"]

_GUARD: Final = 8  # pixels on each side that a ship may cover: 340 m at 20 m, ours
HALO: Final = 15  # pixels on each side that the sea is averaged over, ours
CELLS: Final = (2 * HALO + 1) ** 2 - (2 * _GUARD + 1) ** 2  # of the sea around a cell
_LEAST: Final = CELLS // 4  # fewer cells of sea tell nothing, as beside land: ours


@dataclass(frozen=True, slots=True)
class Clutter:
    """How the sea scatters.

    Attributes
    ----------
    looks : averaged into a pixel; 1 makes intensity exponential.
    texture : shape of the gamma distribution of the sea's brightness, from pixel to pixel; infinite where it is even.
    """

    looks: float
    texture: float = float("inf")


def threshold_factors(
    clutter: Clutter, false_alarm: float, cells: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return by how much a cell must exceed the mean of so many others to be called a target.

    On an even sea a cell over the mean of N others is F distributed with 2L and 2LN degrees of freedom, so the
    probability of a false alarm is exact; with L = 1 it is (1 + factor/N)^-N. On a textured sea the cell's own texture
    is integrated over, and that of the mean is taken as averaged out.

    Parameters
    ----------
    false_alarm : probability that a cell of sea is called a target, in (0, 1).
    cells : of the mean, at least 1.
    """
    degrees = 2.0 * clutter.looks
    even: npt.NDArray[np.float64] = stats.f.isf(false_alarm, degrees, degrees * cells)
    if np.isinf(clutter.texture):
        return even
    # Between these counts the factor is straight in 1/N to better than a thousandth.
    counts = np.unique(np.geomspace(cells.min(), cells.max(), 24).astype(int))
    nodes, weights = special.roots_genlaguerre(80, clutter.texture - 1.0)
    brightness, weights = nodes / clutter.texture, weights / weights.sum()

    def rate(factors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        own = stats.f.sf(factors[:, None] / brightness, degrees, degrees * counts[:, None])
        return np.asarray(own @ weights)

    low, high = np.zeros(len(counts)), np.full(len(counts), 1e4)
    for _ in range(50):
        middle = (low + high) / 2.0
        above = rate(middle) > false_alarm
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.asarray(np.interp(1.0 / cells, 1.0 / counts[::-1], high[::-1]))


class ShipDetector(nn.Module):
    """Finds the ships of a scene.

    Parameters
    ----------
    clutter : that the threshold is made for.
    false_alarm : probability that a pixel of sea is called a ship's.
    """

    ring: Tensor
    factors: Tensor

    def __init__(self, clutter: Clutter, false_alarm: float) -> None:
        super().__init__()
        ring = torch.ones(1, 1, 2 * HALO + 1, 2 * HALO + 1)
        inner = slice(HALO - _GUARD, HALO + _GUARD + 1)
        ring[..., inner, inner] = 0.0
        self.register_buffer("ring", ring)
        factors = threshold_factors(clutter, false_alarm, np.arange(_LEAST, CELLS + 1))
        never = np.full(_LEAST, np.inf)
        self.register_buffer("factors", torch.from_numpy(np.concatenate((never, factors))).float())

    def contrast(self, intensity: Tensor) -> tuple[Tensor, Tensor]:
        """Return intensity over the mean around it, and whether that makes a target, both (rows, columns).

        Parameters
        ----------
        intensity : (rows + 30, columns + 30), with `HALO` pixels around the scene; NaN where there is no sea.
        """
        sea = torch.isfinite(intensity)
        held = torch.stack((torch.where(sea, intensity, 0.0), sea.float()))
        sums, cells = functional.conv2d(held[:, None], self.ring)[:, 0]
        cells = cells.round()
        mean = sums / cells.clamp(min=1.0)
        inside = intensity[HALO:-HALO, HALO:-HALO]
        hits = (mean > 0.0) & (inside > mean * self.factors[cells.long()])
        return torch.where(hits, inside / mean, 0.0), hits

    def forward(self, bands: Tensor) -> Tensor:
        """Return the ships of a scene, each a group of neighbouring hits, in the order of their first pixels.

        Parameters
        ----------
        bands : (1, rows + 30, columns + 30), amplitude; NaN where there is no sea.

        Returns
        -------
        Tensor
            (ships, 4): row and column of the centre, pixels, the strongest pixel over the sea around it in dB.
        """
        contrast, hits = self.contrast(bands[0].square())
        return _groups(contrast.numpy(), hits.numpy())


def _groups(contrast: npt.NDArray[np.float32], hits: npt.NDArray[np.bool_]) -> Tensor:
    """Return groups of hits with gaps of at most two pixels: speckle tears ships apart."""
    whole = np.ones((3, 3))
    grown, count = ndimage.label(ndimage.binary_dilation(hits, whole), whole)
    if not count:
        return torch.zeros(0, 4)
    labels, index = np.where(hits, grown, 0), np.arange(1, count + 1)
    centres = np.array(ndimage.center_of_mass(hits, labels, index))
    pixels = ndimage.sum_labels(hits, labels, index)
    strongest = 10.0 * np.log10(ndimage.maximum(contrast, labels, index))
    return torch.from_numpy(np.column_stack((centres, pixels, strongest))).float()
