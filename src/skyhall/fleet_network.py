"""Scenario, fleet and catalogue to the fleet's mesh: who is linked to whom, over which distance, at which rate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from skyhall.catalogue import Part
from skyhall.constants import EARTH_RADIUS, MINUTE, SPEED_OF_LIGHT
from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet
from skyhall.network.mesh import WITHIN_PLANE, Mesh, chords, joined, open_links, plus_grid
from skyhall.network.neighbours import nearest_between, nearest_neighbours
from skyhall.network.optics import TERMINAL_UNITS, OpticalTerminal, link_budget, terminal_from_values
from skyhall.network.sight import longest_chord
from skyhall.orbit.elements import secular_rates
from skyhall.scenario import Shell
from skyhall.types import Array

__all__ = [
    "RECHOSEN",
    "FleetMesh",
    "LinkTable",
    "SlotLinks",
    "fleet_mesh",
    "formation_places",
    "laser_terminal",
    "link_rates",
    "terminals_of",
]

Index = npt.NDArray[np.int64]

RECHOSEN = 5.0 * MINUTE  # how often links between shells look for the nearest satellite again
_HALF_STEP = 0.5  # s, on both sides, for a velocity
_LINKS_AT_ONCE = 1 << 16  # of a budget, so that its arrays stay small


@dataclass(frozen=True, slots=True, eq=False)
class LinkTable:
    """The mesh's links at one moment; arrays of one entry for each link.

    Attributes
    ----------
    seconds : s after the scenario's epoch.
    edges : the two satellites, (links, 2). kind : as `network.mesh` names them.
    stands : whether light passes, the terminals follow and the budget closes.
    length : m. delay : of light one way, s. rate : bit/s, 0 where the link does not stand.
    """

    seconds: float
    edges: Index
    kind: npt.NDArray[np.int8]
    stands: npt.NDArray[np.bool_]
    length: Array
    rate: Array

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def delay(self) -> Array:
        """Of light, one way, s; (links,)."""
        return self.length / SPEED_OF_LIGHT


@dataclass(frozen=True, slots=True, eq=False)
class SlotLinks:
    """What the links carry over a planner slot; arrays of one entry for each link.

    Attributes
    ----------
    start_s : s after the scenario's epoch.
    edges : the two satellites, (links, 2). kind : as `network.mesh` names them.
    rate : mean over the slot, bit/s, acquisitions taken off. stands : share of the slot's moments at which it stands.
    delay : of light, one way, mean, s.
    """

    start_s: float
    edges: Index
    kind: npt.NDArray[np.int8]
    rate: Array
    stands: Array
    delay: Array

    def __len__(self) -> int:
        return len(self.edges)


@dataclass(frozen=True, slots=True, eq=False)
class FleetMesh:
    """The laser links of a fleet.

    Attributes
    ----------
    terminal : at both ends of every link; None where the satellites have no laser.
    lasting : links whose ends stay the same: within shells and formations.
    free : terminals that these leave on each satellite for other shells, (satellites,).
    looks_down : satellites that have a terminal for the ground: one of their own, or one that the mesh leaves free.
    across : whether free ones reach to the nearest satellite of other shells, chosen anew every `RECHOSEN`.
    """

    fleet: Fleet
    terminal: OpticalTerminal | None
    lasting: Mesh
    free: Index
    looks_down: npt.NDArray[np.bool_]
    across: bool

    def links(self, seconds: float) -> LinkTable:
        """Return every link as it is `seconds` after the epoch."""
        before, here, after = (
            self.fleet.positions(np.array([seconds + step]))[:, 0] for step in (-_HALF_STEP, 0.0, _HALF_STEP)
        )
        mesh = self.mesh(seconds)
        if self.terminal is None or not len(mesh):
            nothing = np.zeros(0)
            return LinkTable(seconds, mesh.edges, mesh.kind, nothing.astype(np.bool_), nothing, nothing)
        law = self.fleet.scenario.satellite.attitude
        attitude: Literal["nadir", "stars"] = "nadir" if law == "orbit_normal" else "stars"
        states = open_links(
            mesh.edges,
            here,
            (after - before) / (2.0 * _HALF_STEP),
            grazing=self.fleet.scenario.network.grazing_altitude,
            slew_limit=float(np.asarray(self.terminal.slew_rate)),
            attitude=attitude,
        )
        rate = link_rates(self.terminal, states.length)
        stands = states.open & (rate > 0.0)
        return LinkTable(seconds, mesh.edges, mesh.kind, stands, states.length, np.where(stands, rate, 0.0))

    def mesh(self, seconds: float) -> Mesh:
        """Return who is linked to whom at a moment."""
        if not self.across:
            return self.lasting
        assert self.terminal is not None
        shells, free = self.fleet.design_index, self.free.copy()
        where = self.fleet.positions(np.array([np.floor(seconds / RECHOSEN) * RECHOSEN]))[:, 0]
        reach = float(np.asarray(self.terminal.longest_range))
        # From each shell that has terminals to spare to the next such one in altitude, which is nearest.
        spare = np.unique(shells[free > 0])
        upwards = spare[np.argsort([self.fleet.designs[shell].altitude for shell in spare], kind="stable")]
        meshes = [self.lasting]
        for lower, upper in pairwise(upwards.tolist()):
            ours, theirs = (np.flatnonzero((shells == shell) & (free > 0)) for shell in (lower, upper))
            if len(ours) and len(theirs):
                one_each = np.minimum(free, 1)
                meshes.append(nearest_between(where, ours, theirs, terminals=one_each, longest_range=reach))
                free -= meshes[-1].degree
        return Mesh(
            len(self.fleet),
            np.concatenate([each.edges for each in meshes]),
            np.concatenate([each.kind for each in meshes]),
        )

    def slot(self, start: float, duration: float) -> SlotLinks:
        """Return what each link carries from `start` (s after the epoch) on, in the mean over `duration` (s).

        Looked at every `RECHOSEN`; a link that did not stand before is acquired first.
        """
        count = max(1, round(duration / RECHOSEN))
        each = duration / count
        before, seen = self.links(start - 0.5 * each), []
        for index in range(count):
            now = self.links(start + (index + 0.5) * each)
            seen.append((now, each * now.rate * self._acquired(before, now, each)))
            before = now
        codes = np.concatenate([self._codes(table) for table, _ in seen])
        _, first, which = np.unique(codes, return_index=True, return_inverse=True)
        # In the order in which they were first seen: lasting links stand as they do in the mesh.
        order = np.argsort(first)
        first, which = first[order], np.argsort(order)[which]

        def joined_up(values: list[Array]) -> Array:
            return np.asarray(np.bincount(which, np.concatenate(values), len(first)), dtype=np.float64)

        times = joined_up([np.ones(len(table)) for table, _ in seen])
        return SlotLinks(
            start_s=start,
            edges=np.concatenate([table.edges for table, _ in seen])[first],
            kind=np.concatenate([table.kind for table, _ in seen])[first],
            rate=joined_up([bits for _, bits in seen]) / duration,
            stands=joined_up([table.stands.astype(np.float64) for table, _ in seen]) / count,
            delay=joined_up([table.delay for table, _ in seen]) / times,
        )

    def nothing_stands(self, table: LinkTable) -> ValueProblem:
        """Return the error that says why none of the links of `table` stands."""
        scenario, nearest = self.fleet.scenario, float(table.length.min())
        asked = scenario.network.grazing_altitude
        name = scenario.satellite.terminal
        assert self.terminal is not None
        reach = float(np.asarray(self.terminal.longest_range))
        what = f"none of {len(table):,} laser links stands: "
        if nearest > reach:
            return ValueProblem(
                f"{what}the shortest is {nearest / 1e3:,.4g} km, and {name} reaches {reach / 1e3:,.4g} km",
                place=scenario.place("satellite.terminal"),
                right="choose another terminal, or more satellites",
            )
        return ValueProblem(
            f"{what}their lines pass below {asked / 1e3:,.4g} km, or turn faster than {name} does",
            place=scenario.place("network.grazing_altitude"),
            right="choose more satellites, a lower grazing_altitude, or another terminal",
        )

    def _codes(self, table: LinkTable) -> Index:
        return np.asarray(table.edges.min(axis=1) * len(self.fleet) + table.edges.max(axis=1))

    def _acquired(self, before: LinkTable, now: LinkTable, interval: float) -> Array:
        """Return the share of the interval that acquisition leaves each link."""
        if self.terminal is None:
            return np.zeros(len(now))
        stood = np.isin(self._codes(now), self._codes(before)[before.stands])
        known = np.isin(self._codes(now), self._codes(before))
        time = np.where(known, float(self.terminal.reacquisition_time), float(self.terminal.acquisition_time))
        return np.where(stood, 1.0, np.maximum(0.0, 1.0 - time / interval))


def link_rates(terminal: OpticalTerminal, length: Array) -> Array:
    """Return the rate at which a link between two such terminals closes, bit/s; 0 beyond what the maker says."""
    rate = np.empty(len(length))
    for begin in range(0, len(length), _LINKS_AT_ONCE):
        part = slice(begin, begin + _LINKS_AT_ONCE)
        rate[part] = link_budget(terminal, length[part]).rate_bps
    return np.where(length <= terminal.longest_range, rate, 0.0)


def terminals_of(fleet: Fleet) -> int:
    """Return how many terminals a satellite has for its mesh."""
    asked = fleet.scenario.satellite
    if asked.terminals is not None:
        return asked.terminals
    return round(fleet.catalogue.part("terminals", asked.terminal)("count"))


def laser_terminal(part: Part) -> OpticalTerminal | None:
    """Return the terminal that a catalogue part is, None where it is a radio."""
    if "aperture" not in part.facts:
        return None
    return terminal_from_values({key: part(key, unit) for key, unit in TERMINAL_UNITS.items()})


def fleet_mesh(fleet: Fleet) -> FleetMesh:
    """Return the fleet's mesh: that of the scenario, or the one that fits its pattern and terminals.

    A terminal that the mesh leaves free looks to the ground where the satellite has none for it (`network.downlink`);
    what is left then reaches to other shells.

    Raises
    ------
    ValueProblem : a mesh that satellite, terminals or orbits cannot have.
    """
    scenario = fleet.scenario
    asked, terminals = scenario.network, terminals_of(fleet)
    place = scenario.place("network.mesh")
    part = fleet.catalogue.part(
        "terminals", scenario.satellite.terminal, place=scenario.place("satellite.terminal")
    )
    terminal = laser_terminal(part)
    wanted = asked.mesh
    patterned = scenario.orbit.elements is None
    if wanted in ("grid", "lattice"):
        if terminal is None or terminals == 0:
            raise ValueProblem(
                f"{terminals} × {part.name} make no mesh of laser links",
                place=place,
                right="give satellite.terminal a laser terminal and satellite.terminals 2 or more, or mesh: none",
            )
        if not patterned:
            raise ValueProblem(
                "real element sets have no pattern of neighbours", place=place, right="choose mesh: none"
            )
    if wanted == "none" or terminal is None or terminals == 0 or not patterned:
        free = np.full(len(fleet), terminals)
        return FleetMesh(fleet, terminal, _no_links(len(fleet)), free, _looking_down(fleet, free), False)
    meshes = [
        _shell_mesh(fleet, index, shell, wanted, terminals)
        for index, shell in enumerate(scenario.orbit.shells)
    ]
    lasting = joined(meshes)
    free = terminals - lasting.degree
    looks_down = _looking_down(fleet, free)
    if asked.downlink is None:
        free = free - looks_down
    across = asked.cross_shell and len(scenario.orbit.shells) > 1 and bool(free.any())
    return FleetMesh(fleet, terminal, lasting, free, looks_down, across)


def _no_links(satellites: int) -> Mesh:
    return Mesh(satellites, np.zeros((0, 2), np.int64), np.zeros(0, np.int8))


def _looking_down(fleet: Fleet, free: Index) -> npt.NDArray[np.bool_]:
    """Return which satellites have a terminal for the ground."""
    return np.ones(len(fleet), np.bool_) if fleet.scenario.network.downlink is not None else free > 0


def _shell_mesh(fleet: Fleet, index: int, shell: Shell, wanted: str | None, terminals: int) -> Mesh:
    own = fleet.design_index == index
    count = int(own.sum())
    if count == 1:
        if wanted is not None:
            raise ValueProblem(
                "a shell with one satellite has no mesh",
                place=fleet.scenario.place("network.mesh"),
                right="give the shell two satellites or more, or choose mesh: none",
            )
        return _no_links(1)
    if wanted == "lattice" or (wanted is None and shell.pattern == "cluster"):
        if shell.pattern != "cluster":
            raise ValueProblem(
                f"a {shell.pattern} shell is no formation",
                place=fleet.scenario.place("network.mesh"),
                right="choose mesh: grid, or the pattern cluster",
            )
        # In (along the track, twice the radius) the lattice is square at every moment.
        places = np.column_stack([formation_places(fleet, own), np.zeros(count)])
        return nearest_neighbours(places, terminals=terminals, step=shell.spacing)
    grid = plus_grid(
        fleet.plane[own],
        fleet.slot[own],
        terminals=terminals,
        phasing=shell.phasing if shell.pattern.startswith("walker") else 0,
        seam=shell.pattern != "walker_star",
    )
    return _spanned(fleet, index, grid, terminals) if shell.planes == 1 else grid


def _spanned(fleet: Fleet, index: int, ring: Mesh, terminals: int) -> Mesh:
    """Return a ring with chords, from terminals that neither it, other shells nor the ground need."""
    asked = fleet.scenario.network
    several = asked.cross_shell and len(fleet.scenario.orbit.shells) > 1
    spare = terminals - 2 - (asked.downlink is None) - several
    part = fleet.catalogue.part("terminals", fleet.scenario.satellite.terminal)
    altitude, count = fleet.designs[index].altitude, ring.satellites
    reach = min(part("longest_range", "m"), float(longest_chord(altitude, altitude, asked.grazing_altitude)))
    turn = 2.0 * np.arcsin(min(1.0, 0.5 * reach / (EARTH_RADIUS + altitude)))
    farthest = int(turn / (2.0 * np.pi) * count * (1.0 - 1e-9))
    each = min(spare, 2)
    step = min(farthest, (count - 1) // 2, round(np.sqrt(2.0 * count / max(each, 1))))
    if each < 1 or step < 3:
        return ring
    # Slots of one plane stand in their order.
    spans = chords(np.arange(count), step, each=each)
    return Mesh(
        count,
        np.concatenate([ring.edges, spans]),
        np.concatenate([ring.kind, np.full(len(spans), WITHIN_PLANE, np.int8)]),
    )


def formation_places(fleet: Fleet, own: npt.NDArray[np.bool_], seconds: float = 0.0) -> Array:
    """Return where a formation's satellites stand along the track and along twice the radius, m, (satellites, 2)."""
    elements = fleet.elements[own]
    _, _, rate = secular_rates(elements.semi_major_axis, elements.eccentricity, elements.inclination)
    anomaly = elements.mean_anomaly + rate * seconds
    size = 2.0 * elements.eccentricity * elements.semi_major_axis
    return np.stack([size * np.sin(anomaly), -size * np.cos(anomaly)], axis=-1)
