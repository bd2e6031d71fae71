"""Bits that a link carries in a stretch of time: the integral of its rate."""

from __future__ import annotations

import numpy as np

from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = ["volume_bits"]


def volume_bits(rate_bps: Numbers, seconds: Numbers) -> Array:
    """Return the bits of samples of a rate, by the trapezoidal rule over the last axis.

    Parameters
    ----------
    rate_bps : rate at each sample, bit/s (..., samples); one number is a constant rate.
    seconds : of the samples, ascending (..., samples); at least two. They broadcast.

    Returns
    -------
    bits (...).

    Raises
    ------
    ValueProblem : fewer than two samples, times that do not ascend, or a negative rate.
    """
    rate, time = np.broadcast_arrays(
        np.asarray(rate_bps, dtype=np.float64), np.asarray(seconds, dtype=np.float64)
    )
    if rate.ndim == 0 or rate.shape[-1] < 2 or not np.all(np.diff(time) > 0.0):
        raise ValueProblem("the times of a rate do not ascend", right="give at least two ascending times")
    if not np.all(rate >= 0.0):
        raise ValueProblem("a rate is negative or unknown", right="zero where the link is down")
    return np.asarray(np.trapezoid(rate, time))
