"""Many accelerators at work: interruptions of gangs, checkpoints, silent errors, and spares that run out.

Rates are per time in one unit that each function names. Interruptions and failures are independent and come at constant
rates (Poisson); left out: bursts in the South Atlantic Anomaly and solar storms (the mean rate over the orbit counts),
failures of a whole rack or link at once, and the delay until a silent error is found.
"""

from __future__ import annotations

import numpy as np

from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = [
    "checkpoint_interval",
    "gang_interruptions",
    "interruption_loss",
    "silent_errors_left",
    "time_between",
    "unit_hazard",
    "working_share",
]

NEVER = 1e-30  # a rate below it, whatever the unit of time, is none
MOMENTS = 96  # Gauss-Legendre points over the life: the mean share is then exact to 1e-5 for up to 10,000 accelerators


def unit_hazard(events: Numbers, units: Numbers, time: Numbers) -> Array:
    """Return events per unit and time: `events` seen in `units` over `time`, 1/(unit of `time`)."""
    return np.asarray(np.asarray(events) / (np.asarray(units, dtype=np.float64) * time))


def time_between(hazard: Numbers, units: Numbers) -> Array:
    """Return the mean time between events of `units` together, in the unit of 1/`hazard`; infinite where none come."""
    rate = np.asarray(hazard, dtype=np.float64) * units
    return np.asarray(np.where(rate > NEVER, 1.0 / np.where(rate > NEVER, rate, 1.0), np.inf))


def gang_interruptions(
    detected: Numbers,
    functional: Numbers,
    silent: Numbers,
    silent_coverage: Numbers,
    accelerators: Numbers,
) -> Array:
    """Return how often a gang must go back to its last checkpoint, in the unit of the rates.

    Parameters
    ----------
    detected, functional, silent : rates of one accelerator; one of them stops the whole gang.
    silent_coverage : share of the silent errors that the protection finds: each is an interruption too.
    accelerators : accelerators that work together.
    """
    return np.asarray(accelerators * (detected + functional + silent_coverage * np.asarray(silent)))


def silent_errors_left(
    silent: Numbers, silent_coverage: Numbers, accelerators: Numbers, time: Numbers
) -> Array:
    """Return the mean number of silent errors that no check finds in a job of `accelerators` over `time`.

    Parameters
    ----------
    silent : silent errors of one accelerator, 1/(unit of `time`).
    silent_coverage : share that the protection finds, 0 to 1.
    """
    if np.any(np.asarray(silent_coverage) < 0) or np.any(np.asarray(silent_coverage) > 1):
        raise ValueProblem(
            f"silent_coverage is {silent_coverage}", right="a share between 0 and 1, for example 0.9"
        )
    return np.asarray(silent * (1.0 - np.asarray(silent_coverage)) * accelerators * time)


def checkpoint_interval(rate_per_s: Numbers, checkpoint_s: Numbers) -> Array:
    """Return the work between checkpoints that loses least time, s (the checkpoint itself not counted).

    Parameters
    ----------
    rate_per_s : interruptions, 1/s.
    checkpoint_s : time to write one checkpoint, s.

    Notes
    -----
    J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation
    Computer Systems 22 (2006) 303-312, eq. 37; to first order J. W. Young's sqrt(2 checkpoint / rate), Comm. ACM 17
    (1974) 530. Infinite where nothing interrupts.
    """
    rate, write = np.asarray(rate_per_s, dtype=np.float64), np.asarray(checkpoint_s, dtype=np.float64)
    if np.any(rate < 0) or np.any(write < 0):
        raise ValueProblem("an interruption rate or checkpoint time is negative", right="not below zero")
    mean = 1.0 / np.where(rate > NEVER, rate, 1.0)
    half = write / (2.0 * mean)
    young = np.sqrt(2.0 * write * mean)
    daly = np.where(half < 1.0, young * (1.0 + np.sqrt(half) / 3.0 + half / 9.0) - write, mean)
    return np.asarray(np.where(rate > NEVER, daly, np.inf))


def interruption_loss(rate_per_s: Numbers, checkpoint_s: Numbers, restart_s: Numbers) -> tuple[Array, Array]:
    """Return the share of time lost to checkpoints, restarts and work done again, and the interval that loses least.

    Parameters
    ----------
    rate_per_s : interruptions of the whole gang, 1/s.
    checkpoint_s, restart_s : time to write a checkpoint; time from an interruption to work going on, s.

    Returns
    -------
    (loss, interval) : share of time lost, 0 to 1; work between checkpoints, s (`checkpoint_interval`).

    Raises
    ------
    ValueProblem : a negative rate or time.

    Notes
    -----
    Exact for interruptions that come at random, in work, checkpoints and restarts alike: an interval of work t takes
    e^(r R) (e^(r (t + C)) - 1) / r in the mean (Daly 2006, eq. 20). Daly's interval stands in for the exact optimum:
    it loses at most 0.01 points of time more, where a checkpoint takes twice the time between interruptions.
    """
    interval = checkpoint_interval(rate_per_s, checkpoint_s)
    rate, restart = np.asarray(rate_per_s, dtype=np.float64), np.asarray(restart_s, dtype=np.float64)
    if np.any(restart < 0):
        raise ValueProblem("the restart time is negative", right="not below zero")
    work = rate * np.where(rate > NEVER, interval, 0.0)
    tried = work + rate * checkpoint_s
    safe = np.where(tried > 0, tried, 1.0)
    done = np.where(tried > 0, work * np.exp(-safe) / -np.expm1(-safe), 1.0)
    return np.asarray(np.clip(1.0 - done * np.exp(-rate * restart), 0.0, 1.0)), interval


def working_share(
    accelerator_failures: Numbers,
    satellite_failures: Numbers,
    accelerators: Numbers,
    spares: Numbers,
    life_years: Numbers,
    *,
    shape: float = 1.0,
    cold: bool = False,
) -> Array:
    """Return the mean over the life of the share of sold accelerators that work, exact for whole numbers of them.

    Parameters
    ----------
    accelerator_failures, satellite_failures : hazards of permanent loss, 1/yr.
    accelerators, spares : whole numbers aboard one satellite: sold, and kept in reserve.
    life_years : years over which the mean is taken.
    shape : Weibull shape of an accelerator's life. 1: constant hazard; above: wear-out; below: infant mortality.
        `accelerator_failures` × life is always what has failed (as a hazard) at the end of life.
    cold : spares are switched off and cannot fail until they are used (shape 1 only).

    Raises
    ------
    ValueProblem : a negative hazard or number of spares, no accelerator, no life, or cold spares that wear.

    Notes
    -----
    Spares that run: of n + s accelerators a binomial number K works; sold are min(n, K). Cold: the s-th failure comes
    after an Erlang time at the rate n a; from then on each of the n decays (hypoexponential). Both times
    exp(-b t) for the satellite. For very many accelerators it is the mean of
    min(1, (1 + s/n) exp(-a t)) exp(-b t).
    """
    a, b, n, s, life = np.broadcast_arrays(
        *(
            np.asarray(value, dtype=np.float64)[..., None]
            for value in (accelerator_failures, satellite_failures, accelerators, spares, life_years)
        )
    )
    if np.any(a < 0) or np.any(b < 0) or np.any(s < 0) or np.any(n < 1) or np.any(life <= 0):
        raise ValueProblem("hazards and spares must not be negative; one accelerator and a life are needed")
    if not shape > 0 or (cold and shape != 1.0):
        raise ValueProblem(f"shape is {shape:g}", right="above zero; 1 with cold spares")
    points, weights = np.polynomial.legendre.leggauss(MOMENTS)
    passed = (points + 1.0) / 2.0
    expected = a * life * passed**shape  # mean failures of one accelerator so far
    share = _cold(n, s, expected) if cold else _hot(n, s, np.exp(-expected))
    return np.asarray((share * np.exp(-b * life * passed)) @ (weights / 2.0))


def _hot(sold: Array, spares: Array, alive: Array) -> Array:
    """Return E[min(sold, K)] / sold for K binomial in sold + spares with probability `alive`."""
    aboard = sold + spares
    short = sold * _binomial_at_most(sold - 1.0, aboard, alive)
    return 1.0 - (short - aboard * alive * _binomial_at_most(sold - 2.0, aboard - 1.0, alive)) / sold


def _binomial_at_most(most: Array, trials: Array, probability: Array) -> Array:
    """Return P(K <= most); 0 for a negative `most`, 1 where `most` reaches the number of trials."""
    from scipy.special import betainc

    inside = (most >= 0) & (most < trials)
    left = np.where(inside, trials - most, 1.0)
    share = betainc(left, np.where(inside, most, 0.0) + 1.0, 1.0 - probability)
    return np.asarray(np.where(inside, share, np.where(most < 0, 0.0, 1.0)))


def _cold(sold: Array, spares: Array, expected: Array) -> Array:
    """Return the mean share at work when spares fail only in use; `expected`: hazard × time of one accelerator."""
    from scipy.special import gammainc, gammaincc, gammaln

    used = np.maximum(spares, 1.0)
    others = np.maximum(sold - 1.0, 1.0)
    many = (sold / others) ** used * gammainc(used, others * expected)
    lone = np.exp(used * np.log(np.maximum(expected, 1e-300)) - gammaln(used + 1.0))
    decayed = np.exp(-expected) * np.where(sold > 1, many, lone)
    return np.asarray(np.where(spares > 0, gammaincc(used, sold * expected) + decayed, np.exp(-expected)))
