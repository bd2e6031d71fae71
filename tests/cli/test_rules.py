"""``skyhall rules``: pass or fail, value, limit and source."""

from __future__ import annotations

import json
from typing import Any

DARK = ("--set", "catalogue.sky.array_reflectivity=0.001")


def test_a_fleet_that_meets_the_rules_exits_with_0_and_next_commands(run: Any) -> None:
    result = run("rules", "starcloud-1", *DARK)
    assert result.exit_code == 0, result.stderr
    assert "FAIL" not in result.stdout
    assert len(result.stdout.rpartition("\nNext\n")[2].splitlines()) == 3


def test_a_fleet_that_fails_one_exits_with_1_and_names_it(run: Any) -> None:
    result = run("rules", "starcloud-1")
    assert result.exit_code == 1
    assert "FAIL" in result.stdout
    assert "1 of 9 rules with a limit not met: brightness" in result.stderr


def test_the_error_names_rules_as_the_table_does(run: Any) -> None:
    error = run("rules", "starcloud-1", "--set", "catalogue.orbit-rules.large_collision=1e-12", *DARK).stderr
    assert "with a limit not met: large collision" in error


def test_json_is_a_list_with_the_keys_of_the_contract(answer: Any) -> None:
    rows = answer("rules", "starcloud-1", *DARK)
    assert len(rows) == 11
    for row in rows:
        assert set(row) - {"unit", "shell", "note"} == {"rule", "value", "limit", "pass", "source"}
        assert row["pass"] is None or row["limit"] is not None


def test_json_of_a_failing_fleet_is_still_the_list(run: Any) -> None:
    result = run("rules", "starcloud-1", "--json")
    assert result.exit_code == 1
    assert [row["rule"] for row in json.loads(result.stdout) if row["pass"] is False] == ["brightness"]


def test_the_table_fits_80_columns(run: Any) -> None:
    text = run("rules", "starcloud-1", *DARK).stdout.rpartition("\nNext\n")[0]
    assert max(len(line) for line in text.splitlines()) <= 80


def test_an_unknown_scenario_is_a_wrong_value(refusal: Any) -> None:
    assert refusal("rules", "nosuch")["exit_code"] == 2


def test_a_limit_can_be_set(run: Any) -> None:
    assert run("rules", "starcloud-1", "--set", "catalogue.orbit-rules.magnitude=1").exit_code == 0


def test_a_chance_far_below_its_limit_is_not_shown_as_0(run: Any) -> None:
    text = run("rules", "starcloud-1", *DARK).stdout
    row = next(line for line in text.splitlines() if line.startswith("large collision"))
    assert 0.0 < float(row.split()[2]) < 1e-6
