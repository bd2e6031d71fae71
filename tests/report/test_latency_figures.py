"""The figure of delay over distance."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.report.latency_figures import latency_over_distance

WAY = np.arange(1000.0, 10_001.0, 1000.0)


def figure(**asked: object) -> str:
    space = WAY / 250.0 + 3.0
    return latency_over_distance(WAY, space, WAY / 160.0, WAY / 204.0, **asked)  # type: ignore[arg-type]


def test_it_is_whole_svg_that_says_where_space_wins() -> None:
    made = figure(
        wins_from_km=1333.0,
        pairs=(("London–Tokyo", 9560.0, 41.0),),
        space_low_ms=WAY / 260,
        space_high_ms=WAY / 200,
    )
    text = "".join(ElementTree.fromstring(made).itertext())
    assert "Space is sooner than fibre from 1,333 km on." in text
    assert "London–Tokyo" in text
    assert "5th to 95th percentile" in text


def test_what_never_wins_is_said() -> None:
    assert "Space is not sooner than fibre at the largest distance." in figure()


def test_distances_without_a_path_are_left_out() -> None:
    space = np.full(WAY.shape, np.nan)
    made = latency_over_distance(WAY, space, WAY, WAY, space_low_ms=space, space_high_ms=space)
    ElementTree.fromstring(made)
    assert "nan" not in made
    assert "space, median" not in made


@pytest.mark.parametrize("way", [[1.0], [2.0, 1.0], [[1.0, 2.0]]])
def test_distances_that_do_not_ascend_are_refused(way: object) -> None:
    with pytest.raises(ValueProblem, match="ascending"):
        latency_over_distance(way, way, way, way)  # type: ignore[arg-type]


def test_a_curve_of_another_length_is_refused() -> None:
    with pytest.raises(ValueProblem, match="shape"):
        latency_over_distance(WAY, WAY[1:], WAY, WAY)
