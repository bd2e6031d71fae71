from __future__ import annotations

import json

import pytest

from skyhall.errors import CheckFailed, FileProblem, Place, SkyhallError, ValueProblem, did_you_mean


@pytest.mark.parametrize(
    ("error", "code"), [(CheckFailed, 1), (ValueProblem, 2), (FileProblem, 3), (SkyhallError, 2)]
)
def test_each_kind_of_error_has_its_exit_code(error: type[SkyhallError], code: int) -> None:
    assert error("it is wrong").exit_code == code


def test_the_message_names_file_line_and_key_and_then_what_would_be_right() -> None:
    error = ValueProblem(
        "'650' has no unit", place=Place("a.yaml", "orbit.altitude", 7), right="write '650 km'"
    )
    assert str(error) == "a.yaml:7 orbit.altitude: '650' has no unit\n  write '650 km'"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), ""),
        (Place("a.yaml"), "a.yaml"),
        (Place("a.yaml", line=3), "a.yaml:3"),
        (Place(key="orbit.altitude"), "orbit.altitude"),
        (Place("--set", "orbit.altitude"), "--set orbit.altitude"),
    ],
)
def test_a_place_says_what_is_known_of_it(place: Place, text: str) -> None:
    assert str(place) == text


def test_a_message_without_place_and_remedy_is_only_the_sentence() -> None:
    assert str(ValueProblem("mass is negative")) == "mass is negative"


def test_as_dict_is_flat_and_ready_for_json() -> None:
    error = FileProblem("is empty", place=Place("x.tle", line=1), right="give a file with element sets")
    assert json.loads(json.dumps(error.as_dict())) == {
        "error": "FileProblem",
        "what": "is empty",
        "file": "x.tle",
        "key": None,
        "line": 1,
        "right": "give a file with element sets",
        "exit_code": 3,
    }


def test_a_near_miss_gets_one_suggestion() -> None:
    assert did_you_mean("altitud", ["altitude", "attitude_law", "planes"]) == "did you mean 'altitude'?"


def test_a_far_miss_gets_the_list_in_order() -> None:
    assert did_you_mean("zzz", ["b", "a"]) == "possible: a, b"
