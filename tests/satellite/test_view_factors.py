"""View factors against published values, Monte Carlo, closed forms and the rules every view factor obeys."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.errors import ValueProblem
from skyhall.satellite.view_factors import (
    array_rear_to_radiator_face,
    perpendicular_rectangles,
    plate_to_sphere,
)

SIZE = st.floats(0.3, 30.0)


def diffuse_directions(count: int, generator: np.random.Generator) -> np.ndarray:
    """Directions of a diffuse surface's rays about +z (cosine law)."""
    sine = np.sqrt(generator.random(count))
    turn = generator.random(count) * 2.0 * np.pi
    return np.stack([sine * np.cos(turn), sine * np.sin(turn), np.sqrt(1.0 - sine**2)])


def test_edge_on_plate_at_550_km_as_published_with_the_mean_earth_radius() -> None:
    assert plate_to_sphere(np.pi / 2, (6371 + 550) / 6371) == pytest.approx(0.25777, abs=5e-6)


def test_edge_on_plate_at_550_km_with_the_equatorial_radius_is_within_the_published_tolerance() -> None:
    assert plate_to_sphere(np.pi / 2, (6378.137 + 550) / 6378.137) == pytest.approx(0.25777, rel=1e-3)


@pytest.mark.parametrize("tilt_deg", [0, 15, 40, 65, 90, 100, 120, 140])
def test_tilted_plate_agrees_with_rays(tilt_deg: int) -> None:
    # 400,000 rays: standard error of at most 0.0008; tolerance four of them.
    ratio, tilt = 1.1, np.radians(tilt_deg)
    rays = diffuse_directions(400_000, np.random.default_rng(tilt_deg))
    to_centre = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    hits = to_centre @ rays > np.sqrt(1.0 - 1.0 / ratio**2)
    assert plate_to_sphere(tilt, ratio) == pytest.approx(hits.mean(), abs=0.0032)


@given(st.floats(0.0, np.pi), st.floats(1.0001, 100.0))
def test_both_faces_together_see_at_least_the_frontal_view_and_at_most_all(tilt: float, ratio: float) -> None:
    both = plate_to_sphere(tilt, ratio) + plate_to_sphere(np.pi - tilt, ratio)
    assert np.abs(np.cos(tilt)) / ratio**2 - 1e-12 <= both <= 1.0 + 1e-12


@given(st.floats(1.001, 50.0))
def test_mean_over_all_orientations_is_the_solid_angle(ratio: float) -> None:
    # A randomly turned face sees the sphere's share of the whole sky: reciprocity with a small ball.
    cosine = (np.arange(2000) + 0.5) / 1000.0 - 1.0
    mean = plate_to_sphere(np.arccos(cosine), ratio).mean()
    solid = 0.5 * (1.0 - np.sqrt(1.0 - ratio**-2))
    assert mean == pytest.approx(solid, abs=2e-5)


@given(st.floats(1.0001, 100.0))
def test_the_three_regions_meet(ratio: float) -> None:
    horizon = np.arccos(1.0 / ratio)
    for tilt in (horizon, np.pi - horizon):
        below, above = plate_to_sphere(tilt - 1e-9, ratio), plate_to_sphere(tilt + 1e-9, ratio)
        assert above == pytest.approx(below, abs=1e-7)


def test_view_falls_as_the_plate_turns_away() -> None:
    views = plate_to_sphere(np.linspace(0.0, np.pi, 500), 1.1)
    assert np.all(np.diff(views) <= 1e-15)


def test_a_plate_on_the_ground_sees_half_the_sky_edge_on() -> None:
    np.testing.assert_allclose(plate_to_sphere([0.0, np.pi / 2, np.pi], 1.0), [1.0, 0.5, 0.0], atol=1e-15)


def test_a_plate_inside_the_sphere_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="inside"):
        plate_to_sphere(0.0, 0.99)


def common_edge(width: float, other: float, length: float) -> float:
    """Howell C-14, the closed form for two rectangles of one length with a common edge."""
    w, h = width / length, other / length
    s = h * h + w * w
    logarithm = np.log(
        (1 + w * w)
        * (1 + h * h)
        / (1 + s)
        * (w * w * (1 + s) / ((1 + w * w) * s)) ** (w * w)
        * (h * h * (1 + s) / ((1 + h * h) * s)) ** (h * h)
    )
    angles = w * np.arctan(1 / w) + h * np.arctan(1 / h) - np.sqrt(s) * np.arctan(1 / np.sqrt(s))
    return float((angles + 0.25 * logarithm) / (np.pi * w))


@given(SIZE, SIZE, SIZE)
def test_common_edge_agrees_with_howell_c14(width: float, other: float, length: float) -> None:
    ours = perpendicular_rectangles((0, width), (0, length), (0, length), (0, other))
    assert ours == pytest.approx(common_edge(width, other, length), abs=1e-9)


def test_two_sides_of_a_cube_see_each_other_by_a_fifth() -> None:
    # Howell's table: adjacent faces of a cube 0.2000, from 1 = 0.19982 + 4 × 0.20004.
    assert perpendicular_rectangles((0, 1), (0, 1), (0, 1), (0, 1)) == pytest.approx(0.20004, abs=1e-5)


@given(
    st.tuples(st.floats(0, 5), SIZE),
    st.tuples(st.floats(-10, 10), SIZE),
    st.tuples(st.floats(-10, 10), SIZE),
    st.tuples(st.floats(0, 5), SIZE),
)
def test_reciprocity(
    x: tuple[float, float], y: tuple[float, float], eta: tuple[float, float], xi: tuple[float, float]
) -> None:
    a, b, c, d = [(start, start + size) for start, size in (x, y, eta, xi)]
    there = perpendicular_rectangles(a, b, c, d) * x[1] * y[1]
    back = perpendicular_rectangles(d, c, b, a) * xi[1] * eta[1]
    assert there == pytest.approx(back, abs=1e-8)


@given(SIZE, SIZE, SIZE, st.floats(0.1, 0.9))
def test_views_of_the_parts_add_up(width: float, other: float, length: float, cut: float) -> None:
    whole = perpendicular_rectangles((0, width), (0, length), (0, length), (0, other))
    near = perpendicular_rectangles((0, width), (0, length), (0, length), (0, cut * other))
    far = perpendicular_rectangles((0, width), (0, length), (0, length), (cut * other, other))
    assert near + far == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize("gap", [0.0, 1.5])
def test_radiator_behind_the_array_agrees_with_rays(gap: float) -> None:
    # 400,000 rays from the +x face of a radiator in the y-z plane to the array in the plane z = 0.
    generator = np.random.default_rng(7)
    array_length, array_width, length, height = 20.0, 10.0, 15.0, 8.0
    count = 400_000
    along_x, along_y, along_z = diffuse_directions(count, generator)[[2, 0, 1]]
    y = (generator.random(count) - 0.5) * length
    z = gap + generator.random(count) * height
    down = along_z < 0.0
    step = z / np.where(down, -along_z, 1.0)
    hits = down & (step * along_x < array_width / 2) & (np.abs(y + step * along_y) < array_length / 2)
    ours = array_rear_to_radiator_face(array_length, array_width, length, height, gap)
    assert ours == pytest.approx(hits.mean(), abs=0.0028)


def test_an_endless_array_fills_half_of_the_view() -> None:
    assert array_rear_to_radiator_face(1e4, 1e4, 1.0, 1.0) == pytest.approx(0.5, abs=1e-4)


def test_view_factors_broadcast() -> None:
    heights = np.array([[1.0], [5.0]])
    views = array_rear_to_radiator_face(np.array([5.0, 10.0, 20.0]), 10.0, 8.0, heights)
    assert views.shape == (2, 3)
    assert views[1, 2] == pytest.approx(float(array_rear_to_radiator_face(20.0, 10.0, 8.0, 5.0)))
