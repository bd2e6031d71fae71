from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.environment.stopping import (
    csda_range,
    effective_charge,
    energy_after,
    ion_energy_after,
    ion_let,
    reactions,
    stopping_power,
    surviving,
)
from skyhall.errors import ValueProblem

# NIST PSTAR (ICRU Report 49), electronic stopping power in MeV cm²/g; read in the tables of libdEdx.
PSTAR_MEV = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 3000.0, 10000.0]
PSTAR = {
    "aluminium": [
        446.775, 370.954, 254.802, 171.906, 109.410, 56.9145, 33.7458, 19.6787, 9.58973, 5.67596, 3.52547, 2.16639,
        1.74933, 1.61928, 1.76772,
    ],
    "silicon": [
        504.398, 388.406, 256.699, 175.298, 111.700, 58.2440, 34.5770, 20.1910, 9.85234, 5.83571, 3.62654, 2.22982,
        1.80121, 1.66757, 1.82963,
    ],
}  # fmt: skip


@pytest.mark.parametrize("material", ["aluminium", "silicon"])
def test_against_pstar(material: str) -> None:
    assert stopping_power(PSTAR_MEV, material) == pytest.approx(PSTAR[material], rel=0.007)


@pytest.mark.parametrize(
    ("energy_mev", "g_per_cm2"),
    [
        (1.0, 3.945e-3),
        (10.0, 0.1705),
        (50.0, 2.928),
        (100.0, 10.01),
        (200.0, 33.31),
        (500.0, 148.9),
    ],
)
def test_against_the_csda_ranges_of_icru_49_in_aluminium(energy_mev: float, g_per_cm2: float) -> None:
    # As SHIELDOSE-2 has them (Seltzer 1993, "based on ICRU-49"; read in IRBEM).
    assert csda_range(energy_mev, "aluminium") == pytest.approx(g_per_cm2, rel=0.004)


def test_a_range_is_the_integral_of_the_tabulated_stopping_powers() -> None:
    energy = np.geomspace(10.0, 500.0, 4000)
    log_stopping = np.interp(np.log(energy), np.log(PSTAR_MEV), np.log(PSTAR["silicon"]))
    path = np.trapezoid(np.exp(-log_stopping), energy)
    crossed = csda_range(500.0, "silicon") - csda_range(10.0, "silicon")
    assert crossed == pytest.approx(path, rel=0.015)  # the table is coarse


def test_five_millimetres_of_aluminium_stop_protons_below_33_mev() -> None:
    assert energy_after(32.0, 1.35, "aluminium") == 0.0
    assert energy_after(34.0, 1.35, "aluminium") > 0.0


@given(
    energy=st.floats(1.0, 2000.0),
    first=st.floats(0.0, 3.0),
    second=st.floats(0.0, 3.0),
    charge=st.sampled_from([(1, 1.0), (2, 4.0), (26, 55.8)]),
)
def test_two_shields_in_a_row_are_one_of_both_thicknesses(
    energy: float, first: float, second: float, charge: tuple[int, float]
) -> None:
    once = ion_energy_after(energy, *charge, first + second)
    twice = ion_energy_after(ion_energy_after(energy, *charge, first), *charge, second)
    assert twice == pytest.approx(once, rel=1e-3, abs=0.05)


@given(energy=st.floats(1.0, 5000.0), thickness=st.floats(0.0, 100.0))
def test_nothing_is_faster_behind_a_shield(energy: float, thickness: float) -> None:
    assert 0.0 <= energy_after(energy, thickness) <= energy


def test_energy_lost_in_a_thin_foil_is_stopping_power_times_thickness() -> None:
    lost = 100.0 - energy_after(100.0, 0.01, "silicon")
    assert lost == pytest.approx(0.01 * stopping_power(100.0, "silicon"), rel=0.002)


def test_a_fast_proton_reacts_once_in_a_hundred_grams() -> None:
    # Reaction cross-section of aluminium 440 mb: 102 g/cm²; measured at 100 to 180 MeV: 410 to 450 mb.
    assert 1.0 / reactions(2000.0, "aluminium") == pytest.approx(101.0, rel=0.03)
    assert 1.0 / reactions(100.0, "aluminium") == pytest.approx(104.0, rel=0.1)


def test_protons_below_the_coulomb_barrier_do_not_react() -> None:
    assert reactions(5.0) == 0.0


def test_what_survives_two_shields_survives_one_of_both() -> None:
    middle, end = energy_after(200.0, 5.0), energy_after(200.0, 12.0)
    product = surviving(200.0, middle) * surviving(middle, end)
    assert product == pytest.approx(surviving(200.0, end), rel=1e-9)
    assert surviving(200.0, end) == pytest.approx(np.exp(-12.0 / 113.0), rel=0.01)


def test_iron_has_its_highest_let_in_silicon_near_two_mev_per_nucleon() -> None:
    # SRIM: 29.3 MeV cm²/mg at 2 MeV per nucleon.
    energy = np.geomspace(0.1, 100.0, 400)
    let = ion_let(energy, 26, 55.8)
    assert let.max() == pytest.approx(29.3, rel=0.08)
    assert 1.0 < energy[let.argmax()] < 2.5


def test_fast_iron_has_a_let_of_1_1() -> None:
    assert ion_let(np.geomspace(1e3, 1e4, 50), 26, 55.8).min() == pytest.approx(1.12, abs=0.05)


def test_let_goes_with_the_square_of_the_charge_at_equal_speed() -> None:
    carbon, oxygen = ion_let(1000.0, 6, 12.0), ion_let(1000.0, 8, 16.0)
    assert oxygen / carbon == pytest.approx(64 / 36, rel=1e-3)


def test_slow_nuclei_carry_electrons_along() -> None:
    assert effective_charge(0.5, 26) < 0.75 * 26
    assert effective_charge(1000.0, 26) == pytest.approx(26.0, abs=0.01)
    assert effective_charge(0.5, 1) == 1.0


def test_shapes_broadcast() -> None:
    assert energy_after(np.ones((3, 1)) * 50.0, np.linspace(0.0, 1.0, 4)).shape == (3, 4)


def test_a_negative_thickness_is_refused() -> None:
    with pytest.raises(ValueProblem, match="thickness"):
        energy_after(10.0, -1.0)


def test_an_unknown_material_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ValueProblem, match="did you mean 'aluminium'"):
        stopping_power(10.0, "aluminum")


def test_a_nucleus_without_charge_is_refused() -> None:
    with pytest.raises(ValueProblem, match="charge"):
        ion_let(10.0, 0, 4.0)
