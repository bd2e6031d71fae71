from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import DAY
from skyhall.report.axes import nice_ticks, tick_text, time_axis
from skyhall.report.bars import Bar, Piece, bars
from skyhall.report.formats import mass, money, number, percent, power, written, written_range
from skyhall.report.moments import utc
from skyhall.report.plot import Panel, panels

EPOCH = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1703458.8, "1,703,459"),
        (52.171, "52.2"),
        (6300.8, "6,301"),
        (0.0217, "0.0217"),
        (999.96, "1,000"),
        (0.0, "0"),
        (1.7e-11, "0"),
        (-3e-13, "0"),
        (-433.66, "−434"),
        (None, "–"),
        (math.inf, "∞"),
        (12, "12"),
        (9.999, "10.0"),
    ],
)
def test_numbers_have_three_digits_and_separators(value: float | None, text: str) -> None:
    assert number(value) == text


def test_units_get_the_prefix_that_fits() -> None:
    assert power(200.1e6) == "200 MW"
    assert power(1917.0, 4) == "1.917 kW"
    assert mass(6300.8) == "6,301 kg"
    assert mass(10440364.0) == "10,440 t"
    assert percent(0.96140) == "96.1 %"
    assert percent(2e-5) == "< 0.01 %"


def test_money_has_cents_below_a_hundred() -> None:
    assert [money(usd) for usd in (7.8275, 464.98, 0.0522, -0.2)] == ["7.83", "465", "0.052", "−0.20"]


def test_values_of_the_catalogue_are_written_for_people() -> None:
    assert written("20000 USD/m**2") == "20,000 USD/m²"
    assert written(756000000000000.0) == "7.56 × 10¹⁴"
    assert written_range("430 W", "600 W") == "430 – 600 W"
    assert written_range("10 min", "1 hour") == "10 min – 1 hour"


def test_moments_are_utc_and_do_not_lose_the_second() -> None:
    assert utc(EPOCH, 20129533.7) == "2026-11-07T23:32:14Z"
    assert utc(EPOCH, 0.25, digits=3) == "2026-03-20T00:00:00.250Z"


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 10))
def test_ticks_enclose_the_range_evenly_and_are_few(low: float, span: float, count: int) -> None:
    ticks = nice_ticks(low, low + span, count)
    steps = [b - a for a, b in pairwise(ticks)]
    slack = 1e-6 * steps[0] + 1e-9 * abs(low)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack
    assert len(ticks) <= count + 3
    assert all(math.isclose(step, steps[0], rel_tol=1e-3, abs_tol=1e-9 * abs(low)) for step in steps)


def test_ticks_say_as_many_places_as_their_step_needs() -> None:
    assert [tick_text(value, [0.0, 2.5]) for value in (-2.5, 0.0, 1000.0)] == ["−2.5", "0.0", "1,000.0"]
    assert tick_text(2000.0, [0.0, 1000.0]) == "2,000"


@pytest.mark.parametrize("days", [0.05, 0.5, 2, 5, 30, 90, 365, 1500, 10000])
def test_a_time_axis_has_a_few_ticks_for_every_span(days: float) -> None:
    axis = time_axis(EPOCH, 0.0, days * DAY)
    assert 2 <= len(axis.ticks) <= 16
    assert all(0.0 <= value <= days * DAY for value, _ in axis.ticks)
    assert all(first[1] != second[1] for first, second in pairwise(axis.ticks))


def test_a_constant_line_can_be_drawn() -> None:
    figure = panels(
        time_axis(EPOCH, 0.0, DAY), [Panel("level", "W").line([0.0, DAY], [0.0, 0.0], "a", "blue")], "level"
    )
    assert ElementTree.fromstring(figure) is not None


def test_names_in_figures_are_escaped() -> None:
    figure = bars([Bar("a < b & c", (Piece(0.0, 1.0, "blue", '"told"'),), "1 <2>")], "kg", "a & b")
    texts = [element.text for element in ElementTree.fromstring(figure).iter() if element.text]
    assert "a < b & c" in texts
