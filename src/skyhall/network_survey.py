"""What a fleet's network is worth over a day: mesh, bisection beside the ground, handover, and what comes down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from skyhall.constants import DAY
from skyhall.fleet import Fleet
from skyhall.fleet_contacts import ContactTable, contact_table
from skyhall.fleet_network import FleetMesh, LinkTable, fleet_mesh, terminals_of
from skyhall.ground_segment import GroundSegment, ground_segment
from skyhall.network.bisection import Bisection, all_reduce_time, bisection, clos_bisection
from skyhall.network.service import Data, Service, serve
from skyhall.network.weather import draw_sky

__all__ = ["GroundSurvey", "MeshSurvey", "NetworkSurvey", "survey"]

GRADIENTS = 140e9  # bytes: of 70 billion weights in bfloat16, as of the larger open models
SAMPLE = 64  # satellites whose contacts are computed, spread evenly over the fleet
_TRACK = 33  # moments of a contact at which its rate is looked at
_STEP = 30.0  # s, in which no antenna changes its satellite
_MOMENTS = 12  # of the day at which the mesh is looked at
_LARGE = 100_000  # satellites, above which it is looked at twice


@dataclass(frozen=True, slots=True, eq=False)
class MeshSurvey:
    """The laser links between satellites, over a day.

    Attributes
    ----------
    now : the links at the first moment. moments : at how many they were looked at.
    stands : mean share of the links that stand.
    shortest, longest, mean_length : m. mean_rate : of a link that stands, bit/s.
    connected : share of the satellites in the largest part that is linked, the least of all moments.
    narrowest : the bisection at its least, bit/s one way.
    clos : bisection of a Clos network on the ground with as many accelerators, bit/s one way.
    memory_bits : of all accelerators of a satellite. handover_s : to move it to a linked neighbour, acquisition not
        counted; of the most common design.
    all_reduce_s, ground_all_reduce_s : least time to sum `GRADIENTS` over all satellites, and over as many machines on
        the ground.
    """

    now: LinkTable
    moments: int
    stands: float
    shortest: float
    longest: float
    mean_length: float
    mean_rate: float
    connected: float
    narrowest: Bisection
    clos: float
    memory_bits: float
    handover_s: float
    all_reduce_s: float
    ground_all_reduce_s: float

    @property
    def of_clos(self) -> float:
        """Bisection over that of the ground."""
        return self.narrowest.capacity / self.clos


@dataclass(frozen=True, slots=True, eq=False)
class GroundSurvey:
    """Contacts with the ground over a day, of at most `SAMPLE` satellites that share its stations.

    Attributes
    ----------
    table : their contacts. drawn : what the stations brought down under one draw of the weather.
    satellites : of the fleet that can look down. sampled : whose contacts these are.
    fleet_bits : that came down in the day; of a fleet larger than the sample what the stations can take, which is all
        that it gets where they are busy.
    alone_bits : a day of a satellite that has the stations for itself, mean over weather and satellites.
    """

    table: ContactTable
    drawn: Service
    satellites: int
    sampled: int
    fleet_bits: float
    alone_bits: float

    @property
    def ground(self) -> GroundSegment:
        """The sites."""
        return self.table.ground

    @property
    def contact_s(self) -> float:
        """Time a day in which a satellite has a site in its sky (two sites at once count twice), s."""
        return float(self.table.passes.duration.sum()) / self.sampled

    @property
    def busy(self) -> float:
        """Share of the time with a satellite in the sky that the antennas worked; clouds take the rest."""
        antennas, length = self.ground.antennas, self.table.stop - self.table.start
        open_for = np.array([_covered(self.table, site) for site in range(len(self.ground))]) @ antennas
        return float(self.drawn.busy @ antennas * length / open_for) if open_for > 0.0 else 0.0

    @property
    def waiting_share(self) -> float:
        """Share of what arrived that waits at the end of the day; 0 where nothing was said to arrive."""
        arrived = float(self.drawn.arrived.sum())
        return float(self.drawn.waiting.sum()) / arrived if 0.0 < arrived < np.inf else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class NetworkSurvey:
    """The network over a day; None for what a fleet does not have, with a sentence that says why."""

    mesh: MeshSurvey | None
    ground: GroundSurvey | None
    no_mesh: str = ""
    no_ground: str = ""


def survey(fleet: Fleet, *, start: float = 0.0, rng: np.random.Generator | None = None) -> NetworkSurvey:
    """Return what the network is worth over the day from `start` on (s after the epoch).

    Parameters
    ----------
    rng : draws the weather; left out: seeded by the scenario.

    Raises
    ------
    ValueProblem : a mesh, site or downlink that the scenario cannot have.
    """
    links = fleet_mesh(fleet)
    mesh, no_mesh = _mesh_or_why(fleet, links, start)
    down = np.flatnonzero(links.looks_down)
    if not len(down):
        return NetworkSurvey(mesh, None, no_mesh, _why_no_ground(fleet))
    generator = np.random.default_rng(fleet.scenario.seed) if rng is None else rng
    return NetworkSurvey(mesh, _ground(fleet, down, start, mesh is not None, generator), no_mesh)


def _mesh_or_why(fleet: Fleet, links: FleetMesh, start: float) -> tuple[MeshSurvey | None, str]:
    """Return the mesh, or why there is none; one that was asked for by name and that never stands is an error."""
    if not len(links.lasting):
        return None, _why_no_mesh(fleet, links)
    moments = _MOMENTS if len(fleet) <= _LARGE else 2
    tables = [links.links(start + index * DAY / moments) for index in range(moments)]
    if any(table.stands.any() for table in tables):
        return _mesh(fleet, tables), ""
    problem = links.nothing_stands(tables[0])
    if fleet.scenario.network.mesh is not None:
        raise problem
    return None, problem.what


def _mesh(fleet: Fleet, tables: list[LinkTable]) -> MeshSurvey:
    moments = len(tables)
    standing = np.concatenate([table.rate[table.stands] for table in tables])
    length = np.concatenate([table.length for table in tables])
    first = tables[0]
    cuts = [
        _cut(fleet, table) for table in ((first,) if len(fleet) > _LARGE else (first, tables[moments // 2]))
    ]
    narrowest = min(cuts, key=lambda cut: cut.capacity)
    fabric = fleet.catalogue.part("accelerators", fleet.scenario.satellite.accelerator)(
        "fabric_rate", "bit/s"
    )
    common = int(np.argmax(fleet.counts))
    each = fleet.irradiation[common].device.bits
    accelerators = fleet.designs[common].accelerators
    mean_rate = float(standing.mean()) if len(standing) else 0.0
    own = np.bincount(first.edges.ravel(), np.repeat(first.rate, 2), minlength=len(fleet))
    clos = float(clos_bisection(fleet.accelerators, fabric))
    return MeshSurvey(
        now=first,
        moments=moments,
        stands=float(np.mean([table.stands.mean() for table in tables])),
        shortest=float(length.min()),
        longest=float(length.max()),
        mean_length=float(length.mean()),
        mean_rate=mean_rate,
        connected=min(_largest_part(fleet, table) for table in tables),
        narrowest=narrowest,
        clos=clos,
        memory_bits=each * accelerators,
        handover_s=each * accelerators / mean_rate if mean_rate > 0.0 else float("inf"),
        all_reduce_s=all_reduce_time(GRADIENTS, len(fleet), float(own.min()), narrowest.capacity),
        ground_all_reduce_s=all_reduce_time(
            GRADIENTS, len(fleet), fleet.accelerators / len(fleet) * fabric, clos
        ),
    )


def _cut(fleet: Fleet, table: LinkTable) -> Bisection:
    return bisection(
        len(fleet),
        table.edges,
        table.rate,
        plane=fleet.design_index * (fleet.plane.max() + 1) + fleet.plane,
        slot=fleet.slot,
        position=fleet.positions(np.array([table.seconds]))[:, 0] if len(fleet) <= _LARGE else None,
    )


def _largest_part(fleet: Fleet, table: LinkTable) -> float:
    """Return the share of the satellites in the largest part of the fleet that is linked."""
    tail, head = table.edges[table.stands].T
    graph = csr_array((np.ones(len(tail)), (tail, head)), shape=(len(fleet), len(fleet)))
    _, part = connected_components(graph, directed=False)
    return float(np.bincount(part).max()) / len(fleet)


def _ground(
    fleet: Fleet, down: npt.NDArray[np.int64], start: float, meshed: bool, rng: np.random.Generator
) -> GroundSurvey:
    ground = ground_segment(fleet.scenario, fleet.catalogue)
    chosen = down[np.unique(np.linspace(0, len(down) - 1, min(SAMPLE, len(down))).round().astype(np.int64))]
    stop = start + DAY
    table = contact_table(fleet, ground, start, stop, chosen, moments=_TRACK)
    results = fleet.scenario.network.results
    data = None
    if results is not None:
        # The sample brings down what the whole fleet makes, as its stations are those of the whole fleet.
        makers = len(fleet) if meshed else len(down)
        data = Data(results * makers / len(chosen), pooled=meshed)
    drawn = serve(
        table.passes,
        table.volume,
        data,
        satellites=len(chosen),
        antennas=ground.antennas,
        start=start,
        stop=stop,
        acquisition_time=ground.acquisition_time,
        sky=None if ground.weather is None else draw_sky(ground.weather, start, stop, rng).clear,
        step=_STEP,
    )
    return GroundSurvey(
        table=table,
        drawn=drawn,
        satellites=len(down),
        sampled=len(chosen),
        fleet_bits=float(drawn.delivered.sum()),
        alone_bits=float(table.expected.sum()) / len(chosen),
    )


def _covered(table: ContactTable, site: int) -> float:
    """Return for how long a site has at least one satellite in its sky, s."""
    own = table.passes[table.passes.site == site]
    order = np.argsort(own.rise)
    rise, last = own.rise[order], np.maximum.accumulate(own.set[order])
    begun = np.maximum(rise, np.concatenate([rise[:1], last[:-1]]))
    return float(np.maximum(last - begun, 0.0).sum())


def _why_no_mesh(fleet: Fleet, links: FleetMesh) -> str:
    if fleet.scenario.network.mesh == "none":
        return "the scenario wants none"
    if fleet.scenario.orbit.elements is not None:
        return "real element sets have no pattern of neighbours"
    if links.terminal is None or not terminals_of(fleet):
        return "the satellites have no laser terminals"
    return "no satellite has a neighbour"


def _why_no_ground(fleet: Fleet) -> str:
    if fleet.scenario.satellite.terminals == 0:
        return "the satellites have no terminal; network.downlink gives them one for the ground"
    return "the mesh takes every terminal; network.downlink gives the satellites one more for the ground"
