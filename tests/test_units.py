from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.constants import JULIAN_YEAR, KILOWATT_HOUR
from skyhall.errors import SkyhallError, ValueProblem
from skyhall.units import parse

UNITS = ["", "m", "s", "W", "kg", "K", "rad", "J", "m**2", "USD", "USD/kg", "USD/J", "1/s"]
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("650 km", "m", 650e3),
        ("650km", "m", 650e3),
        ("120 kW", "W", 120e3),
        ("1,250,000 kg", "kg", 1.25e6),
        ("1_000 kg", "kg", 1000.0),
        ("1e3 kg", "kg", 1000.0),
        (".5 m", "m", 0.5),
        ("-5 degC", "K", 268.15),
        ("0 K", "K", 0.0),
        ("180 deg", "rad", math.pi),
        ("1 kWh", "J", KILOWATT_HOUR),
        ("1 yr", "s", JULIAN_YEAR),
        ("9 %/yr", "1/s", 0.09 / JULIAN_YEAR),
        ("200 USD/kg", "USD/kg", 200.0),
        ("3 MUSD", "USD", 3e6),
        ("0.087 USD/kWh", "USD/J", 0.087 / KILOWATT_HOUR),
        ("800 m2", "m**2", 800.0),
        ("800 m²", "m**2", 800.0),
        ("40 %", "", 0.4),
        ("0.4", "", 0.4),
        (0.4, "", 0.4),
        (3, "", 3.0),
    ],
)
def test_a_quantity_is_read_in_the_unit_that_is_asked_for(text: object, unit: str, value: float) -> None:
    assert parse(text, unit) == pytest.approx(value, rel=1e-12, abs=1e-12)


@given(NUMBERS)
def test_kilometres_are_a_thousand_metres_for_any_number(number: float) -> None:
    assert parse(f"{number!r} km", "m") == pytest.approx(number * 1000, rel=1e-12)


@given(NUMBERS)
def test_a_number_survives_being_written_and_read_in_its_own_unit(number: float) -> None:
    assert parse(f"{number!r} USD/kg", "USD/kg") == number


@pytest.mark.parametrize("bare", [650, 650.0, "650"])
def test_a_bare_number_is_refused_where_a_unit_is_needed_and_the_form_is_shown(bare: object) -> None:
    with pytest.raises(ValueProblem, match=r"has no unit\n  .*'650 km'"):
        parse(bare, "m")


@pytest.mark.parametrize("text", ["5 kg", "5 W", "5 %", "5 m2", "5 USD"])
def test_a_unit_of_another_dimension_is_refused(text: str) -> None:
    with pytest.raises(ValueProblem, match="is not a quantity in m"):
        parse(text, "m")


@pytest.mark.parametrize(
    ("text", "unit"), [("3 dB", ""), ("45 dBm", "W"), ("20 %", "dB"), ("3", "dB"), ("3 W", "dB")]
)
def test_decibels_are_no_ratio_and_no_ratio_is_decibels(text: str, unit: str) -> None:
    with pytest.raises(ValueProblem):
        parse(text, unit)
    assert parse("3 dB", "dB") == 3.0


@pytest.mark.parametrize("text", ["5 parsnips", "5 km 3", "5 m**", "5 __import__('os')", "5 m; 2"])
def test_a_word_that_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueProblem, match="is not a unit that is known"):
        parse(text, "m")


@pytest.mark.parametrize("text", ["", "   ", "km", "nan m", "inf m", "- 5 m", "five km"])
def test_text_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(ValueProblem, match="does not start with a number"):
        parse(text, "m")


@pytest.mark.parametrize("value", [None, True, [1], {"a": 1}, b"5 m"])
def test_what_is_neither_text_nor_number_is_refused(value: object) -> None:
    with pytest.raises(ValueProblem, match="is not a quantity"):
        parse(value, "m")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1e400", "1e308 %%"])
def test_no_value_that_is_not_finite_passes(value: object) -> None:
    with pytest.raises(ValueProblem):
        parse(value, "")


@pytest.mark.parametrize("text", ["1,5 kg", "1 2 3 kg", "5 3 kg", "1,00 kg"])
def test_a_separator_that_does_not_part_thousands_is_refused(text: str) -> None:
    with pytest.raises(ValueProblem):
        parse(text, "kg")


def test_an_integer_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(ValueProblem):
        parse(10**400, "")


@given(
    st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.none(), st.booleans()),
    st.sampled_from(UNITS),
)
def test_anything_gives_a_finite_number_or_an_error_of_ours(value: object, unit: str) -> None:
    try:
        answer = parse(value, unit)
    except SkyhallError:
        return
    assert math.isfinite(answer)


@given(
    st.from_regex(r"[-+]?[0-9.,_ ]{0,12}([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(
        ["km", "kg/kW", "%", "m**2", "m^3", "USD/kWh", "degC", "1/yr", "k", "e", "**", "/", "a b", "²"]
    ),
    st.sampled_from(UNITS),
)
def test_nearly_right_quantities_give_a_finite_number_or_an_error_of_ours(
    digits: str, word: str, unit: str
) -> None:
    try:
        answer = parse(f"{digits} {word}", unit)
    except SkyhallError:
        return
    assert math.isfinite(answer)
