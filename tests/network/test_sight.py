"""Lines of sight: against geometry done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from skyhall.constants import EARTH_RADIUS
from skyhall.errors import ValueProblem
from skyhall.network.sight import grazing_altitude, longest_chord, nadir_turn, slew_rate
from skyhall.orbit import circular_position, mean_motion, walker_delta


def at(altitude: float, angle: float) -> np.ndarray:
    return (EARTH_RADIUS + altitude) * np.array([np.cos(angle), np.sin(angle), 0.0])


def test_the_line_between_two_satellites_grazes_at_its_middle() -> None:
    angle = np.radians(40.0)
    found = grazing_altitude(at(550e3, 0.0), at(550e3, angle))
    assert found == pytest.approx((EARTH_RADIUS + 550e3) * np.cos(angle / 2) - EARTH_RADIUS, abs=0.01)


def test_a_line_that_rises_all_the_way_is_lowest_at_its_lower_end() -> None:
    assert grazing_altitude(at(500e3, 0.0), at(900e3, 0.01)) == pytest.approx(500e3, abs=0.01)


def test_a_line_through_the_earth_lies_below_the_ground() -> None:
    assert grazing_altitude(at(550e3, 0.0), at(550e3, np.pi)) == pytest.approx(-EARTH_RADIUS, abs=0.01)


def test_lines_broadcast() -> None:
    here = at(550e3, 0.0)
    there = np.stack([at(550e3, angle) for angle in (0.1, 0.2, 0.3)])
    assert grazing_altitude(here, there).shape == (3,)


@pytest.mark.parametrize(("low", "high"), [(550e3, 550e3), (550e3, 1200e3), (80e3, 550e3)])
def test_the_longest_chord_grazes_exactly_at_the_limit(low: float, high: float) -> None:
    chord = float(longest_chord(low, high, 80e3))
    a, b = EARTH_RADIUS + low, EARTH_RADIUS + high
    angle = np.arccos((a * a + b * b - chord * chord) / (2 * a * b))
    assert grazing_altitude(at(low, 0.0), at(high, angle)) == pytest.approx(80e3, abs=0.1)


def test_hypatias_longest_link_of_starlink_is_5014_km() -> None:
    assert longest_chord(550e3, 550e3, 80e3) == pytest.approx(5014e3, rel=0.005)


def test_a_satellite_below_the_grazing_altitude_is_refused() -> None:
    with pytest.raises(ValueProblem, match="below the grazing altitude"):
        longest_chord(50e3, 550e3, 80e3)


def test_neighbours_in_a_plane_stand_still_for_a_body_that_keeps_its_face_to_the_earth() -> None:
    elements, _, _ = walker_delta(550e3, np.radians(53.0), 24, 1)
    here = circular_position(elements, 0.0)
    speed = circular_position(elements, 0.5) - circular_position(elements, -0.5)
    turn = nadir_turn(here[0], speed[0])
    rate = float(mean_motion(EARTH_RADIUS + 550e3))
    assert np.linalg.norm(turn) == pytest.approx(rate, rel=2e-3)
    assert slew_rate(here[0], here[1], speed[0], speed[1], turn) == pytest.approx(0.0, abs=1e-6)
    # Among the stars the same line turns once an orbit.
    assert slew_rate(here[0], here[1], speed[0], speed[1]) == pytest.approx(rate, rel=2e-3)


def test_satellites_that_meet_head_on_are_followed_as_fast_as_speed_over_distance() -> None:
    here, there = np.zeros(3), np.array([0.0, 100e3, 0.0])
    assert slew_rate(here, there, np.array([7e3, 0, 0]), np.array([-7e3, 0, 0])) == pytest.approx(0.14)
