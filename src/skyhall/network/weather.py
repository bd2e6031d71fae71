"""Clouds over optical sites: on or off, with persistence in time and correlation between sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from skyhall.errors import ValueProblem
from skyhall.network.latency import great_circle
from skyhall.types import Array

__all__ = [
    "ClearSky",
    "Weather",
    "any_clear",
    "any_clear_independent",
    "both_clear",
    "correlation_by_distance",
    "draw_sky",
]

_SHORTEST = 60.0  # s, of clouds: below, a day has more spells than a draw of it should hold


@dataclass(frozen=True, slots=True)
class Weather:
    """Clouds over sites; the sky over each is clear or not.

    A site's weather is forgotten at a constant rate, 1/`persistence`, and drawn anew: a two-state Markov process whose
    autocorrelation is exp(−t/persistence), with clear spells of persistence/(1 − availability) in the mean and cloudy
    ones of persistence/availability. The sites are drawn from one Gaussian of `correlation`, cut at their availability.

    Parameters
    ----------
    availability : share of the time in which the line of sight is free of clouds, (sites,).
    persistence : s, at least a minute, (sites,).
    correlation : of the Gaussian behind the clouds, (sites, sites); the unit matrix where sites are independent.

    Raises
    ------
    ValueProblem : a share outside 0 to 1, a persistence that is not positive, no correlation matrix.
    """

    availability: Array
    persistence: Array
    correlation: Array

    def __post_init__(self) -> None:
        shape = np.broadcast_shapes((1,), np.shape(self.availability), np.shape(self.persistence))
        for name in ("availability", "persistence"):
            whole = np.array(np.broadcast_to(getattr(self, name), shape), dtype=np.float64)
            object.__setattr__(self, name, whole)
        matrix = np.array(self.correlation, dtype=np.float64)
        object.__setattr__(self, "correlation", matrix)
        if not np.all((self.availability >= 0.0) & (self.availability <= 1.0)):
            raise ValueProblem(
                f"an availability of {self.availability.max():g} is impossible",
                right="give a share from 0 to 1",
            )
        if not np.all(self.persistence >= _SHORTEST):
            raise ValueProblem(
                f"a persistence of {self.persistence.min():g} s is not modelled: clouds last longer",
                right=f"give at least {_SHORTEST:g} s",
            )
        good = matrix.shape == (*shape, *shape) and np.allclose(matrix, matrix.T)
        if not good or not np.allclose(np.diag(matrix), 1.0) or np.linalg.eigvalsh(matrix).min() < 1e-9:
            raise ValueProblem(
                f"no correlation between {shape[0]} sites",
                right="give a positive definite matrix with ones on its diagonal: no two sites at one place",
            )

    def __len__(self) -> int:
        return len(self.availability)


@dataclass(frozen=True, slots=True)
class ClearSky:
    """One draw of the weather: for each site the moments (s) at which it was drawn, and whether it was clear then."""

    moments: tuple[Array, ...]
    states: tuple[npt.NDArray[np.bool_], ...]

    def clear(self, seconds: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return whether the sky is clear over each site at `seconds` (times,): (sites, times)."""
        when = np.asarray(seconds, dtype=np.float64)
        return np.stack(
            [
                states[np.maximum(np.searchsorted(moments, when, side="right") - 1, 0)]
                for moments, states in zip(self.moments, self.states, strict=True)
            ]
        )


def correlation_by_distance(latitude: npt.ArrayLike, longitude: npt.ArrayLike, length: float) -> Array:
    """Return exp(−distance/length) between sites, (sites, sites), along great circles of a sphere.

    Parameters
    ----------
    latitude, longitude : rad, (sites,).
    length : m, over which the correlation falls to 1/e; positive.
    """
    if not length > 0.0:
        raise ValueProblem(f"a correlation length of {length:g} m is impossible", right="give more than 0 m")
    lat, lon = np.asarray(latitude, dtype=np.float64), np.asarray(longitude, dtype=np.float64)
    distance = great_circle(lat[:, None], lon[:, None], lat, lon)
    return np.asarray(np.exp(-distance / length), dtype=np.float64)


def draw_sky(weather: Weather, start: float, stop: float, rng: np.random.Generator) -> ClearSky:
    """Return one draw of the weather from `start` to `stop` (s).

    At the start all sites are drawn from the Gaussian; from then on each is drawn anew at its own random moments, given
    what the others are (Gibbs sampling), so that the joint distribution stays exactly that of the Gaussian at every
    moment. Between sites that are correlated, spells are longer than alone: a redrawn site tends to what its
    neighbours are.
    """
    count = len(weather)
    latent = np.linalg.cholesky(weather.correlation) @ rng.standard_normal(count)
    threshold = ndtri(weather.availability)
    precision = np.linalg.inv(weather.correlation)
    spread = 1.0 / np.sqrt(np.diag(precision))
    pull = -precision / np.diag(precision)[:, None]
    np.fill_diagonal(pull, 0.0)
    numbers = rng.poisson((stop - start) / weather.persistence)
    who = np.repeat(np.arange(count), numbers)
    when = rng.uniform(start, stop, len(who))
    order = np.argsort(when)
    noise = rng.standard_normal(len(who))
    moments = [[start] for _ in range(count)]
    states = [[bool(latent[site] < threshold[site])] for site in range(count)]
    for site, moment, push in zip(who[order].tolist(), when[order].tolist(), noise.tolist(), strict=True):
        latent[site] = pull[site] @ latent + spread[site] * push
        moments[site].append(moment)
        states[site].append(bool(latent[site] < threshold[site]))
    return ClearSky(tuple(np.array(each) for each in moments), tuple(np.array(each) for each in states))


def any_clear_independent(availability: npt.ArrayLike) -> float:
    """Return the share of the time in which at least one of independent sites is clear: 1 − Π(1 − a)."""
    return float(1.0 - np.prod(1.0 - np.asarray(availability, dtype=np.float64)))


def any_clear(weather: Weather) -> float:
    """Return the share of the time in which at least one site is clear: 1 − Φ(−z; R), the Gaussian's lower tail.

    Sites that are never clear do not count; one that is always clear decides. Up to some 20 sites (Genz's integration,
    to 1e-5).
    """
    if np.any(weather.availability >= 1.0):
        return 1.0
    some = weather.availability > 0.0
    if not some.any():
        return 0.0
    below = -ndtri(weather.availability[some])
    if len(below) == 1:
        return float(weather.availability[some][0])
    matrix = weather.correlation[np.ix_(some, some)]
    return float(1.0 - multivariate_normal(cov=matrix, seed=0, maxpts=200_000 * len(below)).cdf(below))


def both_clear(first: float, second: float, correlation: float) -> float:
    """Return the share of the time in which both of two sites are clear: the bivariate Gaussian's Φ2(z1, z2; ρ)."""
    matrix = [[1.0, correlation], [correlation, 1.0]]
    return float(multivariate_normal(cov=matrix, seed=0).cdf([float(ndtri(first)), float(ndtri(second))]))
