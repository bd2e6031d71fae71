"""Limits: by how much a claimed satellite does not close, and on which line of its mass budget.

A claim is a launch mass for the work of a sized satellite. What it leaves out: that a different technology changes
other lines too (a lighter array is also smaller or hotter); size again with it to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skyhall.satellite.sized import SizedSatellite

__all__ = ["Gap", "explain_gap"]

_SCALED = (
    "structure",
    "attitude_control",
    "margin",
)  # follow the other lines; no claim can save on them alone


@dataclass(frozen=True, slots=True)
class Gap:
    """A claimed launch mass beside the sized one, for the same work."""

    it_power: float  # W
    claimed_mass: float  # kg
    sized_mass: float  # kg
    lines: Mapping[str, float]  # kg, as sized, propellant included
    line: str  # the heaviest line that is not a share of the others
    growth: float  # kg of launch mass per kg of that line
    floor: float  # kg: that line at its bare minimum, see `explain_gap`

    @property
    def missing(self) -> float:
        """What the claim lacks, kg; negative when it closes with mass to spare."""
        return self.sized_mass - self.claimed_mass

    @property
    def closes(self) -> bool:
        """Whether the claimed mass is enough."""
        return self.missing <= 0.0

    @property
    def room(self) -> float:
        """What the claim leaves for the line when all others stay as sized, kg; negative: not even nothing fits."""
        return self.lines[self.line] - self.missing / self.growth

    @property
    def sentence(self) -> str:
        """The gap in words."""
        kilowatts = self.it_power / 1e3
        claimed, sized = self.claimed_mass / kilowatts, self.sized_mass / kilowatts
        head = f"{claimed:.1f} kg/kW claimed, {sized:.1f} kg/kW sized"
        if self.closes:
            return f"{head}: it closes with {-self.missing:.0f} kg to spare"
        name = self.line.replace("_", " ")
        tail = (
            f"{head}: {self.missing:.0f} kg too little; heaviest line: {name}, {self.lines[self.line]:.0f} kg"
        )
        if self.floor > 0.0:
            tail += (
                f", of which {self.floor / kilowatts:.1f} kg/kW even without conversion loss, ageing and night, "
                f"leaving {claimed - self.floor / kilowatts:.1f} kg/kW for all else"
            )
        if self.room <= 0.0:
            return f"{tail}; without that line it would still be {-self.room * self.growth:.0f} kg too heavy"
        return f"{tail}; it closes when that line shrinks to {self.room:.0f} kg"


def explain_gap(sized: SizedSatellite, claimed_mass: float, index: tuple[int, ...] = ()) -> Gap:
    """Return by how much a launch mass of `claimed_mass` falls short of the satellite sized for the same work.

    Parameters
    ----------
    sized : what `sizing.size` returned for the work and the technology that the claim may use.
    claimed_mass : kg at launch.
    index : place in the arrays of `sized`; empty for a single design.

    Notes
    -----
    A kilogram on a line costs more at launch, by the growth of structure, margin and propellant
    (`masses.close_mass`). The floor of the line "array" is IT power over specific power: an array that never ages,
    never sees night and loses nothing; 0 for other lines.
    """
    asked = np.asarray(sized.inputs.array_specific_power, dtype=float)
    specific_power = float(np.broadcast_to(asked, sized.mass.shape)[index])
    lines = {name: float(mass[index]) for name, mass in sized.masses.items()}
    lines["propellant"] = float(sized.propellant[index])
    line = max((name for name in lines if name not in _SCALED), key=lambda name: lines[name])
    it_power = float(sized.it_power[index])
    return Gap(
        it_power=it_power,
        claimed_mass=float(claimed_mass),
        sized_mass=float(sized.mass[index]),
        lines=lines,
        line=line,
        growth=float(sized.mass_growth[index]),
        floor=it_power / specific_power if line == "array" else 0.0,
    )
