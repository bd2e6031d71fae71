"""Survival of very many accelerators, where the law of large numbers holds: what the exact count is held against."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Number = float | Array
NEVER_PER_YEAR = 1e-12  # a hazard below it uses up no spare in any life


def surviving_share(
    accelerator_failures: Number,
    satellite_failures: Number,
    spares_share: Number,
    life_years: Number,
) -> Array:
    """Return the mean over the life of the share of sold accelerators that still work, without replenishment.

    Parameters
    ----------
    accelerator_failures, satellite_failures : constant hazards, 1/yr; spares fail like working
        accelerators.
    spares_share : spares over working accelerators; they take over until they are used up.
    life_years : years over which the mean is taken.

    Notes
    -----
    Mean of min(1, (1 + s) exp(-a t)) exp(-b t) over the life: fully served until t1 = ln(1 + s) / a,
    decaying after. The law of large numbers is taken for granted (many accelerators on each satellite);
    wear and infant mortality are left out.
    """
    a, b = accelerator_failures, satellite_failures
    s, life = spares_share, life_years
    used_up = np.minimum(np.log1p(s) / np.maximum(a, NEVER_PER_YEAR), life)
    full = _mean_decay(b, used_up) * used_up
    decaying = np.exp(-b * used_up) * _mean_decay(a + b, life - used_up) * (life - used_up)
    return np.asarray((full + decaying) / life)


def _mean_decay(rate: Number, span: Number) -> Array:
    """Return the mean of exp(-rate t) for t from 0 to `span`, exact where the product is small."""
    product = rate * span
    safe = np.where(product > 0, product, 1.0)
    return np.asarray(np.where(product > 0, -np.expm1(-safe) / safe, 1.0))
