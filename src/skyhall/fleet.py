"""Scenario and catalogue to a fleet: orbits as arrays, and the few distinct satellites that were sized for them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from skyhall.catalogue import Catalogue, Part, load_catalogue
from skyhall.constants import DAY, EARTH_RADIUS, HOUR, KILOWATT_HOUR
from skyhall.design_inputs import sizing_inputs
from skyhall.environment.devices import Device
from skyhall.environment.exposure import Radiation, anomaly
from skyhall.environment.upset_field import UpsetField
from skyhall.errors import Place, SkyhallError, ValueProblem
from skyhall.files import read_text
from skyhall.orbit.element_sets import ElementSets, parse_element_sets
from skyhall.orbit.elements import (
    MeanElements,
    check_altitude,
    kepler_period,
    position,
    raan_from_local_time,
    sun_synchronous_inclination,
)
from skyhall.orbit.geodetic import over_the_ground
from skyhall.orbit.patterns import (
    Pattern,
    cluster,
    geostationary_ring,
    sun_synchronous,
    walker_delta,
    walker_star,
)
from skyhall.orbit.seasons import LightYear, year_of_light
from skyhall.orbit.sun import greenwich_angle, julian_date
from skyhall.satellite.design import SatelliteDesign
from skyhall.satellite.sizing import SizedSatellite, size, to_design
from skyhall.scenario import Scenario, Shell
from skyhall.surroundings import (
    Irradiation,
    air_density,
    device_of,
    irradiation_on,
    radiation_of,
    upset_field,
)
from skyhall.types import Array

__all__ = ["Fleet", "design"]

T = TypeVar("T")

_SEASON_DAYS = 147  # samples of a year that size a satellite: every 2.5 days
_SAMPLED_ORBITS = 24  # of many planes or a real catalogue, whose seasons size the satellite together
_PARTS = ("accelerator", "array", "battery", "radiator", "cooling", "bus", "propulsion", "terminal")
# m; satellites below climb or come down, and one of them would size the propulsion of all; the lowest shell that a
# real catalogue holds is Starlink's near 360 km.
_KEPT_ON_STATION = 300e3
_UNIX_EPOCH = 2440587.5  # Julian date of 1970-01-01 00:00
_MOST_SATELLITES = 5_000_000
_WORK_WANTED = 200e6  # W, where neither shells nor work say how much
_PLURALS = {"battery": "batteries", "bus": "buses"}


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Satellites as arrays, one entry each, and the distinct designs among them.

    Attributes
    ----------
    elements : mean elements at the scenario's epoch, TEME; (satellites,).
    plane, slot : where each satellite sits in its pattern; (satellites,).
    design_index : which of `designs` each satellite is; (satellites,).
    designs, sized, light : per design: as flown at the end of life, as sized, and the year of light of its orbits, in
        arrays (samples,) of one plane or (planes, samples) of several.
    irradiation : per design: its device, dose, upsets and shield.
    upsets : tables of upset rates over the globe, and which of them each satellite looks up.
    sets : the element sets that fly with SGP4, None where mean elements fly.
    dropped : sentences, one for each element set that was left out.
    fit_error_km : how far mean elements stray from SGP4 in a day at most, median; None for designed orbits.
    """

    scenario: Scenario
    catalogue: Catalogue
    epoch_julian_date: float
    elements: MeanElements
    plane: npt.NDArray[np.int64]
    slot: npt.NDArray[np.int64]
    design_index: npt.NDArray[np.int64]
    designs: tuple[SatelliteDesign, ...]
    sized: tuple[SizedSatellite, ...]
    light: tuple[LightYear, ...]
    irradiation: tuple[Irradiation, ...]
    upsets: UpsetField
    sets: ElementSets | None = None
    dropped: tuple[str, ...] = ()
    fit_error_km: float | None = None

    def __len__(self) -> int:
        return len(self.elements)

    @property
    def counts(self) -> tuple[int, ...]:
        """Satellites of each design."""
        found = Counter(self.design_index.tolist())
        return tuple(found[index] for index in range(len(self.designs)))

    @property
    def it_power(self) -> float:
        """IT power of the whole fleet at full work, W."""
        return sum(n * design.it_power for n, design in zip(self.counts, self.designs, strict=True))

    @property
    def accelerators(self) -> int:
        """Accelerators aboard the whole fleet."""
        return sum(n * design.accelerators for n, design in zip(self.counts, self.designs, strict=True))

    @property
    def mass(self) -> float:
        """Launch mass of the whole fleet, kg."""
        return sum(n * design.mass for n, design in zip(self.counts, self.designs, strict=True))

    def __repr__(self) -> str:
        sorts = ", ".join(
            f"{count} × {each.name} ({each.it_power / 1e3:.4g} kW IT, {each.mass:,.0f} kg)"
            for count, each in zip(self.counts, self.designs, strict=True)
        )
        return f"<Fleet {self.scenario.name}: {sorts}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{each.name}</td><td>{count:,}</td><td>{each.it_power / 1e3:.4g}</td><td>{each.mass:,.0f}</td>"
            f"<td>{each.mass / each.it_power * 1e3:.1f}</td><td>{each.array_area:,.0f}</td>"
            f"<td>{each.radiator_area:,.0f}</td><td>{each.battery_capacity / KILOWATT_HOUR:,.1f}</td></tr>"
            for count, each in zip(self.counts, self.designs, strict=True)
        )
        heads = (
            "shell",
            "satellites",
            "IT, kW",
            "mass, kg",
            "kg/kW",
            "array, m²",
            "radiator, m²",
            "battery, kWh",
        )
        head = "".join(f"<th>{each}</th>" for each in heads)
        caption = f"{self.scenario.name}: one satellite of each shell"
        return f"<table><caption>{caption}</caption><tr>{head}</tr>{rows}</table>"

    @property
    def sunlit_year(self) -> float:
        """Mean lit fraction of the Sun's disc over a year and the satellites."""
        shares = [
            float(np.mean(np.trapezoid(year.lit_fraction, year.seconds) / np.ptp(year.seconds)))
            for year in self.light
        ]
        return float(np.dot(self.counts, shares)) / len(self)

    @property
    def longest_eclipse(self) -> float:
        """Longest stretch of a year with the Sun's centre hidden, over all satellites, s."""
        dark = [year.eclipse_fraction * kepler_period(year.altitude)[..., None] for year in self.light]
        return float(max(each.max() for each in dark))

    def positions(self, seconds: Array, satellites: npt.NDArray[np.int64] | None = None) -> Array:
        """Return where satellites are, m, TEME, (satellites, times, 3), propagated as the fleet flies.

        Parameters
        ----------
        seconds : after the epoch, (times,). satellites : by their index; None for all.
        """
        if self.sets is not None:
            sets = self.sets if satellites is None else self.sets[satellites.tolist()]
            return sets.positions(self.epoch_julian_date, seconds).position
        elements = self.elements if satellites is None else self.elements[satellites]
        return position(elements[:, None], seconds)

    def in_anomaly(
        self, seconds: Array, satellites: npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.bool_]:
        """Return whether satellites are inside the South Atlantic Anomaly, (satellites, times); as `positions`."""
        angle = greenwich_angle(self.epoch_julian_date + seconds / DAY)
        place = over_the_ground(self.positions(seconds, satellites), angle)
        return anomaly(radiation_of(self.scenario), *place)

    def only(self, *satellites: int) -> Fleet:
        """Return the fleet of some satellites, by their indices."""
        kept = np.array(satellites, dtype=np.int64)
        return replace(
            self,
            elements=self.elements[kept],
            plane=self.plane[kept],
            slot=self.slot[kept],
            design_index=self.design_index[kept],
            upsets=self.upsets.only(kept),
            sets=None if self.sets is None else self.sets[satellites],
        )


def design(scenario: Scenario, *, catalogue: Catalogue | None = None) -> Fleet:
    """Return the fleet that does the scenario's work.

    Raises
    ------
    ValueProblem : an unknown part, an impossible orbit, or a satellite that does not close; says where and why.
    FileProblem : element sets that cannot be read.
    """
    catalogue = catalogue or load_catalogue(scenario.catalogue)
    epoch = julian_date(scenario.epoch)
    parts = {kind: _part(scenario, catalogue, kind) for kind in _PARTS}
    accelerators = _accelerators(scenario, parts["accelerator"])
    if scenario.orbit.elements is not None:
        return _real_fleet(scenario, catalogue, parts, accelerators)
    shells = scenario.orbit.shells
    counts = _counts(scenario, accelerators * parts["accelerator"]("power", "W"))
    patterns: list[Pattern] = []
    sized: list[SizedSatellite] = []
    light: list[LightYear] = []
    irradiation: list[Irradiation] = []
    radiation, device = radiation_of(scenario), device_of(scenario, catalogue)
    for index, (shell, count) in enumerate(zip(shells, counts, strict=True)):
        key = f"orbit.shells.{index}"
        altitude_place = scenario.place(f"{key}.altitude")
        pattern = _at(scenario, key, partial(_lay_out, shell, count, epoch, altitude_place))
        year = _at(scenario, key, partial(_years_of_planes, pattern, epoch))
        patterns.append(pattern)
        light.append(year)
        suffered = _at(
            scenario,
            f"{key}.altitude",
            partial(_irradiation, scenario, radiation, device, pattern.elements, parts["bus"]),
        )
        irradiation.append(suffered)
        inputs = sizing_inputs(scenario, catalogue, parts, accelerators, year, suffered.shield_g_cm2)
        sized.append(_at(scenario, "satellite", partial(size, inputs)))
    elements = _joined([pattern.elements for pattern in patterns])
    design_index = np.repeat(np.arange(len(shells)), counts)
    shields = [each.shield_g_cm2 for each in irradiation]
    return Fleet(
        scenario=scenario,
        catalogue=catalogue,
        epoch_julian_date=epoch,
        elements=elements,
        plane=np.concatenate([pattern.plane for pattern in patterns]),
        slot=np.concatenate([pattern.slot for pattern in patterns]),
        design_index=design_index,
        designs=tuple(
            to_design(each, (), _shell_name(shell)) for each, shell in zip(sized, shells, strict=True)
        ),
        sized=tuple(sized),
        light=tuple(light),
        irradiation=tuple(irradiation),
        upsets=upset_field(radiation, device, elements, design_index, shields),
    )


def _part(scenario: Scenario, catalogue: Catalogue, kind: str) -> Part:
    name = getattr(scenario.satellite, kind)
    plural = _PLURALS.get(kind, kind + "s")
    return catalogue.part(plural, name, place=scenario.place(f"satellite.{kind}"))


def _accelerators(scenario: Scenario, accelerator: Part) -> int:
    asked = scenario.satellite
    each = accelerator("power", "W")
    if not each > 0.0:
        raise ValueProblem(
            f"{accelerator.name} takes {each:g} W",
            place=Place(key=f"catalogue.{accelerator.name}.power"),
            right="an accelerator computes on more than 0 W",
        )
    if asked.accelerators is not None:
        return asked.accelerators
    assert asked.it_power is not None
    if asked.it_power < each:
        raise ValueProblem(
            f"{asked.it_power:g} W of IT are less than one {accelerator.name}, which takes {each:g} W",
            place=scenario.place("satellite.it_power"),
            right=f"give at least {each / 1e3:.4g} kW, or choose a smaller accelerator",
        )
    return math.ceil(asked.it_power / each - 1e-9)


def _counts(scenario: Scenario, it_power_each: float) -> list[int]:
    """Return how many satellites each shell has; open shells share what the work still needs."""
    given = [shell.satellites for shell in scenario.orbit.shells]
    fixed = sum(count for count in given if count is not None)
    open_shells = given.count(None)
    if not open_shells:
        return [count or 0 for count in given]
    needed = (scenario.work.it_power or _WORK_WANTED) / it_power_each - fixed
    if needed > _MOST_SATELLITES:
        raise ValueProblem(
            f"{needed:.3g} satellites would be needed",
            place=scenario.place("work.it_power"),
            right="give a satellite more it_power, or ask for less work",
        )
    shares = []
    for shell, count in zip(scenario.orbit.shells, given, strict=True):
        each = max(1, math.ceil(needed / open_shells - 1e-9))
        planes = max(1, shell.planes)
        shares.append(count if count is not None else planes * math.ceil(each / planes))
    if sum(shares) > _MOST_SATELLITES:
        raise ValueProblem(
            f"{sum(shares):,} satellites would be needed, so that each plane has one",
            place=scenario.place("orbit.shells.0.planes"),
            right="choose fewer planes",
        )
    return shares


def _lay_out(shell: Shell, count: int, epoch: float, altitude_place: Place) -> Pattern:
    if shell.pattern == "geostationary":
        return geostationary_ring(count, epoch)
    check_altitude(shell.altitude, place=altitude_place)
    if not shell.pattern.startswith("walker"):
        sun_synchronous_inclination(shell.altitude, place=altitude_place)
    if shell.pattern == "sun_synchronous":
        return sun_synchronous(shell.altitude, shell.local_time, epoch, count, shell.planes)
    if shell.pattern == "cluster":
        inclination = float(sun_synchronous_inclination(shell.altitude))
        raan = float(raan_from_local_time(shell.local_time, epoch))
        return cluster(shell.altitude, inclination, count, shell.spacing, raan=raan)
    assert shell.inclination is not None
    walker = walker_delta if shell.pattern == "walker_delta" else walker_star
    return walker(shell.altitude, shell.inclination, count, shell.planes, shell.phasing)


def _year(elements: MeanElements, epoch: float, samples: int) -> LightYear:
    altitude = elements.semi_major_axis - EARTH_RADIUS
    return year_of_light(altitude, elements.inclination, elements.raan, epoch, samples=samples)


def _years_of_planes(pattern: Pattern, epoch: float) -> LightYear:
    """Return the year of light of the pattern's planes together; of some of them where they are many."""
    _, firsts = np.unique(pattern.plane, return_index=True)
    nodes = np.unique(np.round(pattern.elements.raan[firsts], 9), return_index=True)[1]
    chosen = firsts[nodes[np.linspace(0, len(nodes) - 1, min(_SAMPLED_ORBITS, len(nodes))).astype(int)]]
    samples = _SEASON_DAYS if len(chosen) == 1 else _SEASON_DAYS // 2
    return _year(pattern.elements[int(chosen[0]) if len(chosen) == 1 else chosen], epoch, samples)


def _irradiation(
    scenario: Scenario, radiation: Radiation, device: Device, elements: MeanElements, bus: Part
) -> Irradiation:
    """Return what radiation does on the median of `elements`."""
    altitude = float(np.median(elements.semi_major_axis)) - EARTH_RADIUS
    inclination = float(np.median(elements.inclination))
    least = bus("shielding", "g/cm**2")
    return irradiation_on(scenario, radiation, device, altitude, inclination, least)


def _real_fleet(scenario: Scenario, catalogue: Catalogue, parts: dict[str, Part], accelerators: int) -> Fleet:
    """Put the scenario's satellite, sized for all of them together, on every orbit of a file of element sets.

    Without an epoch in the scenario, it is that of the newest set: element sets age by kilometres a day.
    """
    source = str(scenario.orbit.elements)
    place = scenario.place("orbit.elements")
    try:
        sets = parse_element_sets(read_text(Path(source)), source)
        if "epoch" not in scenario.model_fields_set:
            newest = datetime.fromtimestamp((float(sets.epochs.max()) - _UNIX_EPOCH) * DAY, tz=UTC)
            scenario = scenario.model_copy(update={"epoch": newest.replace(microsecond=0)})
        epoch = julian_date(scenario.epoch)
        # The file's whole path, so that the resolved scenario runs from anywhere.
        whole_path = scenario.orbit.model_copy(update={"elements": str(Path(source).resolve())})
        scenario = scenario.model_copy(update={"orbit": whole_path})
        sgp4 = scenario.orbit.propagation == "sgp4"
        sets = sets.flyable(epoch, scenario.flight_duration if sgp4 else DAY)
        if not sgp4:
            sets = sets.nearly_circular()
        sets = sets.above(_KEPT_ON_STATION, epoch)
    except SkyhallError as error:
        if error.place.file is None:
            error.place = Place(source, place.key)
        raise
    elements = sets.mean_elements(epoch)
    middle = float(np.median(elements.semi_major_axis)) - EARTH_RADIUS
    sampled = np.argsort(elements.raan)[np.linspace(0, len(elements) - 1, _SAMPLED_ORBITS).astype(int)]
    year = _year(elements[sampled], epoch, _SEASON_DAYS // 3)
    one_design = np.zeros(len(elements), dtype=np.int64)
    radiation, device = radiation_of(scenario), device_of(scenario, catalogue)
    suffered = _irradiation(scenario, radiation, device, elements, parts["bus"])
    at_middle = _at_altitude(year, middle)
    inputs = sizing_inputs(scenario, catalogue, parts, accelerators, at_middle, suffered.shield_g_cm2)
    # One design for all: propellant for the mean air over the satellites, thrust for all but the lowest tenth.
    heights = elements.semi_major_axis - EARTH_RADIUS
    inputs = replace(
        inputs,
        air_density=air_density(scenario, catalogue, heights).mean(),
        air_density_high=np.quantile(air_density(scenario, catalogue, heights, high=True), 0.9),
    )
    sized = _at(scenario, "satellite", partial(size, inputs))
    return Fleet(
        scenario=scenario,
        catalogue=catalogue,
        epoch_julian_date=epoch,
        elements=elements,
        plane=np.zeros(len(elements), dtype=np.int64),
        slot=np.arange(len(elements)),
        design_index=one_design,
        designs=(to_design(sized, (), f"on {len(elements)} real orbits"),),
        sized=(sized,),
        light=(year,),
        irradiation=(suffered,),
        upsets=upset_field(radiation, device, elements, one_design, [suffered.shield_g_cm2]),
        sets=sets if sgp4 else None,
        fit_error_km=None if sgp4 else float(np.median(sets[_some(len(sets))].fit_error_km(epoch))),
        dropped=tuple(str(item) for item in sets.dropped),
    )


def _some(count: int) -> list[int]:
    return sorted({round(index) for index in np.linspace(0, count - 1, 200)})


def _at_altitude(year: LightYear, altitude: float) -> LightYear:
    return replace(year, altitude=np.array(altitude))


def _joined(pieces: list[MeanElements]) -> MeanElements:
    names = [each.name for each in fields(MeanElements)]
    return MeanElements(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))


def _shell_name(shell: Shell) -> str:
    if shell.pattern == "geostationary":
        return "geostationary"
    where = f"{shell.altitude / 1e3:g} km"
    if shell.inclination is not None:
        return f"{where}, {math.degrees(shell.inclination):g}°"
    return f"{where}, {int(shell.local_time // HOUR):02d}:{int(shell.local_time % HOUR // 60):02d}"


def _at(scenario: Scenario, key: str, make: Callable[[], T]) -> T:
    """Call `make`; an error that does not know its place gets that of `key`."""
    try:
        return make()
    except SkyhallError as error:
        if error.place == Place():
            error.place = scenario.place(key)
        raise
