"""Random fields with correlation in space."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["correlated"]


def correlated(drawn: np.random.Generator, shape: tuple[int, int], length: float) -> npt.NDArray[np.float64]:
    """Return a Gaussian field of mean 0 and variance 1 whose correlation is exp(-(d/length)²/2) at d pixels.

    White noise filtered in the frequency domain; the field wraps around its edges.
    """
    rows, columns = (2.0 * np.pi * np.fft.fftfreq(each) for each in shape)
    # The filter is the root of the spectrum, a Gaussian again; unit variance needs a mean square of 1.
    response = np.exp(-((rows[:, None] ** 2 + columns**2) * length**2) / 4.0)
    response /= np.sqrt(np.mean(response**2))
    return np.fft.ifft2(np.fft.fft2(drawn.standard_normal(shape)) * response).real
