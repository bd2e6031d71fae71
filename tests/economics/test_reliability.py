"""Reliability of many accelerators: published clusters, checkpoints at their optimum, spares counted one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw
from scipy.stats import binom
from tests.economics.large_numbers import surviving_share

from skyhall.economics.reliability import (
    checkpoint_interval,
    gang_interruptions,
    interruption_loss,
    silent_errors_left,
    time_between,
    unit_hazard,
    working_share,
)
from skyhall.errors import ValueProblem

rates = st.floats(1e-9, 1e-2)
times = st.floats(0.01, 1000.0)
hazards = st.floats(0.001, 0.5)


def loss_at(interval: float, rate: float, checkpoint: float, restart: float) -> float:
    """The loss of Daly's exact model at any interval."""
    spent = math.exp(rate * restart) * math.expm1(rate * (interval + checkpoint)) / rate
    return 1.0 - interval / spent


def test_llama_3_was_interrupted_0_173_times_per_gpu_and_year() -> None:
    assert unit_hazard(419, 16_384, 54 / 365.25) == pytest.approx(0.173, abs=0.0005)


def test_llama_3_ran_3_1_hours_between_interruptions() -> None:
    assert time_between(unit_hazard(419, 16_384, 54 * 24), 16_384) == pytest.approx(3.1, abs=0.05)


def test_16384_gpus_of_rsc_run_1_8_hours_between_failures() -> None:
    assert 24 * time_between(6.50 / 1000, 16_384 / 8) == pytest.approx(1.8, abs=0.01)


def test_nothing_comes_between_where_nothing_fails() -> None:
    assert time_between(0.0, 100) == np.inf


def test_a_silent_error_that_is_found_interrupts_the_gang() -> None:
    assert gang_interruptions(1.0, 2.0, 10.0, 0.9, 72) == pytest.approx(72 * 12.0)


@given(silent=rates, coverage=st.floats(0, 1), gang=st.integers(1, 10_000))
def test_every_silent_error_is_either_found_or_left(silent: float, coverage: float, gang: int) -> None:
    found = gang_interruptions(0.0, 0.0, silent, coverage, gang)
    left = silent_errors_left(silent, coverage, gang, 1.0)
    assert found + left == pytest.approx(silent * gang)


def test_a_coverage_above_one_is_refused() -> None:
    with pytest.raises(ValueProblem, match="silent_coverage"):
        silent_errors_left(1.0, 1.1, 1, 1.0)


def test_youngs_interval_where_checkpoints_are_short() -> None:
    assert checkpoint_interval(1 / 86400, 0.2) == pytest.approx(math.sqrt(2 * 0.2 * 86400), rel=0.002)


@pytest.mark.parametrize("checkpoint", [0.001, 0.03, 0.3])
def test_dalys_interval_is_the_exact_optimum_to_1_percent(checkpoint: float) -> None:
    optimum = 1.0 + float(lambertw(-math.exp(-1.0 - checkpoint)).real)  # where the exact loss has no slope
    assert float(checkpoint_interval(1.0, checkpoint)) == pytest.approx(optimum, rel=0.01)


@given(rate=rates, checkpoint=times, restart=times, other=st.floats(0.05, 20.0))
def test_no_other_interval_loses_clearly_less(
    rate: float, checkpoint: float, restart: float, other: float
) -> None:
    loss, interval = interruption_loss(rate, checkpoint, restart)
    if rate * (other * float(interval) + checkpoint + restart) < 500:  # beyond it the check itself overflows
        assert float(loss) <= loss_at(other * float(interval), rate, checkpoint, restart) + 1e-4


@given(rate=st.floats(1e-7, 1e-3), checkpoint=times, restart=times)
def test_the_loss_is_that_of_the_exact_model_at_the_interval(
    rate: float, checkpoint: float, restart: float
) -> None:
    loss, interval = interruption_loss(rate, checkpoint, restart)
    assert float(loss) == pytest.approx(loss_at(float(interval), rate, checkpoint, restart), abs=1e-9)


@given(rate=st.floats(0, 1e6), checkpoint=st.floats(0, 1e6), restart=st.floats(0, 1e6))
def test_the_loss_is_a_share_whatever_the_rates(rate: float, checkpoint: float, restart: float) -> None:
    assert 0.0 <= float(interruption_loss(rate, checkpoint, restart)[0]) <= 1.0


@given(rate=rates, checkpoint=times, restart=times, more=st.floats(1.01, 10))
def test_more_interruptions_lose_more(rate: float, checkpoint: float, restart: float, more: float) -> None:
    assert (
        interruption_loss(rate * more, checkpoint, restart)[0]
        >= interruption_loss(rate, checkpoint, restart)[0]
    )


def test_nothing_is_lost_where_nothing_interrupts() -> None:
    loss, interval = interruption_loss(0.0, 12.0, 210.0)
    assert (float(loss), float(interval)) == (0.0, np.inf)


def test_free_checkpoints_leave_only_restarts() -> None:
    assert float(interruption_loss(1e-3, 0.0, 300.0)[0]) == pytest.approx(1 - math.exp(-0.3))


def test_llama_3_would_lose_6_percent_with_12_s_checkpoints_and_210_s_restarts() -> None:
    assert float(interruption_loss(1 / (3.1 * 3600), 12.0, 210.0)[0]) == pytest.approx(0.063, abs=0.001)


def test_a_simulated_job_loses_what_the_model_says() -> None:
    rate, write, restart = 1 / 2000, 12.0, 210.0
    loss, interval = interruption_loss(rate, write, restart)
    draw = np.random.default_rng(7)
    clock, done, span = 0.0, 0, float(interval) + write
    while done < 20_000:
        until = draw.exponential(1 / rate)
        if until >= span:
            clock, done = clock + span, done + 1
            continue
        clock += until
        while (until := draw.exponential(1 / rate)) < restart:
            clock += until
        clock += restart
    assert 1 - done * float(interval) / clock == pytest.approx(float(loss), abs=0.01)


@given(
    a=hazards, b=hazards, accelerators=st.integers(1, 100), spares=st.integers(0, 30), life=st.floats(0.5, 15)
)
def test_spares_that_run_share_as_the_binomial_sum(
    a: float, b: float, accelerators: int, spares: int, life: float
) -> None:
    t = (np.arange(400) + 0.5) / 400 * life
    counts = np.arange(accelerators + spares + 1)
    mass = binom.pmf(counts, accelerators + spares, np.exp(-a * t)[:, None])
    mean = (mass * np.minimum(counts, accelerators) / accelerators).sum(axis=1) * np.exp(-b * t)
    assert float(working_share(a, b, accelerators, spares, life)) == pytest.approx(
        float(mean.mean()), abs=2e-4
    )


@pytest.mark.parametrize("accelerators", [1, 2, 8])
def test_cold_spares_share_as_simulated_failure_by_failure(accelerators: int) -> None:
    a, spares, life, runs = 0.3, 2, 5.0, 40_000
    at_work = [accelerators] * spares + list(range(accelerators, 0, -1))
    draw = np.random.default_rng(5)
    time, used = np.zeros(runs), np.zeros(runs)
    for working in at_work:
        fails = time + draw.exponential(1 / (working * a), runs)
        used += working / accelerators * (np.minimum(fails, life) - np.minimum(time, life))
        time = fails
    expected = float((used / life).mean())
    assert float(working_share(a, 0.0, accelerators, spares, life, cold=True)) == pytest.approx(
        expected, abs=0.003
    )


@given(a=hazards, b=hazards, accelerators=st.integers(1, 300), life=st.floats(0.5, 15))
def test_without_spares_single_accelerators_share_as_many_do(
    a: float, b: float, accelerators: int, life: float
) -> None:
    many = float(surviving_share(a, b, 0.0, life))
    assert float(working_share(a, b, accelerators, 0, life)) == pytest.approx(many, abs=1e-9)


@given(a=hazards, accelerators=st.integers(2, 100), spares=st.integers(0, 30), life=st.floats(0.5, 15))
def test_the_law_of_large_numbers_flatters_the_share(
    a: float, accelerators: int, spares: int, life: float
) -> None:
    exact = float(working_share(a, 0.0, accelerators, spares, life))
    assert exact <= float(surviving_share(a, 0.0, spares / accelerators, life)) + 1e-6


@given(a=hazards, accelerators=st.integers(1, 100), spares=st.integers(0, 30), life=st.floats(0.5, 15))
def test_cold_spares_last_longer(a: float, accelerators: int, spares: int, life: float) -> None:
    cold = float(working_share(a, 0.0, accelerators, spares, life, cold=True))
    assert cold >= float(working_share(a, 0.0, accelerators, spares, life)) - 1e-9


def test_10000_accelerators_share_as_the_law_of_large_numbers_says() -> None:
    exact = float(working_share(0.09, 0.02, 10_000, 2_000, 5.0))
    assert exact == pytest.approx(float(surviving_share(0.09, 0.02, 0.2, 5.0)), abs=5e-5)


def test_72_accelerators_with_14_spares_have_a_quarter_point_less_than_many_would() -> None:
    many, exact = surviving_share(0.09, 0.0, 14 / 72, 5.0), working_share(0.09, 0.0, 72, 14, 5.0)
    assert float(many - exact) == pytest.approx(0.0025, abs=0.0003)


def test_8_accelerators_with_2_spares_have_2_4_points_less_than_many_would() -> None:
    many, exact = surviving_share(0.09, 0.0, 2 / 8, 5.0), working_share(0.09, 0.0, 8, 2, 5.0)
    assert float(many - exact) == pytest.approx(0.024, abs=0.001)


def test_wear_out_fails_later_and_so_shares_more() -> None:
    shares = [float(working_share(0.09, 0.0, 72, 14, 5.0, shape=shape)) for shape in (0.5, 1.0, 2.0)]
    assert shares == sorted(shares)


def test_arrays_of_hazards_and_spares_broadcast() -> None:
    found = working_share(np.array([[0.01], [0.09]]), 0.02, 72, np.array([0, 7, 14]), 5.0)
    assert found.shape == (2, 3)
    assert found[1, 2] == pytest.approx(float(working_share(0.09, 0.02, 72, 14, 5.0)))


@pytest.mark.parametrize(
    ("hazard", "accelerators", "spares", "life"),
    [(-0.1, 8, 2, 5.0), (0.1, 0, 2, 5.0), (0.1, 8, -1, 5.0), (0.1, 8, 2, 0.0)],
)
def test_impossible_satellites_are_refused(
    hazard: float, accelerators: int, spares: int, life: float
) -> None:
    with pytest.raises(ValueProblem, match="must not be negative"):
        working_share(hazard, 0.0, accelerators, spares, life)


def test_cold_spares_with_wear_are_refused() -> None:
    with pytest.raises(ValueProblem, match="shape"):
        working_share(0.1, 0.0, 8, 2, 5.0, shape=2.0, cold=True)
