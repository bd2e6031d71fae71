"""The figures of a design: mass budget, power budget, and its mass beside that of published satellites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from skyhall.catalogue import Part
from skyhall.chain import Assessment
from skyhall.report.bars import Bar, Piece, bars
from skyhall.report.formats import NOTHING, number, percent, power
from skyhall.satellite.design import SatelliteDesign
from skyhall.satellite.sized import SizedSatellite

__all__ = ["mass_budget", "power_budget", "specific_mass"]

_COLOURS = {
    "payload": "blue",
    "array": "orange",
    "battery": "green",
    "radiator": "vermillion",
    "heat_transport": "vermillion",
}


def mass_budget(design: SatelliteDesign) -> str:
    """Return the figure of a satellite's launch mass by subsystem, the heaviest first."""
    masses = {**design.masses, "propellant": design.propellant}
    total = design.mass
    rows = []
    for name, kilograms in sorted(masses.items(), key=lambda item: -item[1]):
        if kilograms <= 0:
            continue
        text = f"{number(kilograms)} kg · {percent(kilograms / total, 2)}"
        title = name.replace("_", " ")
        piece = Piece(0.0, kilograms, _COLOURS.get(name, "grey"), f"{title}: {text}")
        rows.append(Bar(title, (piece,), text))
    legend = [
        ("compute", "blue"),
        ("power", "orange"),
        ("storage", "green"),
        ("heat", "vermillion"),
        ("rest", "grey"),
    ]
    return bars(rows, "mass (kg)", "Mass budget by subsystem", legend=legend)


def power_budget(design: SatelliteDesign, sized: SizedSatellite) -> str:
    """Return the figure of where the power goes, and of what the array must give for it."""
    inputs = sized.inputs
    size, unit = (
        (1e6, "MW") if design.bus_power >= 1e6 else (1e3, "kW") if design.bus_power >= 1e3 else (1.0, "W")
    )

    def row(name: str, watts: float, colour: str, *, strong: bool = False) -> Bar:
        text = f"{power(watts)} · {percent(watts / design.bus_power, 2)}"
        return Bar(name, (Piece(0.0, watts / size, colour, f"{name}: {text}"),), text, strong=strong)

    terminals = float(np.ravel(inputs.terminals * inputs.terminal_power + inputs.downlink_power)[0])
    avionics, thruster = float(np.ravel(inputs.avionics_power)[0]), float(sized.thruster_power)
    loads = [
        row("IT at full work", design.it_power, "blue"),
        row("conversion and pumps", design.overhead_per_it * design.it_power, "vermillion"),
        row("avionics", avionics, "grey"),
        row("terminals", terminals, "grey"),
        row("thruster", thruster, "grey"),
    ]
    rows = [
        Bar("Load in the light"),
        *(each for each in loads if each.pieces[0].stop * size > NOTHING),
        row("bus", design.bus_power, "sky", strong=True),
        Bar("Load in the dark"),
        row("bus by night", float(sized.night_power), "sky"),
        Bar("Solar array"),
        row("begin of life, 1,361 W/m²", float(sized.array_power_begin), "orange"),
        row("end of life, worst day", float(sized.array_power_end), "orange"),
    ]
    return bars(rows, f"power ({unit}); share of the bus load", "Power budget")


def specific_mass(assessment: Assessment) -> str:
    """Return the figure of launch mass per kW beside published satellites, each per the kW that it is published for."""
    fleet = assessment.fleet
    array = float(np.dot(fleet.counts, [float(each.array_power_begin) for each in fleet.sized]))
    rows = [
        Bar("Per kW of solar array, begin of life"),
        _ours(fleet.mass / array * 1e3),
        *_published(fleet.catalogue, "array"),
        Bar("Per kW of IT, average"),
        _ours(fleet.mass / fleet.it_power * 1e3),
        *_published(fleet.catalogue, "IT"),
    ]
    return bars(rows, "launch mass per power (kg/kW)", "Mass per kW beside published satellites")


def _ours(kg_per_kw: float) -> Bar:
    text = f"{number(kg_per_kw)} kg/kW"
    return Bar("this design", (Piece(0.0, kg_per_kw, "blue", f"this design: {text}"),), text, strong=True)


def _published(catalogue: Iterable[Part], basis: str) -> Iterator[Bar]:
    for part in catalogue:
        if part.kind != "satellites" or "power" not in part.facts:
            continue
        note = part.fact("power").note
        if ("array" in note) != (basis == "array"):
            continue
        if "specific_power" in part.facts:
            value = 1e3 / part("specific_power", "W/kg")
            ends = None
        elif "mass" in part.facts:
            value = part("mass", "kg") / part("power", "kW")
            (light, heavy), (weak, strong) = part.bounds("mass", "kg"), part.bounds("power", "kW")
            ends = (light / strong, heavy / weak)
        else:
            continue
        text = f"{number(value)} kg/kW"
        told = f"{part.title}: {text}" + (f", {number(ends[0])} to {number(ends[1])}" if ends else "")
        yield Bar(part.title.split(" as ")[0], (Piece(0.0, value, "grey", told),), text, range=ends)
