"""What pointing jitter takes from a laser link: in the mean, and in the deepest fades of a stated share of time.

The beam is the Gaussian exp(-2 θ²/w²) that has the gain and curvature of the aperture on the axis (`beam`). Each axis
of each end jitters by a Gaussian angle, so that the axis strays by a Rayleigh one, and what arrives is h = U^(1/β) of
the undisturbed power, with U even between 0 and 1 and β = w²/(4 σ²) (Toyoshima, Jono, Nakagawa and Yamamoto, J. Opt.
Soc. Am. A 19 (2002) 567). By reciprocity the receiver's jitter acts in the same way. Left out: a constant bias of the
axis, jitter that differs between the two axes, and how long a fade lasts.
"""

from __future__ import annotations

import numpy as np
from scipy.special import exprel

from skyhall.errors import ValueProblem
from skyhall.network.beam import beam_radius
from skyhall.types import Array, Numbers

__all__ = ["fade_db", "jitter_ratio", "mean_jitter_loss_db"]

_DB = 10.0 / np.log(10.0)  # dB of a factor e in power
_STEADY = 1e12  # β of an axis that does not jitter
_HALVINGS = 60  # of the interval in which a fade's depth is sought


def jitter_ratio(aperture: Numbers, wavelength: Numbers, jitter: Numbers) -> Array:
    """Return β = w²/(4 σ²): how narrow the jitter is beside the beam.

    Parameters
    ----------
    aperture : diameter, m. wavelength : m. jitter : standard deviation on each axis, rad. They broadcast.
    """
    radius = beam_radius(aperture, wavelength)
    spread = np.maximum(np.asarray(jitter, dtype=np.float64), 0.5 * radius / np.sqrt(_STEADY))
    return np.asarray(radius**2 / (4.0 * spread**2))


def mean_jitter_loss_db(transmitter: Numbers, receiver: Numbers = np.inf) -> Array:
    """Return the mean loss by jitter of both ends, dB: the mean of h is β/(β + 1) for each.

    Parameters
    ----------
    transmitter, receiver : β of each end (`jitter_ratio`); infinite: an end that does not jitter.
    """
    return np.asarray(_DB * (np.log1p(1.0 / np.asarray(transmitter)) + np.log1p(1.0 / np.asarray(receiver))))


def fade_db(outage: Numbers, transmitter: Numbers, receiver: Numbers = np.inf) -> Array:
    """Return the loss by jitter that is exceeded for a share `outage` of the time, dB below a steady link.

    For one end the loss is exponential, and the answer -ln(outage)/β; for two it is the sum of two exponential
    losses, whose share above s is exp(-a s) [1 + a s (1 - exp(-x))/x] with a ≤ b the two β and x = (b - a) s.

    Parameters
    ----------
    outage : share of time, above 0 and below 1.
    transmitter, receiver : β of each end (`jitter_ratio`); infinite: an end that does not jitter.

    Raises
    ------
    ValueProblem : an outage that is no share.
    """
    share = np.asarray(outage, dtype=np.float64)
    if not np.all((share > 0.0) & (share < 1.0)):
        raise ValueProblem(f"an outage of {outage} is no share of time", right="above 0 and below 1")
    ends = np.minimum(transmitter, _STEADY), np.minimum(receiver, _STEADY)
    share, wide, narrow = np.broadcast_arrays(share, np.minimum(*ends), np.maximum(*ends))
    # Twice the loss of the end that jitters more, at half the outage, is more than both together lose.
    low, high = np.zeros(share.shape), -2.0 * np.log(0.5 * share) / wide
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        steady = exprel(-(narrow - wide) * middle)
        deeper = np.exp(-wide * middle) * (1.0 + wide * middle * steady) > share
        low, high = np.where(deeper, middle, low), np.where(deeper, high, middle)
    return np.asarray(_DB * 0.5 * (low + high))
