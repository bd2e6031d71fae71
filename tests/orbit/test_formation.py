from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import EARTH_RADIUS
from skyhall.errors import ValueProblem
from skyhall.orbit.elements import kepler_period, mean_motion, position, sun_synchronous_inclination
from skyhall.orbit.formation import (
    axis_ratio,
    closed_orbit,
    flown_ellipse,
    formation_elements,
    square_lattice,
)
from skyhall.orbit.patterns import cluster

ALTITUDE = 650e3
INCLINATION = float(sun_synchronous_inclination(ALTITUDE))
PERIOD = float(kepler_period(ALTITUDE))


def distances(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def test_eighty_one_satellites_are_the_lattice_points_within_five_steps() -> None:
    along, twice_radial = square_lattice(81, 200.0)
    assert np.hypot(along, twice_radial).max() == 1000.0
    assert len({*zip(along, twice_radial, strict=True)}) == 81
    assert (along[0], twice_radial[0]) == (0.0, 0.0)


@given(st.integers(1, 400))
def test_no_lattice_point_outside_is_nearer_than_one_inside(satellites: int) -> None:
    along, twice_radial = square_lattice(satellites, 1.0)
    taken = set(zip(along.tolist(), twice_radial.tolist(), strict=True))
    reach = np.hypot(along, twice_radial).max()
    half = int(reach) + 2
    free = [
        (x, y)
        for x in range(-half, half + 1)
        for y in range(-half, half + 1)
        if (float(x), float(y)) not in taken
    ]
    assert len(taken) == satellites
    assert min(np.hypot(x, y) for x, y in free) >= reach


def test_neighbours_of_the_lattice_come_within_half_a_step_twice_an_orbit() -> None:
    along, twice_radial = square_lattice(81, 200.0)
    seconds = np.linspace(0.0, PERIOD, 721)
    moving = closed_orbit(along, twice_radial, float(mean_motion(EARTH_RADIUS + ALTITUDE)), seconds[:, None])
    next_to = np.argwhere(np.triu(np.isclose(distances(np.stack([along, twice_radial], axis=1)), 200.0)))
    apart = np.linalg.norm(moving[:, next_to[:, 0]] - moving[:, next_to[:, 1]], axis=-1)
    assert apart.min() == pytest.approx(100.0, abs=0.01)
    assert apart.max() == pytest.approx(200.0, abs=0.01)
    around = apart[:-1, 0]
    assert np.sum((around < np.roll(around, 1)) & (around <= np.roll(around, -1))) == 2


def test_mean_elements_follow_the_closed_relative_orbits_within_a_metre() -> None:
    along, twice_radial = square_lattice(81, 200.0)
    elements = formation_elements(ALTITUDE, INCLINATION, 1.0, 0.7, along, twice_radial)
    centre = formation_elements(ALTITUDE, INCLINATION, 1.0, 0.7, np.zeros(1), np.zeros(1))
    for seconds in (0.0, 0.2 * PERIOD, 0.6 * PERIOD):
        here, beside, ahead = (position(centre, seconds + step)[0] for step in (0.0, 1.0, 2.0))
        up = here / np.linalg.norm(here)
        normal = np.cross(here, ahead - beside)
        normal /= np.linalg.norm(normal)
        offset = position(elements, seconds) - here
        found = np.stack([offset @ up, offset @ np.cross(normal, up)], axis=1)
        motion = float(mean_motion(EARTH_RADIUS + ALTITUDE))
        expected = closed_orbit(along, twice_radial, motion, seconds)[:, :2]
        # J2 turns the perigee by 0.2° an orbit, which moves the lattice along its own circle, 3 m at its edge.
        assert np.abs(found - expected).max() < (1.0 if seconds == 0.0 else 3.5)


def test_a_formation_still_holds_its_distances_after_a_year() -> None:
    elements, _, _ = cluster(ALTITUDE, INCLINATION, 81, 200.0)
    apart = distances(position(elements, 365.25 * 86400.0))
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1)
    assert nearest.min() > 99.0
    assert nearest.max() < 201.0


def test_every_satellite_of_a_formation_keeps_the_period_of_its_centre() -> None:
    elements, _, slot = cluster(ALTITUDE, INCLINATION, 20, 500.0, raan=2.0, argument_of_latitude=1.0)
    assert slot.tolist() == list(range(20))
    assert np.ptp(elements.semi_major_axis) == 0.0
    latitude = elements.argument_of_perigee + elements.mean_anomaly
    assert np.mod(latitude, 2 * np.pi) == pytest.approx(np.full(20, 1.0), abs=1e-12)


def test_the_closed_form_of_j2_gives_2_to_1_0006_at_650_km() -> None:
    assert float(axis_ratio(ALTITUDE, INCLINATION)) == pytest.approx(1.00063, abs=1e-5)
    # Where 1 + 3 cos 2i vanishes, J2 has no mean effect on the ellipse.
    assert float(axis_ratio(ALTITUDE, 0.5 * np.arccos(-1.0 / 3.0))) == 1.0


def test_a_flight_in_the_field_of_j2_comes_out_around_the_closed_form() -> None:
    found = [
        flown_ellipse(ALTITUDE, INCLINATION, np.radians(start)).axis_ratio for start in (0.0, 45.0, 90.0)
    ]
    assert np.mean([found[0], found[2]]) == pytest.approx(float(axis_ratio(ALTITUDE, INCLINATION)), abs=1e-5)
    assert 1.0003 < found[2] < found[1] < found[0] < 1.0010


def test_without_flattening_the_flown_ellipse_is_twice_as_long_as_high(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("skyhall.orbit.formation.EARTH_J2", 0.0)
    found = flown_ellipse(ALTITUDE, INCLINATION, 0.3, orbits=3)
    assert found.axis_ratio == pytest.approx(1.0, abs=1e-4)  # second order in size over radius: 1.4e-4


def test_a_formation_as_wide_as_its_orbit_is_refused() -> None:
    with pytest.raises(ValueProblem, match="no longer a small part of its orbit"):
        cluster(ALTITUDE, INCLINATION, 81, 200e3)
    with pytest.raises(ValueProblem, match="formation of 0 satellites"):
        square_lattice(0, 200.0)
