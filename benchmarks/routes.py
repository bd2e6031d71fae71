"""One step of routes between ground stations over a moving mesh, beside the same step done the Hypatia way.

    python benchmarks/routes.py [--rounds N] [--json]

A step takes the satellites' positions, which links stand and how long they are, which stations see which satellites,
and gives the shortest delay between all pairs of stations. Hypatia (Kassing et al. 2020) builds a networkx graph, runs
its Floyd and Warshall over all satellites, and takes the best pair of visible satellites for each pair of stations;
that is written anew here, with arrays for the pairs, which Hypatia takes one by one. Both answers must agree.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from _rounds import described, machine
from skyhall.catalogue import load_catalogue
from skyhall.constants import SPEED_OF_LIGHT
from skyhall.network.ground_site import on_the_ground
from skyhall.network.mesh import Mesh, open_links, plus_grid
from skyhall.network.routes import Router
from skyhall.network.station_links import StationLinks, station_links
from skyhall.orbit import MeanElements, circular_position, greenwich_angle, walker_delta

PACKAGES = ("skyhall", "numpy", "scipy", "networkx")
TARGETS = {"ratio": 300.0, "large_step_s": 1.0}
EPOCH = 2461119.5  # 2026-03-20
MASK = np.radians(25.0)  # Starlink's, FCC filing SAT-MOD-20181108-00083
STEP = 60.0  # s


@dataclass(frozen=True)
class Shell:
    """A Walker shell with its mesh, and stations at the most populous cities."""

    elements: MeanElements
    mesh: Mesh
    router: Router
    latitude: np.ndarray[Any, Any]
    longitude: np.ndarray[Any, Any]

    def at(self, seconds: float) -> tuple[np.ndarray[Any, Any], StationLinks]:
        """Return positions, and who sees whom."""
        position = circular_position(self.elements, seconds)
        turned = greenwich_angle(EPOCH + seconds / 86400.0)
        ground, zenith = on_the_ground(self.latitude, self.longitude, turned)
        return position, station_links(ground, zenith, position, mask=MASK)


def shell(planes: int, slots: int, phasing: int, stations: int) -> Shell:
    """Return the shell at 550 km and 53 degrees, with so many of the most populous cities."""
    pattern = walker_delta(550e3, np.radians(53.0), planes * slots, planes, phasing)
    mesh = plus_grid(pattern.plane, pattern.slot, phasing=phasing)
    cities = [part for part in load_catalogue() if part.kind == "cities"][:stations]
    places = np.array([[city("latitude", "rad"), city("longitude", "rad")] for city in cities])
    return Shell(pattern.elements, mesh, Router(len(pattern.plane), mesh.edges), *places.T)


def skyhall_step(asked: Shell, seconds: float) -> np.ndarray[Any, Any]:
    """Return the one-way delay between all pairs of stations, s."""
    position, links = asked.at(seconds)
    states = open_links(asked.mesh.edges, position)
    asked.router.weigh(states.delay, states.open)
    return asked.router.between_stations(links, paths=False).distance


def hypatia_step(asked: Shell, seconds: float) -> np.ndarray[Any, Any]:
    """Return the same by networkx's Floyd and Warshall over all satellites."""
    import networkx

    position, links = asked.at(seconds)
    states = open_links(asked.mesh.edges, position)
    graph = networkx.Graph()
    graph.add_nodes_from(range(asked.mesh.satellites))
    for (here, there), delay, stands in zip(
        asked.mesh.edges.tolist(), states.delay.tolist(), states.open.tolist(), strict=True
    ):
        if stands:
            graph.add_edge(here, there, weight=delay)
    between = networkx.floyd_warshall_numpy(graph)
    seen = [slice(begin, end) for begin, end in zip(links.starts[:-1], links.starts[1:], strict=True)]
    delays = np.full((len(seen), len(seen)), np.inf)
    np.fill_diagonal(delays, 0.0)
    for source, up in enumerate(seen):
        for target in range(source):
            down = seen[target]
            routes = (
                between[np.ix_(links.satellite[up], links.satellite[down])]
                + links.length[up, None] / SPEED_OF_LIGHT
                + links.length[down] / SPEED_OF_LIGHT
            )
            delays[source, target] = delays[target, source] = routes.min(initial=np.inf)
    return delays


def seconds_of(step: Any, asked: Shell, moment: float) -> tuple[float, np.ndarray[Any, Any]]:
    began = time.perf_counter()
    found = step(asked, moment)
    return time.perf_counter() - began, found


def measured(rounds: int) -> dict[str, Any]:
    """Return the medians of steps in turns, on the same moments, and how far the answers are apart."""
    asked, large = shell(72, 22, 39, 100), shell(100, 100, 51, 100)
    ours, theirs, larges, apart = [], [], [], 0.0
    for each in (asked, large):
        skyhall_step(each, 0.0)  # warm
    for index in range(rounds):
        moment = STEP * (index + 1)
        taken, delays = seconds_of(skyhall_step, asked, moment)
        ours.append(taken)
        spent, expected = seconds_of(hypatia_step, asked, moment)
        theirs.append(spent)
        ours += [seconds_of(skyhall_step, asked, moment)[0] for _ in range(2)]
        larges.append(seconds_of(skyhall_step, large, moment)[0])
        both = np.isfinite(expected) & np.isfinite(delays)
        if not np.array_equal(np.isfinite(expected), np.isfinite(delays)):
            raise SystemExit("the two ways do not agree on which stations can be reached")
        apart = max(apart, float(np.abs(expected - delays)[both].max()))
    if apart > 1e-12:
        raise SystemExit(f"the two ways differ by {apart:.3g} s")
    return {
        "step_s": statistics.median(ours),
        "step_s_of_runs": ours,
        "hypatia_way_s": statistics.median(theirs),
        "hypatia_way_s_of_runs": theirs,
        "ratio": statistics.median(theirs) / statistics.median(ours),
        "satellites": asked.mesh.satellites,
        "stations": len(asked.latitude),
        "links": len(asked.mesh),
        "differ_s": apart,
        "large_satellites": large.mesh.satellites,
        "large_step_s": statistics.median(larges),
        "large_step_s_of_runs": larges,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="steps, in turns (default 5)")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args()
    facts = machine(PACKAGES)
    document = {"benchmark": "routes", "machine": facts, **measured(asked.rounds), "targets": TARGETS}
    if asked.json:
        print(json.dumps(document, indent=1))
        return
    console = Console(width=118, highlight=False)
    console.print(described(facts), style="dim")
    table = Table(
        title="One step: links, who sees whom, shortest delay between all pairs of stations (median)"
    )
    for name in ("", "satellites", "stations", "seconds", "times faster", "target"):
        table.add_column(name, justify="left" if not name else "right")
    many, stations = f"{document['satellites']:,}", str(document["stations"])
    table.add_row("the Hypatia way (networkx)", many, stations, f"{document['hypatia_way_s']:.3g}")
    ratio = f"{document['ratio']:,.0f} ×"
    table.add_row("Skyhall", many, stations, f"{document['step_s']:.3g}", ratio, f"{TARGETS['ratio']:.0f} ×")
    large = f"{document['large_satellites']:,}"
    table.add_row(
        "Skyhall", large, stations, f"{document['large_step_s']:.3g}", "", f"{TARGETS['large_step_s']:g} s"
    )
    console.print(table)
    console.print(f"the two ways differ by {document['differ_s']:.1e} s at most", style="dim")


if __name__ == "__main__":
    main()
