"""The catalogue that ships: complete, readable, asked for in its units, and sane."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from skyhall.catalogue import parts
from skyhall.catalogue.parts import Fact, Part, load_catalogue
from skyhall.environment.devices import DEVICE_UNITS
from skyhall.errors import ValueProblem
from skyhall.ground_segment import ANTENNA_UNITS, SITE_UNITS, TELESCOPE_UNITS
from skyhall.network.optics import TERMINAL_UNITS

UNITS = {
    "accelerators": {
        "power": "W", "chip_power": "W", "idle_share": "", "mass": "kg", "junction_limit": "K",
        "junction_resistance": "K/W", "fabric_rate": "bit/s", "peak_flops": "", "price": "USD",
    },
    "arrays": {
        "efficiency": "", "temperature_coefficient": "1/K", "reference_temperature": "K", "absorptivity": "",
        "emissivity_front": "", "emissivity_rear": "", "packing": "", "pointing": "", "degradation": "1/s",
        "specific_power": "W/kg", "areal_heat_capacity": "J/(m**2*K)", "aspect": "", "cost": "USD/W",
    },
    "batteries": {
        "specific_energy": "J/kg", "charge_efficiency": "", "discharge_efficiency": "", "depth_of_discharge": "",
        "end_of_life_capacity": "", "cycles_at_reference": "", "reference_depth": "", "cycle_exponent": "",
        "fade_at_reference": "", "calendar_fade": "", "calendar_age": "s", "charge_rate": "1/s",
        "discharge_rate": "1/s", "taper_time": "s", "cost": "USD/J",
    },
    "radiators": {
        "emissivity": "", "absorptivity_begin": "", "absorptivity_end": "", "absorptivity_life": "s",
        "fin_efficiency": "",
        "areal_mass": "kg/m**2", "areal_heat_capacity": "J/(m**2*K)", "aspect": "", "pointing_error": "rad",
        "cost": "USD/m**2",
    },
    "coolings": {
        "pump_share": "", "transport": "kg/W", "heat_capacity": "J/K/W", "drop": "K", "rise": "K", "coldest": "K",
        "heater_band": "K", "heater_duty": "", "safe_mode_view": "", "margin": "K", "cost": "USD/W",
    },
    "buses": {
        "avionics_power": "W", "avionics_mass": "kg", "power_electronics": "kg/W", "conversion_efficiency": "",
        "regulation_efficiency": "", "control_share": "", "structure_share": "", "margin": "",
        "shielding": "kg/m**2", "electronics_density": "kg/m**3", "stowed_density": "kg/m**3",
        "safe_mode_time": "s", "cost": "USD/kg",
    },
    "propulsions": {
        "specific_impulse": "s", "efficiency": "", "mass": "kg", "share": "", "tank_share": "",
        "drag_coefficient": "", "disposal_altitude": "m", "manoeuvres": "m/s**2", "cost": "USD",
        "propellant_price": "USD/kg", "world_output": "kg/s",
    },
    "devices": dict(DEVICE_UNITS),
    "cities": {"latitude": "rad", "longitude": "rad"},
    "gateways": {"elevation_mask": "rad"},
    "fibres": {"index": "", "route_factor": ""},
    "terminals": {"mass": "kg", "power": "W", "count": "", "rate": "bit/s", "price": "USD"},
    "sites": dict(SITE_UNITS), "telescopes": dict(TELESCOPE_UNITS), "antennas": dict(ANTENNA_UNITS),
}  # fmt: skip
OPTICAL = {**TERMINAL_UNITS, "receiver_aperture": "m"}
RADIO = {"eirp_dbw": "", "frequency": "Hz", "bandwidth": "Hz", "bits_per_hz_most": ""}
HARDWARE = [part for part in load_catalogue() if part.kind in UNITS]
EVERYTHING = list(load_catalogue())


def units_of(part: Part) -> dict[str, str]:
    """Return the unit of each of a part's values; terminals are optical or radio."""
    if part.kind != "terminals":
        return UNITS[part.kind]
    return UNITS["terminals"] | (OPTICAL if "aperture" in part.facts else RADIO)


@pytest.mark.parametrize("part", HARDWARE, ids=lambda part: part.name)
def test_hardware_has_the_keys_of_its_kind_and_no_others(part: Part) -> None:
    assert set(part.facts) == set(units_of(part)) | ({"device"} if part.kind == "accelerators" else set())


@pytest.mark.parametrize("part", HARDWARE, ids=lambda part: part.name)
def test_a_value_lies_between_its_low_and_high(part: Part) -> None:
    for key, unit in units_of(part).items():
        low, high = part.bounds(key, unit)
        assert low <= part(key, unit) <= high, key


@pytest.mark.parametrize("part", EVERYTHING, ids=lambda part: part.name)
def test_every_fact_has_source_date_and_a_known_confidence(part: Part) -> None:
    for fact in part.facts.values():
        assert fact.source.strip()
        assert re.fullmatch(r"\d{4}(-\d{2}(-\d{2})?)?", fact.date), fact.key
        assert fact.confidence in get_args(parts.Confidence)


@pytest.mark.parametrize("part", EVERYTHING, ids=lambda part: part.name)
def test_an_assumption_says_why(part: Part) -> None:
    for fact in part.facts.values():
        if fact.confidence == "assumed":
            assert len(fact.source) > len("assumed"), fact.key


def test_names_are_unique_over_all_kinds() -> None:
    seen: dict[str, str] = {}
    for part in EVERYTHING:
        assert seen.setdefault(part.name, part.kind) == part.kind


def test_an_accelerator_names_a_device_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    for part in EVERYTHING:
        if part.kind == "accelerators":
            assert catalogue.part("devices", str(part.fact("device").value)).facts


def test_the_sun_shines_more_at_its_maximum() -> None:
    atmosphere = load_catalogue().part("environments", "atmosphere")
    assert atmosphere("f107_minimum") < atmosphere("f107_maximum") <= atmosphere.bounds("f107_maximum")[1]


@pytest.mark.parametrize("part", [p for p in EVERYTHING if p.kind == "rules"], ids=lambda part: part.name)
def test_a_rules_range_holds_its_value(part: Part) -> None:
    for key, fact in part.facts.items():
        texts = [each for each in (fact.low, fact.value, fact.high) if each is not None]
        numbers = [float(str(each).split()[0]) for each in texts]
        assert numbers == sorted(numbers), key


def test_an_override_is_marked_as_the_scenarios_and_keeps_the_old_value_in_its_source() -> None:
    part = load_catalogue({"h100-sxm": {"power": "800 W"}}).part("accelerators", "h100-sxm")
    assert part("power", "W") == 800.0
    fact: Fact = part.fact("power")
    assert fact.confidence == "scenario"
    assert "950 W" in fact.source


def test_a_misspelt_key_is_met_with_the_right_one() -> None:
    with pytest.raises(ValueProblem, match="did you mean 'idle_share'"):
        load_catalogue().part("accelerators", "h100-sxm")("idle_shar")


def test_a_part_of_another_kind_is_not_found() -> None:
    with pytest.raises(ValueProblem, match="not among the arrays"):
        load_catalogue().part("arrays", "h100-sxm")


def test_sites_lie_on_the_earth_and_somebody_stands_there() -> None:
    sites = [part for part in EVERYTHING if part.kind == "sites"]
    assert len(sites) > 25
    for part in sites:
        assert abs(part("latitude", "deg")) <= 90.0
        assert abs(part("longitude", "deg")) <= 180.0
        assert part("antennas") + part("telescopes") >= 1
        assert 0.0 < part("availability") < 1.0
