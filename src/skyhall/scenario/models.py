"""What is asked for: the scenario's sections, each with defaults that run."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from skyhall.errors import Place
from skyhall.scenario.quantities import (
    Angle,
    Confidence,
    DataRate,
    Duration,
    Length,
    LocalTime,
    Moment,
    MoneyPerMass,
    Power,
    Ratio,
    Shield,
    Speed,
)

__all__ = [
    "Economics",
    "Environment",
    "Flight",
    "Launch",
    "Network",
    "Orbit",
    "Satellite",
    "Scenario",
    "Shell",
    "Work",
    "json_schema",
]

YEAR = 365.25 * 86400.0
NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
NAME_IN_WORDS = (
    "begin with a small letter or digit; then small letters, digits, dots, hyphens and underscores"
)


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a number|write a whole number")  # noqa: TRY004  # pydantic's way
    return value


WHOLE = BeforeValidator(_no_boolean)


def _listed(value: object) -> object:
    """Return the names of a text such as "svalbard, troll", as one types it after --set."""
    if not isinstance(value, str):
        return value
    return [name for each in value.strip().strip("[]").split(",") if (name := each.strip())]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


class Shell(_Section):
    """Satellites that share altitude and inclination."""

    pattern: Literal["sun_synchronous", "walker_delta", "walker_star", "geostationary", "cluster"] = Field(
        "sun_synchronous", description="how the satellites are laid out"
    )
    altitude: Length = Field(
        650e3, description="above the equator's radius; of a geostationary shell it is given"
    )
    inclination: Angle | None = Field(
        None, description="of Walker patterns; sun-synchronous ones solve for it"
    )
    local_time: LocalTime = Field(
        6 * 3600.0, description="mean solar time of the ascending node, sun-synchronous only"
    )
    satellites: Annotated[int, Field(ge=1, le=5_000_000), WHOLE] | None = Field(
        None, description="how many; left out: as many as the work needs, shared equally between such shells"
    )
    planes: Annotated[int, Field(ge=1), WHOLE] = Field(1, description="the satellites divide among them")
    phasing: Annotated[int, Field(ge=0), WHOLE] = Field(0, description="Walker's f, in i:t/p/f")
    spacing: Length = Field(
        200.0, description="step of a cluster's lattice along the track; half of it along the radius"
    )

    @model_validator(mode="after")
    def _whole(self) -> Shell:
        walker = self.pattern.startswith("walker")
        if self.inclination is not None and self.inclination > math.pi:
            raise ValueError(
                "an inclination above 180 degrees is no orbit|write, for example, inclination: 53 deg"
            )
        if walker and self.inclination is None:
            raise ValueError("a Walker pattern needs an inclination|write, for example, inclination: 53 deg")
        if not walker and self.inclination is not None:
            raise ValueError(
                f"the inclination of a {self.pattern} shell is solved, not typed|leave it out, or choose walker_delta"
            )
        return self


class Orbit(_Section):
    """Where the satellites fly: shells that are designed, or a catalogue of real element sets."""

    shells: tuple[Shell, ...] = Field(default_factory=lambda: (Shell(),), min_length=1)
    elements: str | None = Field(None, description="file of element sets (TLE, OMM) that replaces the shells")
    propagation: Literal["mean", "sgp4"] = Field(
        "mean", description="how element sets fly: mean elements fitted to them, or SGP4 at every step"
    )


class Satellite(_Section):
    """What a satellite is made of: parts of the catalogue by name, and how it lives."""

    accelerator: str = "gb300-nvl72"
    accelerators: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        None, description="per satellite; or give it_power"
    )
    it_power: Power | None = Field(
        120e3, description="IT input per satellite, rounded up to whole accelerators; or give accelerators"
    )
    array: str = "starlink-silicon"
    battery: str = "li-ion-pack"
    radiator: str = "deployable-composite"
    cooling: str = "single-phase-loop"
    bus: str = "starlink-class"
    propulsion: str = "hall-krypton"
    terminal: str = "optical-mass-produced"
    terminals: Annotated[int, Field(ge=0, le=64), WHOLE] | None = Field(
        None, description="laser terminals; else the part's count"
    )
    attitude: Literal["sun_tracking", "orbit_normal"] = "sun_tracking"
    night: Literal["ride", "handover", "both"] = Field(
        "handover",
        description="work in the dark: ride on the battery, hand it over to a lit satellite, or both",
    )
    night_share: Ratio | None = Field(
        None, description="share of the work kept in the dark; `both` only, default one half"
    )
    device: str | None = Field(
        None, description="how the accelerator answers radiation; left out: what the catalogue says of it"
    )
    shielding: Shield | None = Field(
        None,
        description="aluminium around the electronics; left out: the bus's own, or more where the life's dose needs it",
    )
    dose_margin: Annotated[float, Field(ge=1.0, le=10.0)] = Field(
        2.0, description="what the device must bear over what is computed"
    )
    life: Duration = 5 * YEAR
    transfer_delta_v: Speed = Field(0.0, description="climbed by the satellite itself after separation")

    @model_validator(mode="after")
    def _whole(self) -> Satellite:
        if self.accelerators is not None:
            if self.model_fields_set >= {"accelerators", "it_power"} and self.it_power is not None:
                raise ValueError("both accelerators and it_power are given|give one of them")
            object.__setattr__(self, "it_power", None)
        elif self.it_power is None:
            raise ValueError("neither accelerators nor it_power is given|give one of them")
        if self.night_share is not None and self.night != "both":
            raise ValueError(
                f"night_share has no meaning with night: {self.night}|choose night: both, or leave it out"
            )
        if self.life < 30 * 86400.0:
            raise ValueError("a life below 30 days is not modelled|write, for example, life: 5 yr")
        if self.it_power == 0.0:
            raise ValueError(
                "a satellite without IT power computes nothing|write, for example, it_power: 120 kW"
            )
        return self

    @property
    def night_work(self) -> float:
        """Share of the work that goes on in the dark."""
        if self.night == "both":
            return 0.5 if self.night_share is None else self.night_share
        return 1.0 if self.night == "ride" else 0.0


class Environment(_Section):
    """What the Sun is like while the fleet flies."""

    solar_activity: Literal["minimum", "mean", "maximum"] = Field(
        "mean",
        description="of the trapped particles, cosmic rays and air: low orbits meet more protons at minimum, more air "
        "at maximum",
    )
    solar_radio_flux: Annotated[float, Field(ge=65.0, le=250.0)] | None = Field(
        None,
        description="F10.7 in solar flux units, for air and debris, where it replaces solar_activity; left out: "
        "that of the activity",
    )
    solar_proton_confidence: Confidence = Field(
        0.95, description="chance that the life's solar protons are no more than assumed"
    )


class Network(_Section):
    """How the satellites reach each other and the ground."""

    mesh: Literal["grid", "lattice", "none"] | None = Field(
        None,
        description="links between satellites: to four neighbours in the pattern, or to the nearest of a cluster; left "
        "out: lattice for a cluster, none without laser terminals or a pattern, else grid",
    )
    cross_shell: bool = Field(
        True,
        description="whether terminals that the mesh leaves free reach to the nearest satellite of other shells",
    )
    grazing_altitude: Length = Field(
        80e3, description="lowest height at which a beam between satellites passes"
    )
    downlink: str | None = Field(
        None,
        description="terminal for the ground besides those of the mesh, in the satellite's mass, power and price; left "
        "out: a laser terminal that the mesh leaves free, or the satellite's radio",
    )
    sites: Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_listed)] | None = Field(
        None, description="ground sites by name; left out: all of the catalogue that can receive the downlink"
    )
    telescope: str = Field("telescope-80cm", description="at the sites, for a laser downlink")
    antenna: str = Field("antenna-5m", description="at the sites, for a radio downlink")
    elevation_mask: Angle | None = Field(
        None, description="lowest elevation of a contact; left out: what the telescope or antenna says"
    )
    results: DataRate | None = Field(
        None, description="data that one satellite makes for the ground, mean; left out: as much as gets down"
    )

    @model_validator(mode="after")
    def _whole(self) -> Network:
        if self.elevation_mask is not None and self.elevation_mask >= 0.5 * math.pi:
            raise ValueError(
                "an elevation mask of 90 degrees or more sees nothing|write, for example, elevation_mask: 10 deg"
            )
        if self.sites is not None and len(set(self.sites)) < len(self.sites):
            raise ValueError("a site is named twice in sites|name each once")
        return self


class Work(_Section):
    """How much compute is wanted."""

    it_power: Power | None = Field(
        None,
        description="of the whole fleet, decides how many satellites where a shell does not say; else 200 MW",
    )


class Launch(_Section):
    """How the fleet gets up."""

    vehicle: str = "starship-target"
    price: MoneyPerMass | None = Field(None, description="replaces the vehicle's price")


class Economics(_Section):
    """Whom the fleet is compared with, and with whose money."""

    ground: str = "grid-us"
    finance: str = "finance-2026"
    build: str = "mass-produced"
    operations: str = "fleet-operations"
    reliability: str = "orbit-first-model"


class Flight(_Section):
    """The stretch of time that the twin flies for the assessment."""

    start: Moment | None = Field(None, description="left out: the epoch")
    duration: Duration | None = Field(None, description="left out: a year; a day where SGP4 flies")
    step: Duration = 60.0

    @model_validator(mode="after")
    def _whole(self) -> Flight:
        if not 1.0 <= self.step <= 600.0:
            raise ValueError("the step must lie between 1 s and 10 min|write, for example, step: 60 s")
        if self.duration is not None and self.duration < self.step:
            raise ValueError("the duration is shorter than one step|write, for example, duration: 1 day")
        if self.duration is not None and self.duration > 30 * YEAR:
            raise ValueError(
                "a flight of more than 30 years is not modelled|write, for example, duration: 1 yr"
            )
        return self


class Scenario(_Section):
    """A data centre in orbit as it is asked for; frozen once loaded."""

    schema_: Literal["skyhall/v1"] = Field("skyhall/v1", alias="schema")
    name: Annotated[str, Field(pattern=NAME)] = "unnamed"
    description: str = ""
    epoch: Moment = datetime(2026, 3, 20, tzinfo=UTC)
    seed: Annotated[int, Field(ge=0), WHOLE] = 1
    orbit: Orbit = Field(default_factory=Orbit)
    satellite: Satellite = Field(default_factory=Satellite)
    environment: Environment = Field(default_factory=Environment)
    network: Network = Field(default_factory=Network)
    work: Work = Field(default_factory=Work)
    launch: Launch = Field(default_factory=Launch)
    economics: Economics = Field(default_factory=Economics)
    flight: Flight = Field(default_factory=Flight)
    catalogue: dict[str, dict[str, str | float]] = Field(
        default_factory=dict, description="values that replace the catalogue's: part: {key: value}"
    )
    _places: dict[str, Place] = PrivateAttr(default_factory=dict)

    @property
    def flight_duration(self) -> float:
        """The stretch that is flown, s."""
        if self.flight.duration is not None:
            return self.flight.duration
        return 86400.0 if self.orbit.elements and self.orbit.propagation == "sgp4" else YEAR

    def place(self, key: str) -> Place:
        """Return where the value at the dotted `key` was written (file, key, line)."""
        return self._places.get(key, Place(key=key))

    def _repr_html_(self) -> str:
        from html import escape

        from skyhall.scenario.loading import resolved_yaml

        return f"<pre>{escape(resolved_yaml(self))}</pre>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.model_dump() == other.model_dump()

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario as it is written in a file."""
    schema = Scenario.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "a built-in scenario or a file, whose values hold where this one has none",
    }
    return schema
