from __future__ import annotations

import numpy as np
import pytest

from skyhall.report.contours import contours, simplified

X, Y = np.linspace(-3.0, 3.0, 61), np.linspace(-2.0, 2.0, 41)
HILL = np.exp(-0.5 * (X[None, :] ** 2 + Y[:, None] ** 2))


def test_the_contour_of_a_round_hill_is_one_closed_circle() -> None:
    (line,) = contours(X, Y, HILL, np.exp(-0.5))
    assert np.array_equal(line[0], line[-1])
    assert np.hypot(*line.T) == pytest.approx(1.0, abs=2e-3)


def test_higher_ground_lies_on_the_left() -> None:
    (line,) = contours(X, Y, HILL, 0.5)
    x, y = line.T
    turned = 0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])
    assert turned == pytest.approx(np.pi * 2.0 * np.log(2.0), rel=0.01)  # to the left around the top


def test_a_line_that_leaves_the_grid_ends_at_its_edge() -> None:
    (line,) = contours(X, Y, np.broadcast_to(X, HILL.shape), 0.55)
    assert sorted(line[[0, -1], 1]) == [-2.0, 2.0]
    assert line[:, 0] == pytest.approx(0.55)


def test_a_saddle_gives_two_lines() -> None:
    corners = np.array([[1.0, 0.0], [0.0, 1.0]])
    ends = [0.0, 1.0]
    assert len(contours(np.array(ends), np.array(ends), corners, 0.5)) == 2


@pytest.mark.parametrize("level", [-1.0, 2.0])
def test_a_level_outside_the_field_has_no_contour(level: float) -> None:
    assert contours(X, Y, HILL, level) == []


def test_every_crossing_of_a_rough_field_is_on_one_line() -> None:
    field = np.random.default_rng(5).normal(size=(30, 40))
    lines = contours(np.arange(40.0), np.arange(30.0), field, 0.2)
    crossed = np.count_nonzero((field[1:] >= 0.2) != (field[:-1] >= 0.2))
    crossed += np.count_nonzero((field[:, 1:] >= 0.2) != (field[:, :-1] >= 0.2))
    assert sum(len(line) - bool(np.array_equal(line[0], line[-1])) for line in lines) == crossed


def test_simplified_lines_stay_within_the_tolerance_and_lose_points() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 721)
    circle = 100.0 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    few = simplified(circle, 0.5)
    middles = 0.5 * (few[1:] + few[:-1])
    assert len(few) < 60
    assert np.min(np.hypot(*middles.T)) > 99.5 - 1e-9
