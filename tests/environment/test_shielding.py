from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.environment.shielding import aluminium_g_cm2, behind_shield, energy_before
from skyhall.environment.stopping import energy_after
from skyhall.errors import ValueProblem
from skyhall.types import Array

ENERGY = np.geomspace(1.0, 1000.0, 120)
FALLING = ENERGY**-1.5


def count(spectrum: Array, energy: Array = ENERGY) -> float:
    return float(np.trapezoid(spectrum, energy))


def test_five_millimetres_of_aluminium_are_1_35_grams_per_square_centimetre() -> None:
    assert aluminium_g_cm2(5e-3) == pytest.approx(1.35)


def test_without_a_shield_nothing_changes() -> None:
    assert behind_shield(ENERGY, FALLING, 0.0) == pytest.approx(FALLING)


def test_a_slab_without_thickness_hides_half_the_sky() -> None:
    assert behind_shield(ENERGY, FALLING, 0.0, "slab") == pytest.approx(0.5 * FALLING)


@pytest.mark.parametrize("thickness", [0.2, 1.35, 5.0])
def test_every_proton_that_does_not_stop_is_counted_behind_the_shield(thickness: float) -> None:
    fine = np.geomspace(1e-3, 3000.0, 3000)
    left = energy_after(ENERGY[-1], thickness)
    inside = count(behind_shield(fine, fine**-1.5, thickness)[fine < left], fine[fine < left])
    stopped = energy_before(1e-3, thickness)
    passing = 2.0 * (stopped**-0.5 - ENERGY[-1] ** -0.5)
    assert inside == pytest.approx(passing, rel=0.01)


@given(first=st.floats(0.01, 5.0), second=st.floats(0.01, 5.0))
def test_two_shields_in_a_row_are_one_of_both_thicknesses(first: float, second: float) -> None:
    once = behind_shield(ENERGY, FALLING, first + second)
    twice = behind_shield(ENERGY, behind_shield(ENERGY, FALLING, first), second)
    far = ENERGY < 500.0  # beyond, the power law was carried on once or twice
    assert twice[far] == pytest.approx(once[far], rel=0.03)


def test_what_a_shield_takes_a_path_back_gives() -> None:
    assert energy_after(energy_before(20.0, 2.0), 2.0) == pytest.approx(20.0, rel=2e-3)


def test_slow_protons_are_as_many_per_mev_as_the_stopping_power_says() -> None:
    # A wide spectrum behind a thick shield: flux at E' goes as 1 / S(E'), flat spectra outside.
    from skyhall.environment.stopping import stopping_power

    flat = behind_shield(ENERGY, np.ones_like(ENERGY), 20.0)
    product = flat * stopping_power(ENERGY, "aluminium")
    assert product[0] == pytest.approx(product[20], rel=0.01)


def test_a_sphere_lets_more_through_than_two_slabs() -> None:
    sphere, slab = (count(behind_shield(ENERGY, FALLING, 1.35, each)) for each in ("sphere", "slab"))
    assert sphere > 2.0 * slab


def test_a_cutoff_moves_down_in_energy() -> None:
    above = np.where(ENERGY > 300.0, FALLING, 0.0)
    found = behind_shield(ENERGY, above, 10.0)
    assert np.all(found[energy_after(280.0, 10.0) > ENERGY] == 0.0)
    assert np.all(found[ENERGY > 310.0] > 0.0)


def test_leading_axes_are_kept() -> None:
    assert behind_shield(ENERGY, np.ones((2, 3, 1)) * FALLING, 1.0).shape == (2, 3, 120)


@pytest.mark.parametrize("thickness", [-1.0, float("nan"), float("inf")])
def test_impossible_thicknesses_are_refused(thickness: float) -> None:
    with pytest.raises(ValueProblem, match="shield"):
        behind_shield(ENERGY, FALLING, thickness)


def test_an_unknown_geometry_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ValueProblem, match="did you mean 'sphere'"):
        behind_shield(ENERGY, FALLING, 1.0, "shpere")
