"""Whatever a scenario says, it is answered, or refused with an error that a person can act on."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.scenario.grammar import bases, overrides, right_overrides, satellites_asked, yaml_texts

from skyhall.chain import assess
from skyhall.errors import SkyhallError
from skyhall.fleet import design
from skyhall.scenario import Scenario, load

SMALL_FLEET = 20_000  # satellites; larger ones are laid out elsewhere, and take their time
FEW = settings(max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=1_700, suppress_health_check=list(HealthCheck))
ASSESSED = settings(max_examples=20, derandomize=True, suppress_health_check=list(HealthCheck))
MANY_ASSESSED = settings(max_examples=100, suppress_health_check=list(HealthCheck))


def is_told_well(error: SkyhallError) -> None:
    document = json.loads(json.dumps(error.as_dict()))
    assert document["what"]
    assert document["exit_code"] in {1, 2, 3}
    assert "\n" not in error.what
    assert "<lambda>" not in str(error)


def design_or_refuse(scenario: Scenario) -> None:
    if satellites_asked(scenario) > SMALL_FLEET:
        return
    try:
        fleet = design(scenario)
    except SkyhallError as error:
        is_told_well(error)
        return
    assert len(fleet) > 0
    assert math.isfinite(fleet.mass)
    assert fleet.mass > 0
    assert 0.0 <= fleet.sunlit_year <= 1.0


def of_overrides(base: str, sets: list[str]) -> None:
    try:
        scenario = load(base, overrides=sets)
    except SkyhallError as error:
        is_told_well(error)
        return
    design_or_refuse(scenario)


def of_text(text: str, folder: Path) -> None:
    path = folder / "fuzzed.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        scenario = load(path)
    except SkyhallError as error:
        is_told_well(error)
        return
    assert scenario.name
    design_or_refuse(scenario)


def of_chain(base: str, sets: list[str]) -> None:
    try:
        scenario = load(base, overrides=["flight.duration=3 h", *sets, "flight.step=60 s"])
        if satellites_asked(scenario) > 2_000:
            return
        summary = assess(scenario).summary()
    except SkyhallError as error:
        is_told_well(error)
        return
    for key, value in summary.items():
        assert not isinstance(value, float) or math.isfinite(value), key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@FEW
@given(bases, overrides)
def test_overrides_are_answered_or_refused(base: str, sets: list[str]) -> None:
    of_overrides(base, sets)


@FEW
@given(yaml_texts())
def test_files_are_answered_or_refused(folder: Path, text: str) -> None:
    of_text(text, folder)


@FEW
@given(bases, right_overrides)
def test_what_loads_is_designed_or_refused(base: str, sets: list[str]) -> None:
    of_overrides(base, sets)


@ASSESSED
@given(bases, right_overrides)
def test_what_loads_is_assessed_or_refused(base: str, sets: list[str]) -> None:
    of_chain(base, sets)


@pytest.mark.slow
@MANY
@given(bases, overrides)
def test_thousands_of_overrides_are_answered_or_refused(base: str, sets: list[str]) -> None:
    of_overrides(base, sets)


@pytest.mark.slow
@MANY
@given(yaml_texts())
def test_thousands_of_files_are_answered_or_refused(folder: Path, text: str) -> None:
    of_text(text, folder)


@pytest.mark.slow
@MANY
@given(bases, right_overrides)
def test_thousands_that_load_are_designed_or_refused(base: str, sets: list[str]) -> None:
    of_overrides(base, sets)


@pytest.mark.slow
@MANY_ASSESSED
@given(bases, right_overrides)
def test_hundreds_that_load_are_assessed_or_refused(base: str, sets: list[str]) -> None:
    of_chain(base, sets)
