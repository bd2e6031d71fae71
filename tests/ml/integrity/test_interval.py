"""Checkpoint intervals against closed forms, and schedules around dusk and the South Atlantic Anomaly."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import lambertw

from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.interval import daly, expected_run, schedule, young

pytestmark = pytest.mark.ml

DAY = 86_400.0
ORBIT = 5_860.0


def test_youngs_interval_is_the_published_example() -> None:
    assert young(0.2, DAY) == pytest.approx(185.9, abs=0.05)


@pytest.mark.parametrize("ratio", [1e-6, 1e-4, 1e-2, 0.1, 0.5])
def test_dalys_interval_minimises_the_expected_run_time(ratio: float) -> None:
    mtbf, cost = 1000.0, 1000.0 * ratio
    # The exact minimum of Daly's model: exp(τ/M) (1 - τ/M) = exp(-δ/M), in Lambert's W.
    exact = mtbf * (1.0 + float(lambertw(-math.exp(-cost / mtbf - 1.0)).real))
    found = minimize_scalar(lambda tau: expected_run(1.0, tau, cost, mtbf), bounds=(exact / 10, exact * 5))
    assert found.x == pytest.approx(exact, rel=1e-3)
    assert daly(cost, mtbf) == pytest.approx(exact, rel=0.05)
    best = expected_run(1.0, exact, cost, mtbf)
    assert best * (1.0 - 1e-12) <= expected_run(1.0, daly(cost, mtbf), cost, mtbf) <= best * 1.002


@pytest.mark.parametrize(("mtbf_h", "minutes"), [(24.0, 117.0), (6.0, 57.0), (0.25, 9.1)])
def test_dalys_interval_is_that_of_his_figures_3_to_5(mtbf_h: float, minutes: float) -> None:
    assert daly(300.0, 3600.0 * mtbf_h) / 60.0 == pytest.approx(minutes, rel=0.006)


def test_dalys_interval_is_youngs_where_writing_is_cheap() -> None:
    assert daly(1e-3, 1e6) == pytest.approx(young(1e-3, 1e6), rel=1e-4)
    assert daly(2000.0, 1000.0) == daly(5000.0, 1000.0) == 1000.0
    assert daly(0.0, 10.0) == young(0.0, 10.0) == 0.0
    assert daly(1.0, math.inf) == young(1.0, math.inf) == math.inf


def test_the_expected_run_time_is_that_of_simulated_failures() -> None:
    drawn, mtbf, interval, cost, restart = np.random.default_rng(0), 300.0, 50.0, 5.0, 20.0
    total = 0.0
    for _ in range(20_000):
        while True:  # one interval, until it and its checkpoint pass without a failure
            failure = drawn.exponential(mtbf)
            if failure >= interval + cost:
                total += interval + cost
                break
            total += failure
            while (again := drawn.exponential(mtbf)) < restart:
                total += again
            total += restart
    assert total / 20_000 == pytest.approx(expected_run(interval, interval, cost, mtbf, restart), rel=0.01)


def test_without_darkness_checkpoints_come_at_dalys_interval() -> None:
    made = schedule(0.0, 1000.0, cost=2.0, mtbf=DAY / 24)
    times = [moment.time for moment in made.moments]
    interval = daly(2.0, DAY / 24)
    assert times == pytest.approx([interval + n * (interval + 2.0) for n in range(len(times))])
    assert times[-1] + interval + 2.0 >= 1000.0
    assert {moment.reason for moment in made.moments} == {"interval"}


def test_a_checkpoint_ends_just_before_each_dusk() -> None:
    nights = [(n * ORBIT + 4000.0, n * ORBIT + 5200.0) for n in range(4)]
    made = schedule(0.0, 4 * ORBIT, cost=3.0, mtbf=10 * DAY, outages=nights, margin=2.0)
    dusks = [moment.time for moment in made.moments if moment.reason == "dusk"]
    assert dusks == pytest.approx([night[0] - 5.0 for night in nights])
    assert all(made.level_at(0.5 * (begin + end)) is None for begin, end in nights)
    assert made.level_at(100.0) == "abft"


def test_half_an_interval_outside_leaves_half_of_a_shorter_one_inside() -> None:
    outside, inside = daly(2.0, DAY), daly(2.0, DAY / 100)
    entry = 0.5 * outside
    made = schedule(
        0.0, 3 * DAY, cost=2.0, mtbf=DAY, anomaly=[(entry, entry + 900.0)], anomaly_mtbf=DAY / 100
    )
    first, second = made.moments[:2]
    assert first.time == pytest.approx(entry + 0.5 * inside)
    assert second.time - first.time == pytest.approx(inside + 2.0)
    assert [each.level for each in made.levels] == ["abft", "full", "abft"]
    assert (made.levels[1].start, made.levels[1].end) == (entry, entry + 900.0)


spans = st.lists(
    st.tuples(st.floats(-50.0, 1050.0), st.floats(0.0, 300.0)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=5,
)


@given(
    dark=spans, hot=spans, cost=st.floats(0.1, 30.0), mtbf=st.floats(1.0, 1e5), margin=st.floats(0.0, 20.0)
)
def test_no_checkpoint_overlaps_another_or_the_dark(
    dark: list[tuple[float, float]], hot: list[tuple[float, float]], cost: float, mtbf: float, margin: float
) -> None:
    made = schedule(
        0.0, 1000.0, cost=cost, mtbf=mtbf, outages=dark, anomaly=hot, anomaly_mtbf=mtbf / 10, margin=margin
    )
    for moment in made.moments:
        assert 0.0 <= moment.time < 1000.0
        assert made.level_at(moment.time) is not None
        if moment.reason == "dusk":
            end = moment.time + cost + margin
            assert any(abs(begin - end) < 1e-6 for begin, _ in dark)
    for before, after in pairwise(made.moments):
        assert before.time + cost <= after.time + 1e-9
    light = sum(each.end - each.start for each in made.levels)
    lit = [t for t in np.arange(0.25, 1000.0, 0.5).tolist() if not any(a <= t < b for a, b in dark)]
    assert light == pytest.approx(0.5 * len(lit), abs=6.0)
    for time in lit[::50]:
        assert made.level_at(time) == ("full" if any(a <= time < b for a, b in hot) else "abft")


def test_an_interval_is_neither_longer_nor_dearer_than_asked() -> None:
    calm = schedule(0.0, 1000.0, cost=2.0, mtbf=math.inf, longest=300.0)
    assert [each.time for each in calm.moments] == pytest.approx([300.0, 602.0, 904.0])
    hectic = schedule(0.0, 1000.0, cost=2.0, mtbf=5.0, most_share=0.05)
    times = [each.time for each in hectic.moments]
    assert times[0] == pytest.approx(38.0)
    assert np.diff(times) == pytest.approx(40.0)  # of which 2 s are a twentieth
    both = schedule(0.0, 100.0, cost=2.0, mtbf=5.0, most_share=0.05, longest=10.0)
    assert both.moments[0].time == pytest.approx(10.0)


def test_light_too_short_for_a_checkpoint_has_none() -> None:
    made = schedule(0.0, 100.0, cost=5.0, mtbf=1e6, outages=[(4.0, 50.0), (60.0, 100.0)])
    assert [(moment.time, moment.reason) for moment in made.moments] == [(55.0, "dusk")]


def test_dusk_at_the_very_end_counts_and_light_at_the_end_does_not() -> None:
    assert [m.time for m in schedule(0.0, 100.0, cost=5.0, mtbf=1e9, outages=[(100.0, 200.0)]).moments] == [
        95.0
    ]
    assert schedule(0.0, 100.0, cost=5.0, mtbf=1e9).moments == ()


def test_what_cannot_be_is_refused() -> None:
    for wrong in (
        {"cost": 0.0},
        {"margin": -1.0},
        {"mtbf": 0.0},
        {"outages": [(5.0, 1.0)]},
        {"cost": math.inf},
        {"longest": 0.0},
        {"most_share": 0.0},
    ):
        given_: dict[str, object] = {"cost": 1.0, "mtbf": 10.0, **wrong}
        with pytest.raises(IntegrityError):
            schedule(0.0, 10.0, **given_)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="no length"):
        schedule(5.0, 5.0, cost=1.0, mtbf=1.0)
    with pytest.raises(IntegrityError, match="cannot cost"):
        young(-1.0, 1.0)
