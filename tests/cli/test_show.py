"""Numbers, sparklines and documents as a person and a program read them."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from skyhall.cli import show


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234567.8, "kg", "1,234,568 kg"),
        (123.456, "m²", "123.5 m²"),
        (1.23456, "", "1.235"),
        (0.012345678, "", "0.01235"),
        (-263.74, "USD/kg", "-263.7 USD/kg"),
        (0.0, "h", "0 h"),
        (1.7e-11, "h", "0 h"),
        (-1e-9, "W", "0 W"),
        (2e-6, "W", "2e-06 W"),
        (1657, "", "1,657"),
        (None, "USD/kg", "none"),
        (math.inf, "h", "–"),
        (math.nan, "", "–"),
    ],
)
def test_numbers_have_four_digits_and_a_unit(value: float | None, unit: str, text: str) -> None:
    assert show.number(value, unit) == text


@pytest.mark.parametrize(
    ("watts", "text"), [(500.0, "500.0 W"), (120771.0, "120.8 kW"), (2.001e8, "200.1 MW"), (5e9, "5.000 GW")]
)
def test_power_is_shown_in_the_unit_that_reads_well(watts: float, text: str) -> None:
    assert show.power(watts) == text


def test_energy_is_shown_in_hours_of_power() -> None:
    assert show.energy(3.6e6) == "1.000 kWh"


def test_a_document_never_holds_nan_or_infinity() -> None:
    value = {"a": [math.nan, math.inf, 1.5], "b": np.float64(np.nan), "c": np.array([1.0, np.inf])}
    assert json.loads(json.dumps(show.plain(value), allow_nan=False)) == {
        "a": [None, None, 1.5],
        "b": None,
        "c": [1.0, None],
    }


def test_a_document_knows_moments_paths_and_numpy() -> None:
    value = (datetime(2026, 3, 20, tzinfo=UTC), Path("runs/x"), np.bool_(True), np.int64(3))
    assert show.plain(value) == ["2026-03-20T00:00:00+00:00", "runs/x", True, 3]


def test_a_sparkline_rises_with_its_values() -> None:
    line = show.sparkline([0.0, 0.2, 0.5, 1.0])
    assert line[0] == " "
    assert len(set(line)) == 4


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [5.0]])
def test_a_sparkline_of_little_is_little(values: list[float]) -> None:
    assert len(show.sparkline(values)) == len(values)


def test_thinning_keeps_both_ends() -> None:
    kept = show.thinned(list(range(1000)), 7)
    assert (len(kept), kept[0], kept[-1]) == (7, 0, 999)
    assert show.thinned([1.0], 7) == [1.0]
