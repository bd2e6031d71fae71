"""Radiator balance against published radiators, an independent solver and conservation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_bvp

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.errors import ValueProblem
from skyhall.satellite.heat import environment_flux, radiated
from skyhall.satellite.radiator import (
    Flux,
    coating_absorptivity,
    conductance_parameter,
    coolant_limit,
    earth_infrared_from_temperature,
    fin_efficiency,
    junction_temperature,
    mean_temperature,
    net_flux,
    radiator_temperature,
    sink_temperature,
)

KELVIN = st.floats(200.0, 450.0)
SHARE = st.floats(0.05, 0.95)


def starcloud_face(sun_cosine: float, earth_view: float, infrared_absorptivity: float | None) -> Flux:
    """One face of the radiator in the Starcloud white paper v1.03 (2024)."""
    return net_flux(
        temperature=293.15,
        emissivity=0.92,
        absorptivity=0.09,
        sunlight=1366.0,
        sun_cosine=sun_cosine,
        earth_view=earth_view,
        albedo=0.3,
        earth_infrared=earth_infrared_from_temperature(253.15),
        infrared_absorptivity=infrared_absorptivity,
    )


def test_starcloud_radiator_as_published_with_one_absorptivity_for_all() -> None:
    plate = starcloud_face(1.0, 0.25, 0.09) + starcloud_face(0.0, 0.0, 0.09)
    assert plate.emitted == pytest.approx(770.48, rel=1e-3)
    assert plate.sun == pytest.approx(122.94, rel=1e-3)
    assert plate.albedo + plate.infrared == pytest.approx(14.46, rel=1e-3)
    assert plate.net == pytest.approx(633.08, rel=1e-3)


def test_starcloud_radiator_by_kirchhoff_with_one_face_towards_the_earth() -> None:
    plate = starcloud_face(1.0, 0.25, None) + starcloud_face(0.0, 0.0, None)
    assert plate.net == pytest.approx(584.8, rel=1e-3)


def test_starcloud_radiator_by_kirchhoff_with_both_faces_towards_the_earth() -> None:
    plate = starcloud_face(1.0, 0.25, None) + starcloud_face(0.0, 0.25, None)
    assert plate.net == pytest.approx(522.0, rel=1e-3)


def test_ai1_radiates_its_average_heat_at_337_k() -> None:
    absorbed = 0.91 * STEFAN_BOLTZMANN * 220.0**4
    assert radiator_temperature(120e3, 220.0, 0.91, absorbed) == pytest.approx(337.1, abs=0.2)


def test_iss_photovoltaic_radiator_rejects_330_w_per_planform_square_metre_of_17_5_kg() -> None:
    planform = 3.12 * 13.6
    assert 14e3 / planform == pytest.approx(330, rel=0.05)
    assert 740.7 / planform == pytest.approx(17.5, rel=0.05)


def test_iss_photovoltaic_radiator_does_so_within_its_ammonia_loop_range() -> None:
    # ε = 0.92 (Z-93 white paint), both faces edge-on to the Earth (0.29 at 400 km): between -30 and +10 °C.
    absorbed = net_flux(0.0, 0.92, 0.16, 1361.0, 0.0, 0.29, 0.3, 240.0).absorbed
    kelvin = radiator_temperature(14e3, 2 * 3.12 * 13.6, 0.92, absorbed, fin_efficiency=0.9)
    assert 243.0 < kelvin < 283.0


@given(KELVIN, SHARE, SHARE, SHARE)
def test_the_twins_stepping_formulas_are_the_same_balance(
    kelvin: float, emissivity: float, absorptivity: float, sun_cosine: float
) -> None:
    surroundings = {"sunlight": 1361.0, "earth_view": 0.24, "albedo": 0.3, "earth_infrared": 240.0}
    rear = {"array_view": 0.2, "array_temperature": 320.0, "array_emissivity": 0.85, "fin_efficiency": 0.9}
    lit = net_flux(kelvin, emissivity, absorptivity, sun_cosine=sun_cosine, **surroundings, **rear)
    dark = net_flux(kelvin, emissivity, absorptivity, sun_cosine=0.0, **surroundings, **rear)
    absorbed = environment_flux(
        direct_sunlight=1361.0,
        sun_sine=sun_cosine,
        absorptivity=absorptivity,
        albedo_flux=0.3 * 1361.0,
        earth_view=0.24,
        infrared_absorbed=emissivity * 0.24 * 240.0,
        array_emission=0.85 * STEFAN_BOLTZMANN * 320.0**4,
        array_coupling=emissivity * 0.2,
    )
    expected = (lit + dark).per_emitting_area().net
    assert radiated(emissivity * 0.9, kelvin) - absorbed == pytest.approx(float(expected), abs=1e-9)


def test_emitting_area_convention_halves_a_plate() -> None:
    plate = starcloud_face(1.0, 0.25, None) + starcloud_face(0.0, 0.25, None)
    assert plate.per_emitting_area().net * 2.0 == pytest.approx(float(plate.net))


@given(KELVIN, SHARE, SHARE, SHARE)
def test_the_inverse_gives_the_temperature_back(
    kelvin: float, emissivity: float, absorptivity: float, efficiency: float
) -> None:
    face = net_flux(
        kelvin, emissivity, absorptivity, 1361.0, 0.2, 0.25, 0.3, 240.0, fin_efficiency=efficiency
    )
    back = radiator_temperature(face.net * 7.0, 7.0, emissivity, face.absorbed, efficiency)
    assert back == pytest.approx(kelvin, abs=1e-6)


@given(SHARE, SHARE, st.floats(250.0, 350.0))
def test_nothing_flows_at_the_sink_temperature(emissivity: float, absorptivity: float, rear: float) -> None:
    surroundings = (1361.0, 0.1, 0.25, 0.3, 240.0)
    hot = {"array_view": 0.3, "array_temperature": rear, "array_emissivity": 0.85}
    absorbed = net_flux(0.0, emissivity, absorptivity, *surroundings, **hot).absorbed
    sink = sink_temperature(absorbed, emissivity)
    assert net_flux(sink, emissivity, absorptivity, *surroundings, **hot).net == pytest.approx(0.0, abs=1e-9)


@given(KELVIN, SHARE)
def test_a_radiator_enclosed_by_black_bodies_of_its_own_temperature_is_in_equilibrium(
    kelvin: float, view: float
) -> None:
    # Second law: Earth and array fill the whole view at the radiator's own temperature.
    face = net_flux(
        kelvin,
        0.9,
        0.1,
        0.0,
        0.0,
        view,
        0.3,
        earth_infrared_from_temperature(kelvin),
        array_view=1.0 - view,
        array_temperature=kelvin,
        array_emissivity=1.0,
    )
    assert face.net == pytest.approx(0.0, abs=1e-9)


def test_coating_darkens_linearly_and_then_stays() -> None:
    ages = np.array([0.0, 2.5, 5.0, 9.0])
    np.testing.assert_allclose(coating_absorptivity(0.15, 0.25, ages, 5.0), [0.15, 0.20, 0.25, 0.25])


@pytest.mark.parametrize("conductance", [0.05, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("sink", [0.0, 0.6, 0.9])
def test_fin_efficiency_agrees_with_a_boundary_value_solver(conductance: float, sink: float) -> None:
    def slopes(_: np.ndarray, state: np.ndarray) -> np.ndarray:
        return np.stack([state[1], conductance * (state[0] ** 4 - sink**4)])

    def ends(root: np.ndarray, tip: np.ndarray) -> np.ndarray:
        return np.array([root[0] - 1.0, tip[1]])

    mesh = np.linspace(0.0, 1.0, 41)
    solved = solve_bvp(slopes, ends, mesh, np.stack([1.0 - 0.2 * mesh, -0.2 + 0.2 * mesh]), tol=1e-9)
    expected = -solved.sol(0.0)[1] / conductance + sink**4
    assert fin_efficiency(conductance, sink) == pytest.approx(expected, abs=1e-7)


def test_a_short_fin_loses_four_thirds_of_its_conductance_parameter() -> None:
    # First order of the perturbation series: mean of T⁴ is 1 - (4/3) c.
    assert fin_efficiency(1e-4) == pytest.approx(1.0 - 4.0 / 3.0 * 1e-4, abs=1e-7)


def test_a_long_fin_approaches_the_infinite_one() -> None:
    # Infinite fin: flow sqrt(2/5) at the root in units of sqrt(c), so the efficiency is sqrt(2/(5 c)).
    assert fin_efficiency(500.0) == pytest.approx(np.sqrt(0.4 / 500.0), rel=2e-3)


@given(st.floats(1e-3, 20.0), st.floats(0.0, 0.98))
def test_fin_is_between_its_sink_and_its_root(conductance: float, sink: float) -> None:
    assert sink**4 <= fin_efficiency(conductance, sink) <= 1.0


def test_conductance_parameter_of_a_millimetre_aluminium_fin() -> None:
    # 2 × 0.9 × 5.670e-8 × 330³ × 0.05² / (170 × 0.001)
    assert conductance_parameter(0.9, 330.0, 0.05, 170.0, 0.001) == pytest.approx(0.05394, rel=1e-3)


@pytest.mark.parametrize(("conductance", "sink"), [(0.0, 0.0), (-1.0, 0.0), (0.5, 1.0), (0.5, -0.1)])
def test_a_fin_that_cannot_be_is_an_error(conductance: float, sink: float) -> None:
    with pytest.raises(ValueProblem, match="fin out of range"):
        fin_efficiency(conductance, sink)


def test_ladder_of_a_700_w_chip_step_by_step() -> None:
    ladder = coolant_limit(363.15, 700.0, 0.04, 0.02, coolant_rise=10.0, root_drop=3.0)
    assert ladder.cold_plate == pytest.approx(335.15)
    assert ladder.coolant_hot == pytest.approx(321.15)
    assert ladder.coolant_cold == pytest.approx(311.15)
    assert ladder.root_hot == pytest.approx(318.15)
    assert ladder.radiator == pytest.approx(313.2, abs=0.05)


@given(KELVIN, st.floats(0.0, 1500.0), st.floats(0.0, 0.1), st.floats(0.0, 40.0), st.floats(0.0, 10.0))
def test_ladder_up_and_down_agree(kelvin: float, heat: float, ohm: float, rise: float, drop: float) -> None:
    up = junction_temperature(kelvin, heat, ohm, 0.5 * ohm, rise, drop)
    down = coolant_limit(up.junction, heat, ohm, 0.5 * ohm, rise, drop)
    assert down.radiator == pytest.approx(kelvin, abs=1e-8)


@given(KELVIN, st.floats(0.0, 60.0))
def test_mean_temperature_radiates_like_the_profile(hot: float, rise: float) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(4)
    profile = hot - rise * 0.5 * (nodes + 1.0)
    expected = (0.5 * weights @ profile**4) ** 0.25
    assert mean_temperature(hot, hot - rise) == pytest.approx(expected, abs=1e-9)


def test_balances_broadcast_over_designs() -> None:
    face = net_flux(
        np.array([300.0, 330.0]), 0.9, np.array([[0.1], [0.2], [0.3]]), 1361.0, 0.3, 0.25, 0.3, 240.0
    )
    assert face.net.shape == (3, 2)
