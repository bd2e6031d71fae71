"""A scenario is read from name, file or mapping; every value remembers where it stood."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from skyhall.errors import FileProblem, Place, SkyhallError, ValueProblem
from skyhall.scenario import builtin_names, builtin_text, load, resolved_yaml, template

BILLION_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def written(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(source: object, *overrides: str) -> SkyhallError:
    with pytest.raises(SkyhallError) as caught:
        load(source, overrides=overrides)  # type: ignore[arg-type]
    return caught.value


def test_seven_scenarios_ship_the_default_first() -> None:
    assert builtin_names()[0] == "dawn-dusk-200mw"
    assert set(builtin_names()) == {
        *("dawn-dusk-200mw", "starcloud-1", "starcloud-5gw", "suncatcher-81"),
        *("starlink-shell-53", "geo-1gw", "million"),
    }


@pytest.mark.parametrize("name", builtin_names())
def test_a_scenario_is_called_as_its_file(name: str) -> None:
    assert load(name).name == name
    assert load(name).description


@pytest.mark.parametrize("name", builtin_names())
def test_resolving_and_loading_again_changes_nothing(name: str, tmp_path: Path) -> None:
    scenario = load(name)
    path = written(tmp_path, resolved_yaml(scenario))
    assert load(path) == scenario
    assert resolved_yaml(load(path)) == resolved_yaml(scenario)


@given(
    altitude=st.floats(150e3, 40e6),
    power=st.floats(1.0, 1e12),
    share=st.floats(0.0, 1.0),
    seconds=st.integers(0, 86399),
    price=st.floats(0.0, 1e6),
)
def test_resolving_keeps_every_digit(
    altitude: float, power: float, share: float, seconds: int, price: float
) -> None:
    scenario = load(
        {
            "epoch": datetime(
                2026, 1, 1, seconds // 3600, seconds % 3600 // 60, seconds % 60, seconds, tzinfo=UTC
            ),
            "orbit": {"shells": [{"altitude": f"{altitude!r} m", "local_time": "23:59"}]},
            "satellite": {"it_power": f"{power!r} W", "night": "both", "night_share": share},
            "launch": {"price": f"{price!r} USD/kg"},
        }
    )
    assert load(yaml.safe_load(resolved_yaml(scenario))) == scenario


def test_an_empty_file_is_refused_and_an_empty_mapping_is_the_default(tmp_path: Path) -> None:
    with pytest.raises(ValueProblem, match="is empty"):
        load(written(tmp_path, ""))
    scenario = load({})
    assert scenario.satellite.it_power == 120e3
    assert len(scenario.orbit.shells) == 1


def test_an_empty_section_has_its_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "name: mine\norbit:\nwork:\n")) == load({"name": "mine"})


def test_a_nameless_file_gives_its_name(tmp_path: Path) -> None:
    assert load(written(tmp_path, "extends: geo-1gw\n", "my-ring.yaml")).name == "my-ring"
    assert load(written(tmp_path, "seed: 1", "My Ring.yaml")).name == "unnamed"


def test_a_file_may_stand_in_any_format_of_end_of_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: mine\r\nwork:\r\n  it_power: 3 MW\r\n")
    assert load(path).work.it_power == 3e6


def test_values_hold_where_the_file_has_them_and_the_base_elsewhere(tmp_path: Path) -> None:
    path = written(tmp_path, "extends: geo-1gw\nsatellite:\n  life: 3 yr\n")
    scenario, base = load(path), load("geo-1gw")
    assert scenario.satellite.life == pytest.approx(3 * 365.25 * 86400)
    assert scenario.satellite.it_power == base.satellite.it_power
    assert scenario.orbit == base.orbit


def test_a_base_may_be_a_file_beside(tmp_path: Path) -> None:
    written(tmp_path, "work: {it_power: 7 MW}\n", "base.yaml")
    assert load(written(tmp_path, "extends: base.yaml\n")).work.it_power == 7e6


def test_places_of_a_base_are_those_of_its_file(tmp_path: Path) -> None:
    written(tmp_path, "work:\n  it_power: 7\n", "base.yaml")
    error = refused(written(tmp_path, "extends: base.yaml\n"))
    assert (error.place.file, error.place.line) == (str(tmp_path / "base.yaml"), 2)


@pytest.mark.parametrize(
    ("base", "what"),
    [
        ("mine.yaml", "extends itself"),
        ("chain.yaml", "may not extend another"),
        ("[a, b]", "names one base"),
        ("geo-2gw", "there is no scenario"),
    ],
)
def test_a_base_that_cannot_be_is_refused(tmp_path: Path, base: str, what: str) -> None:
    written(tmp_path, "extends: third.yaml\n", "chain.yaml")
    written(tmp_path, "extends: geo-1gw\n", "third.yaml")
    assert what in refused(written(tmp_path, f"extends: {base}\n")).what


def test_element_sets_are_looked_for_beside_the_file_first(tmp_path: Path) -> None:
    sets = written(tmp_path, "x", "sets.tle")
    path = written(tmp_path, "orbit: {elements: sets.tle}\n")
    assert load(path).orbit.elements == str(sets)
    assert load({"orbit": {"elements": "sets.tle"}}).orbit.elements == "sets.tle"


def test_overrides_replace_values_of_sections_lists_and_the_catalogue() -> None:
    scenario = load(
        "starlink-shell-53",
        overrides=[
            "orbit.shells.0.altitude=600 km",
            "launch.price = 100 USD/kg ",
            "satellite.it_power=null",
            "satellite.accelerators=5",
            "catalogue.h100-sxm.price=1 USD",
            "seed=7",
        ],
    )
    assert scenario.orbit.shells[0].altitude == 600e3
    assert scenario.orbit.shells[0].planes == 72
    assert scenario.launch.price == 100.0
    assert scenario.satellite.it_power is None
    assert scenario.satellite.accelerators == 5
    assert scenario.catalogue == {"h100-sxm": {"price": "1 USD"}}
    assert scenario.seed == 7


def test_an_override_reaches_the_default_shell() -> None:
    assert load({}, overrides=["orbit.shells.0.altitude=700 km"]).orbit.shells[0].altitude == 700e3


def test_an_override_leaves_a_section_that_stood_empty() -> None:
    assert load({"work": None}, overrides=["work.it_power=1 MW"]).work.it_power == 1e6


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("orbit.shells.0.altitude=5", "orbit.shells.0.altitude"),
        ("orbit.shells.7.altitude=5 km", "orbit.shells.7.altitude"),
        ("orbit.shells.²=x", "orbit.shells.²"),
        ("name.first=x", "name.first"),
        ("flaot=1", "flaot"),
        ("float=1", "float"),
        ("catalogue.earth=5", "catalogue.earth"),
        ("a.b.c.d=5", "a"),
    ],
)
def test_a_wrong_override_is_named(override: str, key: str) -> None:
    error = refused("starcloud-1", override)
    assert (error.place.file, error.place.key) == ("--set", key) or key == "a"
    assert error.right


def test_a_value_remembers_file_key_and_line() -> None:
    lines = builtin_text("starcloud-1").splitlines()
    place = load("starcloud-1").place("satellite.life")
    assert place.file == "scenario starcloud-1"
    assert place.line is not None
    assert lines[place.line - 1].strip().startswith("life:")


def test_an_overridden_value_remembers_that() -> None:
    scenario = load("starcloud-1", overrides=["satellite.life=2 yr"])
    assert scenario.place("satellite.life") == Place("--set", "satellite.life")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[" * 5000, ""),
        ("{a: " * 5000, ""),
        (BILLION_LAUGHS, "more than 50,000 values"),
        ("a: &a [*a]\n", "nested too deeply"),
        ("- a\n- b\n", "not a mapping"),
        ("just words\n", "not a mapping"),
        ("a: 'b\n", "is not YAML"),
        ("a: b\n--- \nc: d\n", "is not YAML"),
        ("a: \x00\n", "is not YAML"),
        ("name: x\nname: y\n", "given twice"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused_at_once(tmp_path: Path, text: str, what: str) -> None:
    error = refused(written(tmp_path, text))
    assert what in error.what
    assert error.place.file == str(tmp_path / "mine.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00x")
    assert isinstance(refused(path), FileProblem)


@pytest.mark.parametrize(
    ("override", "right"),
    [
        ("orbit.shells.0.altitude=650", "650 km"),
        ("orbit.shells.0.altitude=650 kg", "650 km"),
        ("satellite.night_share=0.3", "leave it out"),
        ("satellite.night_share=3", "'40 %'"),
        ("satellite.life=1 day", "5 yr"),
        ("satellite.shielding=5", "'5 mm'"),
        ("satellite.shielding=1 g/cm2", "3.7 mm"),
        ("satellite.shielding=5 m", "check the unit"),
        ("environment.solar_proton_confidence=95", "a chance between 0.5 and 0.99, for example 0.95"),
        ("environment.solar_proton_confidence=0.4", "a chance between 0.5 and 0.99, for example 0.95"),
        ("environment.solar_proton_confidence=high", "a chance between 0.5 and 0.99, for example 0.95"),
        ("satellite.accelerators=0", "schema"),
        ("satellite.accelerators=true", "whole number"),
        ("flight.step=1 h", "60 s"),
        ("epoch=1492-10-12", "within"),
        ("epoch=tomorrow", "2026-03-20T00:00:00Z"),
        ("launch.price=-5 USD/kg", "200 USD/kg"),
        ("orbit.shells.0.pattern=walker_delta", "inclination"),
        ("orbit.shells.0.inclination=53 deg", "walker_delta"),
        ("schema=skyhall/v2", "schema"),
    ],
)
def test_a_wrong_value_says_what_would_be_right(override: str, right: str) -> None:
    error = refused("starcloud-1", override)
    assert isinstance(error, ValueProblem)
    assert right in (error.right or "")


def test_a_shield_of_100_mm_can_be_meant_and_is_written_in_mm() -> None:
    scenario = load("starcloud-1", overrides=["satellite.shielding=100 mm"])
    assert scenario.satellite.shielding == 0.1
    assert "shielding: 100 mm" in resolved_yaml(scenario)


def test_a_confidence_may_be_a_percentage() -> None:
    sets = ["environment.solar_proton_confidence=95 %"]
    assert load("starcloud-1", overrides=sets).environment.solar_proton_confidence == pytest.approx(0.95)


def test_day_of_year_is_a_moment() -> None:
    assert load({"epoch": "2026-079T12:00:00"}).epoch == datetime(2026, 3, 20, 12, tzinfo=UTC)


def test_the_template_loads_with_its_name(tmp_path: Path) -> None:
    scenario = load(written(tmp_path, template("my-fleet"), "other.yaml"))
    assert scenario.name == "my-fleet"
    assert "h100-sxm" in scenario.catalogue


def test_sites_may_be_typed_as_a_list_of_names() -> None:
    for text in ("svalbard, troll", "[svalbard,troll]", "[svalbard, troll]"):
        assert load("starcloud-1", overrides=[f"network.sites={text}"]).network.sites == ("svalbard", "troll")
    with pytest.raises(SkyhallError, match=r"network\.sites"):
        load("starcloud-1", overrides=["network.sites=[]"])


def test_a_base_whose_name_no_file_can_have_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"extends: {'a' * 5000}\n", encoding="utf-8")
    with pytest.raises(SkyhallError) as caught:
        load(path)
    assert caught.value.exit_code in {2, 3}
