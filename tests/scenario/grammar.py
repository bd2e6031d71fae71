"""A grammar of scenarios, right and wrong, for the fuzz."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from pydantic import BaseModel

from skyhall.catalogue import load_catalogue
from skyhall.scenario import Scenario, builtin_names, builtin_text


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        yield key
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for each in inner:
            if isinstance(each, type) and issubclass(each, BaseModel):
                tuple_of = ".0" if each is not field.annotation else ""
                yield from _keys(each, f"{key}{tuple_of}.")


KEYS = sorted(set(_keys(Scenario)))
PARTS = sorted(load_catalogue().parts)
# Where cities lie matters to no scenario.
FACTS = sorted(
    f"catalogue.{part.name}.{key}" for part in load_catalogue() if part.kind != "cities" for key in part.facts
)
UNITS = [
    *("", "m", "km", "Mm", "AU", "ft", "s", "min", "h", "day", "yr", "months", "W", "kW", "MW", "GW", "TW"),
    *(
        "deg",
        "rad",
        "arcmin",
        "kg",
        "t",
        "J",
        "kWh",
        "K",
        "degC",
        "USD",
        "USD/kg",
        "BUSD/kg",
        "m/s",
        "km/s",
        "%",
    ),
    *(
        "1/s",
        "USD/W",
        "W/kg",
        "kg/m2",
        "kg/m**2",
        "m2",
        "furlong",
        "parsec",
        "0",
        "//",
        "km km",
        "kg/",
        "°",
        "1/0",
    ),
]
WORDS = [
    *("sun_synchronous", "walker_delta", "walker_star", "geostationary", "cluster", "mean", "sgp4"),
    *(
        "ride",
        "handover",
        "both",
        "sun_tracking",
        "orbit_normal",
        "06:00",
        "10:30",
        "23:59",
        "24:00",
        "6",
        "-1:00",
    ),
    *(
        "2026-03-20T00:00:00Z",
        "2026-079T12:00:00",
        "1999-12-31",
        "2061-01-01",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
    ),
    *(
        "skyhall/v1",
        "skyhall/v2",
        "null",
        "true",
        "false",
        "",
        "~",
        "nan",
        "inf",
        "-inf",
        "[]",
        "{}",
        "[1, 2]",
    ),
    *(
        "no-such-part",
        "/dev/null",
        ".",
        "no-such-file.tle",
        "1e400",
        "9" * 400,
        "0x10",
        "1_000",
        "١٢",
        "é",
        "\x00",
    ),
]
TYPOS = [
    "orbit.shell",
    "satelite.mass",
    "orbit.shells.9.altitude",
    "orbit.shells.x",
    "launch",
    "",
    ".",
    "..",
    "float",
]

plain_numbers = st.one_of(
    st.integers(-3, 100),
    st.sampled_from([0, 1, 2, 7, 64, 150, 550, 650, 1000, 2000, 7000, 35786, 10**6, 10**9, 10**30]),
    st.floats(0.0, 1.0).map(lambda value: float(f"{value:.4g}")),
    st.sampled_from([1e-300, 1e-9, 0.001, 1e12, 1e300, 5e-324, -0.5]),
)
quantities = st.builds(lambda number, unit: f"{number} {unit}".strip(), plain_numbers, st.sampled_from(UNITS))
texts = st.one_of(
    quantities,
    quantities,
    st.sampled_from(WORDS),
    st.sampled_from(PARTS),
    plain_numbers.map(str),
    st.text(max_size=12),
)
# Values near those that run, so that the fuzz goes deep and not only wide.
sensible = {
    "altitude": st.integers(140, 6500).map(lambda km: f"{km} km"),
    "inclination": st.integers(0, 180).map(lambda deg: f"{deg} deg"),
    "local_time": st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59)),
    "satellites": st.integers(1, 60).map(str),
    "planes": st.integers(1, 60).map(str),
    "phasing": st.integers(0, 60).map(str),
    "spacing": st.integers(0, 2000).map(lambda m: f"{m} m"),
    "accelerators": st.integers(1, 300).map(str),
    "it_power": st.floats(0.01, 1e4).map(lambda kw: f"{kw:.4g} kW"),
    "life": st.integers(1, 400).map(lambda months: f"{months} months"),
    "duration": st.integers(1, 600).map(lambda minutes: f"{minutes} min"),
    "step": st.integers(1, 600).map(lambda seconds: f"{seconds} s"),
    "night_share": st.floats(0.0, 1.0).map(lambda share: f"{share:.3g}"),
    "price": st.integers(0, 5000).map(lambda usd: f"{usd} USD/kg"),
    "terminals": st.integers(0, 64).map(str),
    "transfer_delta_v": st.integers(0, 6000).map(lambda speed: f"{speed} m/s"),
    "pattern": st.sampled_from(WORDS[:5]),
    "night": st.sampled_from(["ride", "handover", "both"]),
    "mesh": st.sampled_from(["grid", "lattice", "none"]),
    "cross_shell": st.sampled_from(["true", "false"]),
    "grazing_altitude": st.integers(0, 1000).map(lambda km: f"{km} km"),
    "elevation_mask": st.integers(0, 95).map(lambda deg: f"{deg} deg"),
    "results": st.floats(0.0, 100.0).map(lambda rate: f"{rate:.3g} Gbit/s"),
    "attitude": st.sampled_from(["sun_tracking", "orbit_normal"]),
}


def _value_of(key: str) -> st.SearchStrategy[str]:
    known = sensible.get(key.rpartition(".")[2])
    return texts if known is None else st.one_of(known, known, known, texts)


def _scaled(fact: str) -> st.SearchStrategy[str]:
    """A catalogue's value times a factor, in its own unit."""
    _, part, key = fact.split(".")
    number, _, unit = str(load_catalogue().parts[part].fact(key).value).partition(" ")
    if key == "device":
        return st.sampled_from(["trillium-tpu", "rad-hard-processor", "dram-commercial", "no-device", number])
    factors = st.sampled_from([-1.0, 0.0, 1e-9, 0.1, 0.5, 0.9, 1.1, 2.0, 10.0, 1e3, 1e12])
    return factors.map(lambda factor: f"{float(number) * factor:.6g} {unit}".strip())


override = st.one_of(
    st.sampled_from(KEYS).flatmap(lambda key: _value_of(key).map(lambda text: f"{key}={text}")),
    st.sampled_from(KEYS).flatmap(lambda key: _value_of(key).map(lambda text: f"{key}={text}")),
    st.sampled_from(FACTS).flatmap(
        lambda fact: st.one_of(_scaled(fact), texts).map(lambda text: f"{fact}={text}")
    ),
    st.builds(lambda key, text: f"{key}={text}", st.sampled_from(TYPOS), texts),
    st.text(max_size=10),
)
overrides = st.lists(override, max_size=5)
_OF_KIND = {
    "satellite.accelerator": "accelerators",
    "satellite.array": "arrays",
    "satellite.battery": "batteries",
    "satellite.radiator": "radiators",
    "satellite.cooling": "coolings",
    "satellite.bus": "buses",
    "satellite.propulsion": "propulsions",
    "satellite.terminal": "terminals",
    "network.downlink": "terminals",
    "network.telescope": "telescopes",
    "network.antenna": "antennas",
    "launch.vehicle": "vehicles",
    "economics.ground": "grounds",
    "economics.finance": "finance",
    "economics.reliability": "reliability",
}


def _right(key: str) -> st.SearchStrategy[str]:
    kind = _OF_KIND.get(key)
    if kind is not None:
        return st.sampled_from([part.name for part in load_catalogue() if part.kind == kind])
    return sensible[key.rpartition(".")[2]]


# Overrides that load: what they ask for may still be impossible.
RIGHT_KEYS = [key for key in KEYS if key in _OF_KIND or ("." in key and key.rpartition(".")[2] in sensible)]
right_override = st.one_of(
    st.sampled_from(RIGHT_KEYS).flatmap(lambda key: _right(key).map(lambda text: f"{key}={text}")),
    st.sampled_from(FACTS).flatmap(lambda fact: _scaled(fact).map(lambda text: f"{fact}={text}")),
)
right_overrides = st.lists(right_override, min_size=1, max_size=4)
bases = st.sampled_from([name for name in builtin_names() if name != "million"])

_lines = sorted({line for name in builtin_names() for line in builtin_text(name).splitlines()})
_odd_lines = [
    "orbit:",
    "orbit: {shells: []}",
    "work: 5",
    "a: &a [*a]",
    "<<: {name: x}",
    "? [a, b]\n: c",
    "--- second",
    "\tname: x",
    "extends: geo-1gw",
    "extends: 5",
    "catalogue: {earth: {albedo: 2}}",
    "catalogue: {earth: 3}",
    "name: [x]",
    "!!python/object:os.system x",
    "orbit: {shells: [{altitude: 550 km, satellites: true}]}",
    "name: {a: {b: {c: {d: {}}}}}",
]


@st.composite
def yaml_texts(draw: st.DrawFn) -> str:
    """A built-in scenario's YAML with lines changed, lost, doubled and added, or something made of such lines."""
    any_line = st.one_of(st.sampled_from(_lines), st.sampled_from(_odd_lines), st.text(max_size=20))
    lines = draw(
        st.one_of(bases.map(lambda name: builtin_text(name).splitlines()), st.lists(any_line, max_size=8))
    )
    lines = list(lines)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(0, len(lines) - 1)))
        match draw(st.sampled_from(["drop", "double", "insert", "cut", "indent", "value"])):
            case "drop" if lines:
                del lines[at]
            case "double" if lines:
                lines.insert(at, lines[at])
            case "insert":
                lines.insert(at, draw(any_line))
            case "cut" if lines:
                lines[at] = lines[at][: draw(st.integers(0, 12))]
            case "indent" if lines:
                lines[at] = "  " + lines[at]
            case "value" if lines:
                lines[at] = lines[at].partition(":")[0] + ": " + draw(texts)
            case _:
                pass
    return "\n".join(lines)


def satellites_asked(scenario: Scenario) -> float:
    """Return about how many satellites the scenario asks for, so that a fuzz can keep its fleets small."""
    given = [shell.satellites for shell in scenario.orbit.shells]
    fixed = float(sum(count for count in given if count is not None))
    if None not in given:
        return fixed
    each = scenario.satellite.it_power or 1e3 * (scenario.satellite.accelerators or 1)
    planes = max(shell.planes for shell in scenario.orbit.shells)
    return float(fixed + max((scenario.work.it_power or 200e6) / each, planes))
