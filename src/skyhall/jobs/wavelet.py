"""Two-dimensional wavelet transforms in the manner of CCSDS 122.0-B: 9/7 in floats, and 9/7 in integers.

The result has the layout of a pyramid: after each level the quarter in the upper left is the mean image, which the next
level transforms. Rows first, then columns; at the edges the image is mirrored about its first and last pixel.

References
----------
CCSDS 122.0-B-2, Image Data Compression (Blue Book), section 3: both transforms, filters and edges.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LEVELS", "IntegerWavelet", "Wavelet", "analysis_filters"]

LEVELS = 3  # of CCSDS 122.0-B
# Analysis filters of the float transform from their centre outwards (CCSDS 122.0-B, table 3-1).
_LOW = (0.852698679009, 0.377402855613, -0.110624404418, -0.023849465020, 0.037828455507)
_HIGH = (-0.788485616406, 0.418092273222, 0.040689417609, -0.064538882629)


def analysis_filters() -> NDArray[np.float64]:
    """Return low and high pass, shape (2, 9), over the pixels 2j - 4 to 2j + 4; the high pass is centred at 2j + 1."""
    low = [*_LOW[:0:-1], *_LOW]
    high = [0.0, 0.0, *_HIGH[:0:-1], *_HIGH]
    return np.array([low, high])


class Wavelet(nn.Module):
    """The 9/7 transform in floats, as a bank of two filters: an image (n, n) to its pyramid (n, n)."""

    filters: Tensor

    def __init__(self, filters: NDArray[np.float64]) -> None:
        super().__init__()
        self.register_buffer("filters", torch.from_numpy(filters).float()[:, None])

    def forward(self, image: Tensor) -> Tensor:
        """Return the pyramid."""
        return _pyramid(image, self._halves)

    def _halves(self, rows: Tensor) -> Tensor:
        padded = functional.pad(rows[:, None], (4, 3), mode="reflect")
        return functional.conv1d(padded, self.filters, stride=2).flatten(1)


class IntegerWavelet(nn.Module):
    """The 9/7 transform in integers, by lifting: an image (n, n) of int32 to its pyramid; it can be undone exactly."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the pyramid."""
        return _pyramid(image, self._halves)

    def _halves(self, rows: Tensor) -> Tensor:
        even, odd = rows[:, 0::2], rows[:, 1::2]
        # Mirrored about the last pixel, which is odd: the even ones after it are the last and the one before.
        wide = torch.cat((even[:, 1:2], even, even[:, -1:], even[:, -2:-1]), dim=1)
        high = odd - ((9 * (wide[:, 1:-2] + wide[:, 2:-1]) - wide[:, :-3] - wide[:, 3:] + 8) >> 4)
        before = torch.cat((high[:, :1], high[:, :-1]), dim=1)
        low = even - ((2 - before - high) >> 2)
        return torch.cat((low, high), dim=1)


def _pyramid(image: Tensor, halves: Callable[[Tensor], Tensor]) -> Tensor:
    made = image.clone()
    for level in range(LEVELS):
        edge = image.shape[-1] >> level
        rows = halves(made[:edge, :edge])
        made[:edge, :edge] = halves(rows.mT.contiguous()).mT
    return made
