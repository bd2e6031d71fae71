"""Protons from the Sun's eruptions, as fluences that a mission does not exceed with a chosen confidence.

Sizes of events follow the return levels of the SAPPHIRE model (Jiggens et al. 2018); events come at random (Poisson)
in the seven active years of each solar cycle. Energies in MeV, fluences in 1/cm², omnidirectional (over 4π). Leaves out
heavier ions, electrons, the magnetic storms that eruptions often bring, and the memory that one eruption has of the
last.
"""

from __future__ import annotations

from math import comb, pi
from typing import Final

import numpy as np

from skyhall.environment.geomagnetic import open_sky, rigidity_gv, vertical_cutoff_gv
from skyhall.errors import ValueProblem
from skyhall.types import Array, Numbers

__all__ = ["access", "active_years", "arriving", "event_fluence", "mean_fluence"]

# Jiggens et al. 2018, J. Space Weather Space Clim. 8, A31, table 8: Band functions in rigidity (GV) of the event met
# on average once in so many years. Spectral index and e-folding rigidity of the low part, scale; the high part is a
# power law. Read in a public implementation of the table (F. Lei, sapphire-event-spectra) and checked: at every
# energy the seven levels lie within 2 % of the cut-off power law that SAPPHIRE is said to fit its events with.
_RETURN_YEARS: Final = np.array([10.0, 20.0, 50.0, 100.0, 300.0, 1000.0, 10000.0])
_FLUENCE: Final = (
    np.array([0.85, 0.71, 0.56, 0.48, 0.38, 0.315, 0.195]),
    np.array([7.22e-2, 7.01e-2, 6.81e-2, 6.71e-2, 6.58e-2, 6.50e-2, 6.36e-2]),  # GV
    np.array([1.33e10, 2.81e10, 5.85e10, 8.73e10, 1.45e11, 2.14e11, 3.95e11]),  # 1/(cm² sr GV) at 1 GV
    5.7,
)
_RARE: Final = 1  # the 1-in-20-years event, nearest to what a mission of a few years must bear
_LOWEST_FITTED_MEV: Final = 30.0

# Active years of a cycle and where they lie about its maximum: Feynman et al. 1993, J. Geophys. Res. 98, 13281.
_CYCLE_YEARS: Final = 11.0
_ACTIVE_YEARS: Final = 7.0
_ACTIVE_BEFORE_MAXIMUM: Final = 2.5
_LAST_MAXIMUM: Final = (
    2024.8  # smoothed sunspot number of cycle 25, October 2024 (SILSO, Royal Observatory of Belgium)
)


def active_years(start_year: float, life_years: float, *, maximum_year: float = _LAST_MAXIMUM) -> float:
    """Return how many of a mission's years fall into the active part of the solar cycle.

    Parameters
    ----------
    start_year : decimal year of the mission's begin.
    life_years : its length (years).
    maximum_year : decimal year of any solar maximum; cycles of 11 years are counted from it, active from 2.5 years
        before to 4.5 years after (Feynman et al. 1993).
    """
    cycles = np.arange(-50, 51) * _CYCLE_YEARS + maximum_year - _ACTIVE_BEFORE_MAXIMUM
    begin = np.maximum(cycles, start_year)
    end = np.minimum(cycles + _ACTIVE_YEARS, start_year + life_years)
    return float(np.sum(np.maximum(end - begin, 0.0)))


def event_fluence(energy_mev: Numbers, years: float, confidence: float) -> Array:
    """Return the proton fluence (1/cm²) above each energy that all events together do not exceed.

    In free space at 1 AU, omnidirectional; each energy for itself, so the spectrum is an envelope.

    Parameters
    ----------
    energy_mev : (n,) energies, 5 to 1000 MeV (the table's spectra; beyond, they are extrapolated).
    years : active years of the mission (see `active_years`); 0 gives 0.
    confidence : probability of no more than the result, between 0 and 1.

    Raises ValueProblem for a confidence outside (0, 1) or negative years.

    Notes
    -----
    Events above a fluence φ come at the rate a (φ/φ₀)^-γ exp(-φ/φ₀), so that the sum has the Laplace transform
    exp(-a T Γ(1-γ) s (1+s)^(γ-1)) in units of φ₀; it is inverted by Euler's method (Abate and Whitt 1995).
    """
    time = _calendar_years(years, confidence)
    rate, index, scale = _size_distribution(energy_mev)
    if time == 0:
        return np.zeros_like(scale)
    low, high = np.full(scale.shape, -30.0), np.full(scale.shape, 12.0)  # logarithm of fluence over scale
    for _ in range(50):
        middle = 0.5 * (low + high)
        below = _probability_of_sum(np.exp(middle), rate * time, index) < confidence
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(scale * np.exp(high), dtype=np.float64)


def mean_fluence(energy_mev: Numbers, years: float) -> Array:
    """Return the expected proton fluence (1/cm²) above each energy over `years` active years, in free space."""
    from scipy.special import gamma

    time = _calendar_years(years, 0.5)
    rate, index, scale = _size_distribution(energy_mev)
    return np.asarray(time * rate * scale * gamma(1.0 - index), dtype=np.float64)


def access(energy_mev: Numbers, l_shell: Numbers, height: Numbers) -> Array:
    """Return the share of the free-space flux AT each energy that reaches a place: magnetic field and Earth's shadow.

    Parameters
    ----------
    energy_mev : (n,) proton energies.
    l_shell : (...) McIlwain's L of the places.
    height : (...) their geodetic heights (m).

    Returns an array (..., n), for a quiet magnetosphere. It multiplies a differential spectrum; for one above energies
    use `arriving`.
    """
    rigidity = rigidity_gv(np.asarray(energy_mev, dtype=np.float64))
    cutoff = np.asarray(vertical_cutoff_gv(l_shell), dtype=np.float64)[..., np.newaxis]
    sky = np.asarray(open_sky(height), dtype=np.float64)[..., np.newaxis]
    return np.asarray(sky * (rigidity >= cutoff), dtype=np.float64)


def arriving(integral: Array, share: Array) -> Array:
    """Return what is left of fluences (or fluxes) above energies, given the share that arrives AT each energy.

    Parameters
    ----------
    integral : (..., n) fluences above n rising energies.
    share : (..., n) from `access`, or its mean over an orbit.

    Between two energies the mean of their shares holds; above the last its own.
    """
    steps = -np.diff(integral, axis=-1) * 0.5 * (share[..., 1:] + share[..., :-1])
    last = integral[..., -1:] * share[..., -1:]
    return np.concatenate([np.cumsum(steps[..., ::-1], axis=-1)[..., ::-1] + last, last], axis=-1)


def _calendar_years(years: float, confidence: float) -> float:
    """Return the years of an average Sun that bring as many events as `years` active ones; check both numbers."""
    if not 0.0 < confidence < 1.0:
        raise ValueProblem(
            f"confidence {confidence:g} is not a probability", right="between 0 and 1, as 0.95"
        )
    if not 0.0 <= years < np.inf:
        raise ValueProblem(f"{years:g} active years", right="a number from 0 up")
    return years * _CYCLE_YEARS / _ACTIVE_YEARS


def _above(energy_mev: Numbers) -> Array:
    """Return the return levels (7, n) above each energy, over 4π: the Band functions' integrals over rigidity."""
    from scipy.special import gamma, gammaincc

    index, e_folding, scale, high_index = (np.reshape(value, (-1, 1)) for value in _FLUENCE)
    rigidity = rigidity_gv(np.atleast_1d(np.asarray(energy_mev, dtype=np.float64)))
    knee = (high_index - index) * e_folding

    def upper_gamma(order: Array, x: Array) -> Array:
        # Γ(order, x) for orders down to -2, by Γ(a + 1, x) = a Γ(a, x) + xᵃ e⁻ˣ from a positive order.
        value = gamma(order + 2) * gammaincc(order + 2, x)
        for step in (1, 0):
            value = (value - x ** (order + step) * np.exp(-x)) / (order + step)
        return np.asarray(value, dtype=np.float64)

    order = 1.0 - index
    at_knee = upper_gamma(order, knee / e_folding)
    below_knee = upper_gamma(order, np.minimum(rigidity, knee) / e_folding) - at_knee
    low = e_folding**order * below_knee
    high = knee ** (high_index - index) * np.exp(index - high_index)
    high = high * np.maximum(rigidity, knee) ** (1.0 - high_index) / (high_index - 1.0)
    return np.asarray(4.0 * pi * scale * (low + high), dtype=np.float64)


def _size_distribution(energy_mev: Numbers) -> tuple[Array, Array, Array]:
    """Return rate (1/year), index and scale of the rate of events above φ, a (φ/φ₀)^-γ exp(-φ/φ₀), at each energy.

    The logarithm of the rate is linear in ln φ and in φ: three numbers from seven levels, by least squares. Below
    30 MeV the index of 30 MeV holds, and the scale follows the spectrum of the 1-in-20-years event: the levels, all
    of rare events, would let small events vanish there (the fluence changes by 2 % at 10 MeV, 95 % and one year).
    """
    energy = np.atleast_1d(np.asarray(energy_mev, dtype=np.float64))
    fitted_energy = np.maximum(energy, _LOWEST_FITTED_MEV)
    levels = _above(fitted_energy)
    unit = levels[_RARE]
    x = levels / unit
    design = np.stack([np.ones_like(x), -np.log(x), -x], axis=-1).swapaxes(0, 1)  # (n, 7, 3)
    log_rate, index, steepness = np.moveaxis(np.linalg.pinv(design) @ -np.log(_RETURN_YEARS), -1, 0)
    softer = _above(energy)[_RARE] / unit
    return np.exp(log_rate) * steepness**index, index, softer * unit / steepness


def _probability_of_sum(total: Array, events: Array, index: Array) -> Array:
    """Return the probability that the events' sum is below `total` (both in units of the scale)."""
    from scipy.special import gamma

    damping, terms, averaged = 18.4, 15, 11  # errors of 1e-8: Abate and Whitt 1995, ORSA J. Computing 7, 36
    k = np.arange(terms + averaged + 1)
    s = (damping + 2j * pi * k) / (2.0 * total[:, np.newaxis])
    exponent = (events * gamma(1.0 - index))[:, np.newaxis] * s * (1.0 + s) ** (index[:, np.newaxis] - 1.0)
    values = (-1.0) ** k * (np.exp(-exponent) / s).real
    values[:, 0] *= 0.5
    weights = np.array([comb(averaged, j) for j in range(averaged + 1)]) / 2.0**averaged
    partial = np.cumsum(values, axis=-1)[:, terms:]
    return np.asarray(np.exp(damping / 2.0) / total * (partial @ weights), dtype=np.float64)
