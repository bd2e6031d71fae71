from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.economics.finance import (
    Finance,
    break_even_price,
    capital_recovery,
    levelized,
    present_value,
    renewal_recovery,
)
from skyhall.errors import ValueProblem


def test_monthly_recovery_of_15_percent_over_5_years_is_28_5_percent_a_year() -> None:
    assert float(capital_recovery(0.15, 5.0)) == pytest.approx(
        0.28548, abs=1e-5
    )  # a lender's table: 2.3790 % a month


def test_yearly_recovery_of_10_percent_over_10_years_is_the_textbook_0_16275() -> None:
    assert float(capital_recovery(0.10, 10.0, payments_per_year=1)) == pytest.approx(0.16275, abs=1e-5)


def test_without_interest_a_capital_is_paid_in_equal_parts() -> None:
    assert float(capital_recovery(0.0, 5.0)) == pytest.approx(0.2)


@given(wacc=st.floats(0, 0.5), years=st.floats(0.5, 40))
def test_payments_discounted_month_by_month_return_the_capital(wacc: float, years: float) -> None:
    months = round(years * 12)
    annual = float(levelized(1.0, 0.0, wacc, months / 12))
    discounted = sum(annual / 12 / (1 + wacc / 12) ** month for month in range(1, months + 1))
    assert discounted == pytest.approx(1.0, rel=1e-9)


def test_present_value_undoes_capital_recovery() -> None:
    assert float(present_value(capital_recovery(0.1, 7.0), 0.1, 7.0)) == pytest.approx(1.0)


def test_capital_recovery_broadcasts_over_rates_and_lives() -> None:
    assert capital_recovery(np.array([[0.0], [0.1]]), np.array([5.0, 10.0, 15.0])).shape == (2, 3)


def test_break_even_may_be_negative() -> None:
    assert float(break_even_price(15.851, 23.600, 29.390e-3)) == pytest.approx(-263.7, abs=0.1)


def test_break_even_without_launch_is_infinite_with_the_sign_of_the_gap() -> None:
    np.testing.assert_array_equal(break_even_price(np.array([2.0, 1.0]), 1.5, 0.0), [np.inf, -np.inf])


@pytest.mark.parametrize("years", [0.0, -1.0])
def test_a_life_that_is_not_positive_is_an_error(years: float) -> None:
    with pytest.raises(ValueProblem, match="life"):
        capital_recovery(0.1, years)


def test_a_negative_cost_of_capital_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="negative"):
        Finance(-0.1, 0.1, 10)


def test_a_fleet_that_loses_nothing_is_renewed_at_the_end_of_its_life() -> None:
    assert float(renewal_recovery(0.15, 0.0, 5.0)) == pytest.approx(float(capital_recovery(0.15, 5.0)))


def test_renewal_is_what_a_mortal_unit_of_limited_age_costs() -> None:
    # (w + b) / (1 - exp(-(w + b) L)), in continuous time; monthly payments lie half a per cent above it.
    expected = 0.24 / (1 - math.exp(-0.24 * 5))
    assert float(renewal_recovery(0.15, 0.09, 5.0)) == pytest.approx(expected, rel=6e-3)


def test_without_interest_renewal_is_the_rate_of_a_renewal_process() -> None:
    # Units that die at 0.1 a year or at age 5 are replaced once in (1 - exp(-0.5)) / 0.1 years.
    assert float(renewal_recovery(0.0, 0.1, 5.0)) == pytest.approx(0.1 / (1 - math.exp(-0.5)), rel=5e-3)
