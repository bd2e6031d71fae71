"""Each mistake gets one clear error: what, where, what would be right; its exit code; and no file is left."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

import skyhall.report

TLE = (Path(__file__).parents[1] / "orbit" / "data" / "made.tle").read_text(encoding="utf-8")
SHORT = ("--set", "flight.duration=6 h")


def written(here: Path, text: str, name: str = "mine.yaml") -> str:
    (here / name).write_text(text, encoding="utf-8")
    return name


@pytest.mark.parametrize(
    ("text", "key", "line", "what", "right"),
    [
        ("orbit:\n  shell: []\n", "orbit.shell", 2, "unknown key", "did you mean 'shells'"),
        ("work:\n  it_power: 5 km\n", "work.it_power", 2, "not a quantity in W", "'120 kW'"),
        ("work:\n  it_power: 5\n", "work.it_power", 2, "has no unit", "'120 kW'"),
        ("satellite:\n  life: -5 yr\n", "satellite.life", 2, "negative", "'5 yr'"),
        (
            "catalogue:\n  h100-sxm:\n    mass: -5 kg\n",
            "catalogue.h100-sxm.mass",
            3,
            "negative",
            "the catalogue has 5 kg",
        ),
        (
            "catalogue:\n  h100-sxm: {mass: 5}\n",
            "catalogue.h100-sxm.mass",
            2,
            "no unit",
            "the catalogue has 5 kg",
        ),
        ("catalogue:\n  h100-smx: {}\n", "catalogue.h100-smx", 2, "no part", "did you mean 'h100-sxm'"),
        ("catalogue:\n  h100-sxm: {masss: 5 kg}\n", "catalogue.h100-sxm.masss", 2, "no value", "'mass'"),
        ("satellite:\n  accelerator: h100-smx\n", "satellite.accelerator", 2, "is not among", "'h100-sxm'"),
        ("launch:\n  vehicle: falcon\n", "launch.vehicle", 2, "is not among", "falcon"),
        ("satellite:\n  night: sleep\n", "satellite.night", 2, "'sleep' is not right", "schema"),
        ("name: x\nname: y\n", "name", 2, "given twice", "keep one"),
        (
            "orbit:\n  shells:\n    - {satellites: true}\n",
            "orbit.shells.0.satellites",
            3,
            "not a number",
            "whole",
        ),
    ],
)
def test_a_wrong_value_is_named_with_file_key_and_line(
    refusal: Any, here: Path, text: str, key: str, line: int, what: str, right: str
) -> None:
    error = refusal("assess", written(here, text), *SHORT)
    assert (error["file"], error["key"], error["line"]) == ("mine.yaml", key, line)
    assert what in error["what"]
    assert right in error["right"]
    assert error["exit_code"] == 2
    assert [path.name for path in here.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("100 km", "decays within a day"),
        ("7000 km", "no sun-synchronous orbit exists"),
        ("650", "has no unit"),
    ],
)
def test_an_impossible_altitude_is_refused(refusal: Any, here: Path, value: str, what: str) -> None:
    error = refusal("assess", "starcloud-1", "--set", f"orbit.shells.0.altitude={value}")
    assert what in error["what"]
    assert error["key"].startswith("orbit.shells.0")
    assert error["right"]
    assert error["exit_code"] == 2
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("--altitude", "100 km", "decays"),
        ("--altitude", "7000 km", "no sun-synchronous"),
        ("--altitude", "700", "no unit"),
        ("--altitude", "700 kg", "not a quantity"),
        ("--inclination", "53 km", "not a quantity"),
        ("--local-time", "25:00", "time of day"),
        ("--epoch", "soon", "not a moment"),
    ],
)
def test_orbit_names_the_option(refusal: Any, option: str, value: str, what: str) -> None:
    error = refusal("orbit", option, value)
    assert error["file"] == option
    assert what in error["what"]
    assert error["right"]


def test_inclination_and_local_time_exclude_each_other(refusal: Any) -> None:
    assert "both" in refusal("orbit", "--inclination", "53 deg", "--local-time", "06:00")["what"]


@pytest.mark.parametrize("option", ["--start", "--duration", "--step"])
def test_simulate_names_the_option(refusal: Any, option: str) -> None:
    error = refusal("simulate", "starcloud-1", option, "5 furlongs")
    assert error["file"] == option
    assert error["right"]


@pytest.mark.parametrize("text", ["", "\n\n", "not element sets at all\n", "\x01\x02"])
def test_a_file_without_element_sets_is_refused(refusal: Any, here: Path, text: str) -> None:
    error = refusal("assess", "starcloud-1", "--elements", written(here, text, "sets.tle"))
    assert error["file"] == "sets.tle"
    assert error["right"]
    assert error["exit_code"] in {2, 3}
    assert [path.name for path in here.iterdir()] == ["sets.tle"]


def test_a_wrong_checksum_is_named(refusal: Any, here: Path) -> None:
    lines = next(
        [first, second]
        for first, second in zip(TLE.splitlines(), TLE.splitlines()[1:], strict=False)
        if first.startswith("1 ") and second.startswith("2 ")
    )
    wrong = str((int(lines[0][68]) + 1) % 10)
    error = refusal(
        "assess",
        "starcloud-1",
        "--elements",
        written(here, f"{lines[0][:68]}{wrong}\n{lines[1]}\n", "sets.tle"),
    )
    assert "checksum" in error["what"]
    assert error["file"] == "sets.tle"


def test_a_missing_file_of_element_sets_is_a_matter_of_files(refusal: Any) -> None:
    error = refusal("assess", "starcloud-1", "--elements", "no-such.tle")
    assert error["file"] == "no-such.tle"
    assert error["exit_code"] == 3


def test_a_missing_scenario_file_is_a_matter_of_files(refusal: Any) -> None:
    error = refusal("assess", "no-such.yaml")
    assert error["file"] == "no-such.yaml"
    assert error["exit_code"] == 3


def test_a_file_that_is_not_yaml_is_a_matter_of_files(refusal: Any, here: Path) -> None:
    error = refusal("assess", written(here, "name: [x\n"))
    assert (error["exit_code"], error["file"]) == (3, "mine.yaml")
    assert error["line"]


def test_an_unknown_scenario_gets_the_nearest(refusal: Any) -> None:
    assert "did you mean 'starcloud-1'" in refusal("assess", "starcloud-2")["right"]


def test_an_override_that_is_none_shows_the_form(refusal: Any) -> None:
    assert "--set launch.price=" in refusal("assess", "starcloud-1", "--set", "launch.price")["right"]


def test_the_later_override_is_the_one_that_counts(run: Any) -> None:
    price = "launch.price"
    args = ("design", "starcloud-1", "--set", f"{price}=x", "--set", f"{price}=5 USD/kg")
    assert run(*args).exit_code == 0


@pytest.mark.parametrize("verb", ["assess", "simulate"])
def test_a_folder_that_cannot_be_written_to_is_known_before_the_work(
    refusal: Any, here: Path, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(here, "not a folder", "taken")
    monkeypatch.setattr("skyhall.chain.fly", lambda *args, **more: pytest.fail("flown"))
    error = refusal(verb, "starcloud-1", *SHORT, "--out", "taken/run")
    assert error["exit_code"] == 3
    assert "taken" in error["file"]
    assert [path.name for path in here.iterdir()] == ["taken"]


def test_a_full_disk_is_told_and_leaves_nothing(
    refusal: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    error = refusal("assess", "starcloud-1", *SHORT)
    assert "no space left" in error["what"]
    assert error["exit_code"] == 3
    assert not list(here.iterdir())


def test_a_full_disk_during_a_record_leaves_nothing(
    refusal: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("zarr")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("skyhall.cli.zarr_record._add", full)
    error = refusal("simulate", "starcloud-1", "--duration", "1 h", "--record", "flown.zarr")
    assert "no space left" in error["what"]
    assert error["exit_code"] == 3
    assert not list(here.iterdir())


def test_a_record_without_zarr_names_the_extra(refusal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    error = refusal("simulate", "starcloud-1", "--duration", "1 h", "--record", "flown.zarr")
    assert "skyhall[arrays]" in error["right"]
    assert error["exit_code"] == 2


def test_an_interrupted_run_leaves_nothing(run: Any, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(skyhall.report, "write", interrupted)
    result = run("assess", "starcloud-1", *SHORT)
    assert result.exit_code == 130
    assert "interrupted" in result.stderr
    assert not list(here.iterdir())


@pytest.mark.parametrize("name", ["", "Upper", "a b", "x" * 80])
def test_init_refuses_a_name_that_is_none(refusal: Any, here: Path, name: str) -> None:
    error = refusal("init", name)
    assert error["exit_code"] == 2
    assert not list(here.iterdir())


def test_compare_needs_two(refusal: Any) -> None:
    assert "only one" in refusal("compare", "starcloud-1")["what"]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}'])
def test_compare_refuses_what_is_no_summary(refusal: Any, here: Path, text: str) -> None:
    error = refusal("compare", written(here, text, "summary.json"), "starcloud-1")
    assert (error["exit_code"], error["file"]) == (3, "summary.json")


def test_validate_refuses_an_unknown_group(refusal: Any) -> None:
    error = refusal("validate", "--group", "lunch")
    assert error["file"] == "--group"
    assert "launch" in error["right"]


@pytest.mark.parametrize(
    ("args", "option"),
    [
        (("simulate", "starcloud-1", "--step", "20 min"), "--step"),
        (("simulate", "starcloud-1", "--duration", "1 s"), "--duration"),
        (("orbit", "--inclination", "200 deg"), "--inclination"),
        (("orbit", "--epoch", "soon"), "--epoch"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_an_option_is_named_by_its_own_name(refusal: Any, args: tuple[str, ...], option: str) -> None:
    error = refusal(*args)
    assert error["file"] is None or error["file"] == option
    assert option in (error["file"], error["key"])


def test_a_file_is_no_folder_to_write_into(refusal: Any, here: Path) -> None:
    written(here, "precious", "taken")
    error = refusal("assess", "starcloud-1", *SHORT, "--out", "taken")
    assert error["exit_code"] == 3
    assert error["what"] == "is a file, not a folder"
    assert (here / "taken").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("verb", ["assess", "simulate"])
def test_a_folder_without_a_name_is_refused(refusal: Any, here: Path, verb: str) -> None:
    assert "empty" in refusal(verb, "starcloud-1", *SHORT, "--out", "")["what"]
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("text", "shape"), [("orbit: 5\n", "a section of keys"), ("orbit:\n  shells: 5\n", "a list")]
)
def test_a_wrong_shape_is_said_in_plain_words(refusal: Any, here: Path, text: str, shape: str) -> None:
    error = refusal("design", written(here, text))
    assert f"it must be {shape}" in error["what"]
    assert "instance" not in error["what"]
