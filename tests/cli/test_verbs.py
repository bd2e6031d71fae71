"""Every verb answers, as a table and as one JSON document with the keys of the contract."""

from __future__ import annotations

import json
import re
import shlex
from calendar import monthrange
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from skyhall.cli import VERBS
from skyhall.scenario import builtin_names, load, resolved_yaml

SHORT = ("--set", "flight.duration=6 h")
SUMMARY = {
    *("satellites", "satellite_kg", "specific_mass_kg_per_kw", "array_m2", "radiator_planform_m2"),
    *("radiator_emitting_m2", "battery_kwh", "launches", "sunlit_year", "longest_eclipse_min"),
    *("delivered_it_mwh_per_year", "hottest_junction_c", "lowest_state_of_charge", "usd_per_installed_gpu_h"),
    *("usd_per_delivered_gpu_h", "ground_usd_per_gpu_h", "breakeven_launch_usd_per_kg", "binding"),
}
TABLES = [
    ("assess", "starcloud-1", *SHORT),
    ("scenarios",),
    ("scenarios", "geo-1gw"),
    ("catalogue",),
    ("catalogue", "vehicles"),
    ("catalogue", "falcon-9"),
    ("design", "million"),
    ("links",),
    ("links", "--terminal", "optical-short-range", "--range", "500 km"),
    ("orbit",),
    ("orbit", "--altitude", "550 km", "--inclination", "53 deg"),
    ("simulate", "starcloud-1", "--duration", "6 h"),
    ("compare", "starcloud-1", "suncatcher-81", *SHORT),
    ("validate", "--group", "launch"),
    ("schema",),
    ("init", "my-fleet"),
]


@pytest.mark.parametrize("args", TABLES, ids=lambda args: "-".join(args[:2]))
def test_a_success_ends_with_three_next_commands(run: Any, args: tuple[str, ...]) -> None:
    result = run(*args)
    assert result.exit_code == 0, result.stderr
    shown = result.stdout if "\nNext\n" in result.stdout else result.stderr
    commands = shown.rpartition("\nNext\n")[2].splitlines()
    assert len(commands) == 3
    assert all(line.startswith("  skyhall ") and line.split()[1] in VERBS for line in commands)


@pytest.mark.parametrize("args", TABLES, ids=lambda args: "-".join(args[:2]))
def test_json_is_one_document_and_nothing_else(answer: Any, args: tuple[str, ...]) -> None:
    assert answer(*args)


@pytest.mark.parametrize("args", TABLES, ids=lambda args: "-".join(args[:2]))
def test_a_pipe_gets_no_colour_and_no_line_above_80_columns(run: Any, args: tuple[str, ...]) -> None:
    text = run(*args).stdout.rpartition("\nNext\n")[0].partition("\nFiles\n")[0]
    assert "\x1b" not in text
    assert max((len(line) for line in text.splitlines()), default=0) <= 80
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_assess_has_the_keys_of_the_contract(answer: Any) -> None:
    document = answer("assess", "starcloud-1", *SHORT)
    assert document["summary"].keys() >= SUMMARY
    assert document["summary"]["satellites"] == 1


def test_assess_writes_its_files_into_runs_and_the_name(run: Any, here: Path) -> None:
    assert run("assess", "starcloud-1", *SHORT).exit_code == 0
    files = {path.name for path in (here / "runs" / "starcloud-1").iterdir()}
    assert files >= {"report.html", "summary.json", "scenario.resolved.yaml", "timeline.parquet"}


def test_assess_prints_design_year_price_and_files(run: Any) -> None:
    text = run("assess", "starcloud-1", *SHORT).stdout
    for words in (
        "kg/kW",
        "planform",
        "longest eclipse",
        "per delivered GPU-hour",
        "orbit / ground",
        "report.html",
    ):
        assert words in text


def test_assess_counts_and_names_dropped_element_sets(run: Any, answer: Any, here: Path) -> None:
    good = (Path(__file__).parents[1] / "orbit" / "data" / "made.tle").read_text(encoding="utf-8")
    name, first, second = (line.rstrip() for line in good.splitlines()[:3])
    wrong = first[:68] + str((int(first[68]) + 1) % 10)
    (here / "sets.tle").write_text(f"{good}\nWRONG {name}\n{wrong}\n{second}\n", encoding="utf-8")
    args = ("assess", "starcloud-1", "--elements", "sets.tle", *SHORT)
    document = answer(*args)
    assert len(document["dropped"]) == document["summary"]["satellites_dropped"] > 0
    assert any("checksum" in text for text in document["dropped"])
    text = run(*args).stdout
    assert f"{len(document['dropped'])} dropped" in text
    assert document["dropped"][0].partition(":")[0] in text


def test_scenarios_lists_all(answer: Any) -> None:
    assert [each["name"] for each in answer("scenarios")] == builtin_names()


def test_the_yaml_of_a_scenario_is_the_whole_standard_output(run: Any) -> None:
    tree = yaml.safe_load(run("scenarios", "geo-1gw").stdout)
    assert load(tree | {"epoch": "2026-03-20T00:00:00Z"}) == load("geo-1gw")


def test_a_next_command_is_never_the_one_that_was_given(run: Any) -> None:
    for given in (
        ("orbit", "--altitude", "650 km", "--inclination", "53 deg"),
        ("orbit", "--altitude", "650 km", "--local-time", "10:30"),
        ("catalogue", "vehicles"),
        ("design", "starcloud-1", "--set", "satellite.attitude=orbit_normal"),
    ):
        commands = run(*given).stdout.rpartition("\nNext\n")[2].splitlines()
        assert ["skyhall", *given] not in [shlex.split(line) for line in commands]


@pytest.mark.parametrize(
    "given",
    [
        ("orbit", "--altitude", "50000 km", "--inclination", "30 deg"),
        ("design", "starcloud-1", "--set", "satellite.life=2 yr"),
        ("simulate", "starcloud-1", "--start", "2026-05-01", "--duration", "2 h"),
    ],
    ids=lambda given: given[0],
)
def test_next_commands_work(run: Any, given: tuple[str, ...]) -> None:
    commands = run(*given).stdout.rpartition("\nNext\n")[2].splitlines()
    for words in (shlex.split(line)[1:] for line in commands):
        quick = SHORT if words[0] == "assess" else ()
        assert run(*words, *quick).exit_code == 0, words


def test_next_commands_keep_start_overrides_and_element_sets(run: Any) -> None:
    sets = str(Path(__file__).parents[1] / "orbit" / "data" / "made.tle")
    options = ("--set", "satellite.life=2 yr", "--elements", sets)
    told = run("simulate", "starcloud-1", "--start", "2026-05-01", "--duration", "2 h", *options).stdout
    finer, other, assess = told.rpartition("\nNext\n")[2].splitlines()
    assert "on the real orbits of made.tle" in " ".join(told.split())
    for line in (finer, other, assess):
        assert "'satellite.life=2 yr'" in line
        assert f"--elements {sets}" in line
    assert "--start 2026-05-01" in finer
    assert "--start 2026-05-01" in other


def test_assess_says_which_factors_lead_from_installed_to_delivered(run: Any, answer: Any) -> None:
    text = " ".join(run("assess", "starcloud-1", *SHORT).stdout.split())
    found = re.search(
        r"([\d.]+) % of the installed GPU-hours are delivered and verified: light, power and heat ([\d.]+) % × "
        r"survival ([\d.]+) % × verified ([\d.]+) %",
        text,
    )
    assert found
    share, light, surviving, verified = (float(each) / 100.0 for each in found.groups())
    assert light * surviving * verified == pytest.approx(share, abs=2e-3)
    summary = answer("assess", "starcloud-1", *SHORT)["summary"]
    ratio = summary["usd_per_installed_gpu_h"] / summary["usd_per_delivered_gpu_h"]
    assert share == pytest.approx(ratio, abs=1e-3)


def test_a_shared_flight_is_a_share_of_one(run: Any) -> None:
    assert "% of a shared flight" in " ".join(run("assess", "starcloud-1", *SHORT).stdout.split())


def test_whole_flights_name_vehicle_load_and_limit(run: Any) -> None:
    text = " ".join(run("assess", "suncatcher-81", *SHORT).stdout.split())
    assert re.search(r"launches 3 starship-target, \d+ on each, limited by (mass|volume)", text)


def test_peak_arithmetic_is_shown_with_its_unit(run: Any) -> None:
    assert "9.89e14 FLOP/s" in run("catalogue", "h100-sxm").stdout


def test_catalogue_shows_value_range_source_and_date(run: Any, answer: Any) -> None:
    price = next(fact for fact in answer("catalogue", "falcon-9")["values"] if fact["key"] == "price")
    assert price.keys() >= {"value", "low", "high", "source", "date"}
    text = run("catalogue", "falcon-9").stdout
    for value in ("value", "low", "high", "date"):
        assert price[value] in text


def test_design_lists_masses_that_add_up(answer: Any) -> None:
    for design in answer("design", "million")["designs"]:
        assert sum(design["masses"].values()) + design["propellant"] == pytest.approx(design["mass"])


def test_orbit_has_the_keys_of_the_contract(answer: Any) -> None:
    document = answer("orbit", "--altitude", "700 km", "--local-time", "06:00")
    assert document["inclination_deg"] == pytest.approx(98.2, abs=0.1)
    assert document["period_min"] == pytest.approx(98.8, abs=0.1)
    assert document["sunlit_year"] == pytest.approx(0.967, abs=0.003)
    assert document["eclipse_season_days"] == pytest.approx(80, abs=6)
    assert 10 < document["longest_eclipse_min"] < 25
    assert document["worst_orbit_shadowed"] == pytest.approx(0.190, abs=0.003)


def test_orbit_takes_an_inclination(answer: Any) -> None:
    document = answer("orbit", "--altitude", "550 km", "--inclination", "53 deg")
    assert document["inclination_deg"] == pytest.approx(53.0)
    assert 0.6 < document["sunlit_year"] < 0.75


def test_orbit_shows_twelve_months(run: Any) -> None:
    lines = run("orbit").stdout.splitlines()
    assert sum(line[:3] in "JanFebMarAprMayJunJulAugSepOctNovDec" and " … " in line for line in lines) == 12


def test_no_month_has_more_eclipse_days_than_days(answer: Any) -> None:
    year = answer("orbit", "--altitude", "550 km", "--inclination", "53 deg")
    months = year["months"]
    for month in months:
        assert month["eclipse_days"] <= monthrange(2026, month["month"])[1]
    assert sum(month["eclipse_days"] for month in months) == pytest.approx(
        year["eclipse_season_days"], abs=1.5
    )


def test_light_lost_without_an_eclipse_is_called_penumbra(run: Any) -> None:
    text = run("orbit", "--altitude", "1400 km").stdout
    assert "penumbra" in text
    assert "Eclipse of an orbit through the year" not in text  # its sparkline would be empty
    assert "penumbra" not in run("orbit", "--altitude", "5000 km").stdout


def test_simulate_has_the_keys_of_the_contract(answer: Any) -> None:
    document = answer(
        *(
            "simulate",
            "suncatcher-81",
            "--start",
            "2026-12-21T00:00:00Z",
            "--duration",
            "3 h",
            "--step",
            "30 s",
        )
    )
    assert document["steps"] == 360
    assert document["satellites"] == 81
    assert document["wall_s"] > 0
    assert document["satellite_steps_per_s"] == pytest.approx(81 * 360 / document["wall_s"])
    assert 0 <= document["lit_fraction_min"] <= document["lit_fraction_mean"] < 1


def test_simulate_writes_its_timeline(run: Any, here: Path) -> None:
    result = run("simulate", "starcloud-1", "--duration", "6 h", "--out", "flown")
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in (here / "flown").iterdir()} == {
        "timeline.parquet",
        "scenario.resolved.yaml",
    }


def test_a_record_holds_every_satellite_and_step(run: Any, here: Path) -> None:
    zarr = pytest.importorskip("zarr")
    args = ("simulate", "suncatcher-81", "--duration", "2 h", "--record", "flown.zarr")
    result = run(*args)
    assert result.exit_code == 0, result.stderr
    assert "81 satellites × 120 steps" in result.stderr
    group = zarr.open_group(here / "flown.zarr", mode="r")
    assert group["lit"].shape == (81, 120)
    assert float(group["junction_k"][:].min()) > 250
    assert group["battery_j"].attrs["units"] == "J"
    assert list(here.iterdir()) == [here / "flown.zarr"]
    assert run(*args).exit_code == 3  # it is there already


def test_a_large_record_needs_consent(refusal: Any, here: Path) -> None:
    error = refusal("simulate", "million", "--duration", "1 day", "--record", "all.zarr")
    assert error["exit_code"] == 2
    assert "GB" in error["what"]
    assert "--yes" in error["right"]
    assert not list(here.iterdir())


def test_compare_reads_runs_and_marks_what_differs(run: Any, answer: Any, here: Path) -> None:
    assert run("assess", "starcloud-1", *SHORT).exit_code == 0
    document = answer("compare", "runs/starcloud-1", "starcloud-1", "runs/starcloud-1/summary.json", *SHORT)
    assert document["differing"] == []
    changed = answer("compare", "runs/starcloud-1", "starcloud-1", *SHORT, "--set", "launch.price=1 USD/kg")
    assert "usd_per_delivered_gpu_h" in changed["differing"]
    assert "satellite_kg" not in changed["differing"]
    table = run("compare", "runs/starcloud-1", "starcloud-1", *SHORT, "--set", "launch.price=1 USD/kg").stdout
    marked = [line for line in table.splitlines() if line.startswith("≠")]
    assert any("launch price" in line for line in marked)
    assert not any("mass of one" in line for line in marked)


def test_compare_shows_readable_power_shares_and_signed_break_even(run: Any) -> None:
    text = run("compare", "starcloud-1", "suncatcher-81", *SHORT).stdout
    rows = {line[2:21].strip(): line[21:] for line in text.splitlines() if len(line) > 21}
    assert "500.0 W" in rows["IT power"]
    assert rows["sunlit share"].endswith("%")
    assert "of one" in rows["launches"]
    assert "none closes" in rows["break-even launch"]
    assert re.search(r"\(-[\d,]+\) +\(-[\d,]+\)", text)


def test_compare_shows_radiation_and_rules(run: Any, answer: Any) -> None:
    args = ("compare", "starcloud-1", "suncatcher-81", *SHORT)
    text = run(*args).stdout
    rows = {line[2:21].strip(): line[21:] for line in text.splitlines() if len(line) > 21}
    assert rows["shield, aluminium"].endswith("mm")
    assert rows["dose of its limit"].endswith("%")
    assert rows["upsets of one"].endswith("1/day")
    assert rows["lost to upsets"].endswith("%")
    assert rows["silent left"].endswith("1/yr")
    failed = [str(each["rules_failed"]) for each in answer(*args)["summaries"]]
    assert rows["rules not met"].split()[:2] == failed


def test_validate_counts_explained_claims_apart(run: Any, answer: Any) -> None:
    rows = answer("validate", "--group", "sizing")
    explained = sum(row["id"].startswith("ai1/") and row["tolerance"].startswith("ours") for row in rows)
    told = run("validate", "--group", "sizing").stdout
    assert explained >= 4
    assert told.count("  explained\n") == explained + 1  # and Starcloud-1 that works by night
    assert f"{explained + 1} claims explained, 0 fail" in " ".join(told.split())


@pytest.mark.parametrize("columns", ["80", "120"])
def test_validate_breaks_no_header_unit_or_verdict(
    run: Any, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = run("validate").stdout
    assert " published " in text
    assert ("difference" in text.partition("orbit")[2][:200]) == (columns == "120")
    for words in ("14,700 USD/kW/yr", "10.91 USD/GPU h", "8.200 MUSD", "rejected\n", "explained\n"):
        assert words in text


def test_validate_has_the_keys_of_the_contract(answer: Any) -> None:
    for row in answer("validate", "--group", "launch"):
        assert row.keys() >= {"id", "group", "published", "ours", "tolerance", "pass", "source"}
        assert row["group"] == "launch"


def test_schema_is_a_schema_that_the_scenarios_meet(run: Any, answer: Any) -> None:
    schema = answer("schema")
    Draft202012Validator.check_schema(schema)
    assert json.loads(run("schema").stdout) == schema
    for name in builtin_names():
        Draft202012Validator(schema).validate(yaml.safe_load(resolved_yaml(load(name))))


def test_schema_refuses_what_loading_refuses(answer: Any) -> None:
    validator = Draft202012Validator(answer("schema"))
    for tree in ({"orbits": {}}, {"orbit": {"shells": []}}, {"work": {"it_power": 5}}, {"seed": -1}):
        assert not validator.is_valid(tree)


def test_init_writes_a_commented_scenario_of_about_25_lines_that_runs(run: Any, here: Path) -> None:
    assert run("init", "my-fleet").exit_code == 0
    text = (here / "my-fleet.yaml").read_text(encoding="utf-8")
    assert 22 <= len(text.splitlines()) <= 30
    assert text.count("#") >= 10
    assert load(here / "my-fleet.yaml").name == "my-fleet"
    assert run("design", "my-fleet.yaml").exit_code == 0


def test_init_overwrites_only_when_told(run: Any, refusal: Any, here: Path) -> None:
    (here / "mine.yaml").write_text("name: precious\n", encoding="utf-8")
    error = refusal("init", "mine")
    assert error["exit_code"] == 3
    assert "--force" in error["right"]
    assert (here / "mine.yaml").read_text(encoding="utf-8") == "name: precious\n"
    assert run("init", "mine", "--force").exit_code == 0
    assert load(here / "mine.yaml").name == "mine"
