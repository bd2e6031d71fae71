"""One attitude law fixes incidence, view factors and drag area together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.errors import ValueProblem
from skyhall.orbit.elements import raan_from_local_time, sun_synchronous_inclination
from skyhall.orbit.seasons import year_of_light
from skyhall.satellite.attitude import AttitudeView, attitude_view
from skyhall.satellite.view_factors import array_rear_to_radiator_face, plate_to_sphere

BETA = st.floats(-np.pi / 2, np.pi / 2)
PHASE = np.linspace(0.0, 2.0 * np.pi, 20_001)[:-1]


def view(law: str, altitude: float = 650e3, error: float = 0.0) -> AttitudeView:
    return attitude_view(law, altitude, error, 20.0, 10.0, 15.0, 8.0)


def orbit_vectors(beta: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sun, zenith and velocity over an orbit, as rows (phase from local noon), in the orbit's frame."""
    zero = np.zeros_like(PHASE)
    sun = np.stack([np.cos(beta) + zero, zero, np.sin(beta) + zero], axis=1)
    zenith = np.stack([np.cos(PHASE), np.sin(PHASE), zero], axis=1)
    velocity = np.stack([-np.sin(PHASE), np.cos(PHASE), zero], axis=1)
    return sun, zenith, velocity


def dawn_dusk_beta(altitude: float) -> np.ndarray:
    epoch = 2461041.5  # 2026-01-01
    inclination = sun_synchronous_inclination(altitude)
    raan = raan_from_local_time(6 * 3600.0, epoch)
    return year_of_light(altitude, inclination, raan, epoch).beta


def test_an_array_fixed_to_the_orbit_normal_loses_5_percent_over_a_dawn_dusk_year() -> None:
    cosine = view("orbit_normal").array_sun_cosine(dawn_dusk_beta(650e3))
    assert 1.0 - cosine.mean() == pytest.approx(0.05, abs=0.01)


def test_an_array_fixed_to_the_orbit_normal_loses_15_percent_on_the_worst_day() -> None:
    cosine = view("orbit_normal").array_sun_cosine(dawn_dusk_beta(650e3))
    assert 1.0 - cosine.min() == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize(
    "name",
    [
        "radiator_sun_sine",
        "radiator_sun_follows_velocity",
        "radiator_earth_view",
        "radiator_array_view",
    ],
)
def test_nothing_that_the_law_fixes_can_be_set(name: str) -> None:
    one = view("sun_tracking")
    with pytest.raises(TypeError):
        AttitudeView("sun_tracking", 650e3, 0.0, 20.0, 10.0, 15.0, 8.0, **{name: 0.0})
    with pytest.raises(ValueError, match="init=False"):
        dataclasses.replace(one, **{name: 0.0})  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, name, 0.0)


def test_changing_the_law_changes_everything_with_it() -> None:
    one = view("sun_tracking")
    other = dataclasses.replace(one, law="orbit_normal")
    beta = np.radians(70.0)
    assert other.array_sun_cosine(beta) < one.array_sun_cosine(beta)
    assert other.radiator_mean_sun_cosine(beta) > one.radiator_mean_sun_cosine(beta)
    assert other.radiator_frontal_fraction(beta) > one.radiator_frontal_fraction(beta)
    assert other.array_frontal_fraction(beta) < one.array_frontal_fraction(beta)
    assert other.radiator_sun_follows_velocity == 1.0


@given(BETA)
def test_tracking_keeps_the_radiator_edge_on_to_sun_and_earth(beta: float) -> None:
    sun, zenith, _ = orbit_vectors(beta)
    normal = np.cross(sun, zenith)
    np.testing.assert_allclose((normal * sun).sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose((normal * zenith).sum(axis=1), 0.0, atol=1e-12)
    assert np.all(view("sun_tracking").radiator_sun_cosine(beta, PHASE) == 0.0)


@given(BETA)
def test_orbit_normal_radiator_meets_the_sun_as_the_velocity_does(beta: float) -> None:
    sun, _, velocity = orbit_vectors(beta)
    expected = np.abs((velocity * sun).sum(axis=1))
    np.testing.assert_allclose(view("orbit_normal").radiator_sun_cosine(beta, PHASE), expected, atol=1e-12)


@pytest.mark.parametrize("size", [(20.0, 10.0, 15.0, 8.0), (6.0, 4.0, 9.0, 12.0), (12.0, 12.0, 12.0, 3.0)])
@pytest.mark.parametrize("beta_deg", [20.0, 60.0, -80.0])
def test_the_arrays_shadow_on_the_radiator_agrees_with_rays(
    size: tuple[float, float, float, float], beta_deg: float
) -> None:
    array_length, array_width, length, height = size
    beta = np.radians(beta_deg)
    y = (np.arange(400) + 0.5) / 400 * length - length / 2
    z = (np.arange(400) + 0.5)[:, None] / 400 * height
    for phase in (0.0, 0.4, 1.3, np.pi / 2, 4.0):
        across, along = np.cos(beta) * np.sin(phase), np.cos(beta) * np.cos(phase)
        step = z / abs(np.sin(beta))
        shaded = (np.abs(step * across) < array_width / 2) & (np.abs(y + step * along) < array_length / 2)
        ours = attitude_view("orbit_normal", 650e3, 0.0, *size).radiator_lit_share(beta, phase)
        assert ours == pytest.approx(1.0 - shaded.mean(), abs=0.005)


def test_on_a_dawn_dusk_orbit_the_array_keeps_the_sun_off_a_radiator_not_longer_than_itself() -> None:
    beta, phase = np.meshgrid(dawn_dusk_beta(650e3), np.linspace(0.0, 2 * np.pi, 181))
    one = view("orbit_normal")
    arriving = one.radiator_sun_cosine(beta, phase) * one.radiator_lit_share(beta, phase)
    assert arriving.mean(axis=0).max() < 0.01 < 0.3 < one.radiator_mean_sun_cosine(beta).max()


@given(BETA)
def test_mean_sun_on_the_radiator_is_the_mean_over_the_orbit(beta: float) -> None:
    one = view("orbit_normal", error=0.01)
    over_orbit = one.radiator_sun_cosine(beta, PHASE).mean()
    assert one.radiator_mean_sun_cosine(beta) == pytest.approx(over_orbit, abs=2e-3)


@given(BETA)
def test_drag_area_of_a_tracking_array_is_the_mean_over_the_orbit(beta: float) -> None:
    sun, _, velocity = orbit_vectors(beta)
    expected = np.abs((velocity * sun).sum(axis=1)).mean()
    assert view("sun_tracking").array_frontal_fraction(beta) == pytest.approx(expected, abs=1e-6)


@given(st.floats(0.02, np.pi / 2))
def test_drag_area_of_a_tracking_radiator_is_the_mean_over_the_orbit(beta: float) -> None:
    sun, zenith, velocity = orbit_vectors(beta)
    normal = np.cross(sun, zenith)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    expected = np.abs((normal * velocity).sum(axis=1)).mean()
    assert view("sun_tracking").radiator_frontal_fraction(beta) == pytest.approx(expected, abs=1e-6)


def test_orbit_normal_radiator_flies_face_on_and_its_array_edge_on() -> None:
    one = view("orbit_normal")
    assert one.radiator_frontal_fraction(1.0) == 1.0
    assert one.array_frontal_fraction(1.0) == 0.0


@pytest.mark.parametrize("law", ["sun_tracking", "orbit_normal"])
def test_each_radiator_face_sees_earth_edge_on_and_half_of_the_array(law: str) -> None:
    one = view(law)
    assert one.radiator_earth_view == pytest.approx(float(plate_to_sphere(np.pi / 2, 1 + 650e3 / 6378137.0)))
    assert one.radiator_array_view == pytest.approx(float(array_rear_to_radiator_face(20.0, 10.0, 15.0, 8.0)))


@pytest.mark.parametrize("beta_deg", [0.0, 20.0, 58.0, 90.0])
def test_tracking_array_sees_the_earth_as_the_mean_over_the_orbit(beta_deg: float) -> None:
    sun, zenith, _ = orbit_vectors(np.radians(beta_deg))
    tilt = np.arccos(np.clip(-(sun * zenith).sum(axis=1), -1.0, 1.0))
    ratio = 1.0 + 650e3 / 6378137.0
    front, rear = view("sun_tracking").array_earth_view(np.radians(beta_deg))
    assert front == pytest.approx(plate_to_sphere(tilt, ratio).mean(), abs=1e-5)
    assert rear == pytest.approx(plate_to_sphere(np.pi - tilt, ratio).mean(), abs=1e-5)


def test_orbit_normal_array_is_edge_on_to_the_earth() -> None:
    one = view("orbit_normal")
    assert one.array_earth_view(0.3) == (one.radiator_earth_view, one.radiator_earth_view)


@pytest.mark.parametrize("law", ["sun_tracking", "orbit_normal"])
def test_pointing_error_costs_array_power_and_heats_the_radiator(law: str) -> None:
    good, bad = view(law), view(law, error=np.radians(3.0))
    assert bad.array_sun_cosine(1.0) < good.array_sun_cosine(1.0)
    assert bad.radiator_sun_cosine(1.0, 0.5) - good.radiator_sun_cosine(1.0, 0.5) == pytest.approx(
        np.sin(np.radians(3.0))
    )


def test_designs_broadcast_against_days() -> None:
    altitudes = np.array([[500e3], [650e3], [1000e3]])
    beta = np.radians(np.linspace(55.0, 90.0, 12))
    one = attitude_view("sun_tracking", altitudes, 0.01, 20.0, 10.0, 15.0, 8.0)
    assert one.array_earth_view(beta)[0].shape == (3, 12)
    assert one.radiator_frontal_fraction(beta).shape == (12,)
    alone = attitude_view("sun_tracking", 1000e3, 0.01, 20.0, 10.0, 15.0, 8.0)
    assert one.array_earth_view(beta)[0][2, 4] == pytest.approx(float(alone.array_earth_view(beta[4])[0]))


def test_an_unknown_law_is_an_error_that_names_the_right_one() -> None:
    with pytest.raises(ValueProblem, match="did you mean 'orbit_normal'"):
        view("orbit_norml")


@pytest.mark.parametrize(
    ("position", "wrong", "message"),
    [
        (1, -1.0, "above the Earth"),
        (2, 2.0, "pointing error"),
        (3, 0.0, "array length"),
        (6, np.nan, "radiator height"),
    ],
)
def test_what_cannot_be_is_an_error(position: int, wrong: float, message: str) -> None:
    arguments: list[object] = ["sun_tracking", 650e3, 0.0, 20.0, 10.0, 15.0, 8.0]
    arguments[position] = wrong
    with pytest.raises(ValueProblem, match=message):
        attitude_view(*arguments)  # type: ignore[arg-type]
