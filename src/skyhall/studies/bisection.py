"""What the halves of a fleet can say to each other, beside the same accelerators on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skyhall.errors import ValueProblem
from skyhall.fleet import Fleet
from skyhall.fleet_network import fleet_mesh, fleet_positions
from skyhall.network.bisection import all_reduce_time, bisection, clos_bisection

__all__ = ["FleetBisection", "bisection_of"]


@dataclass(frozen=True, slots=True)
class FleetBisection:
    """Bisection bandwidth one way, of the fleet's mesh at one moment and of a Clos network of its accelerators.

    Attributes
    ----------
    orbit_bps : across the narrowest cut that was found: an upper bound. links : that cross it. cut : how it was found.
    ground_bps : half of the accelerators at the rate of their network cards.
    all_reduce_bytes : of data on each satellite, or on as many accelerators on the ground, that are summed over all.
    orbit_all_reduce_s, ground_all_reduce_s : the least time that this takes.
    """

    satellites: int
    accelerators: int
    orbit_bps: float
    links: int
    cut: str
    ground_bps: float
    all_reduce_bytes: float
    orbit_all_reduce_s: float
    ground_all_reduce_s: float

    @property
    def ratio(self) -> float:
        """Orbit over ground."""
        return self.orbit_bps / self.ground_bps


def bisection_of(fleet: Fleet, *, seconds: float = 0.0, all_reduce_bytes: float = 140e9) -> FleetBisection:
    """Return the bisection of the fleet's mesh, `seconds` after the epoch, beside the ground.

    Parameters
    ----------
    all_reduce_bytes : as 70 billion parameters in bfloat16, by default.

    Raises
    ------
    ValueProblem : one satellite.
    """
    if len(fleet) < 2:
        raise ValueProblem(
            "a shell with one satellite has no mesh",
            place=fleet.scenario.place("orbit.shells.0.satellites"),
            right="choose a scenario of several satellites, such as starlink-shell-53",
        )
    links = fleet_mesh(fleet).links(seconds)
    # Cuts along planes and slots run through every shell at once.
    order = np.lexsort((fleet.plane, fleet.design_index))
    _, plane = np.unique(
        fleet.design_index[order] * (fleet.plane.max() + 1) + fleet.plane[order], return_inverse=True
    )
    planes = np.empty_like(fleet.plane)
    planes[order] = plane
    found = bisection(
        len(fleet),
        links.edges,
        links.rate,
        plane=planes,
        slot=fleet.slot,
        position=fleet_positions(fleet, np.array([seconds]))[:, 0],
    )
    part = fleet.catalogue.part("accelerators", fleet.scenario.satellite.accelerator)
    card = part("fabric_rate", "bit/s")
    own = np.bincount(links.edges.ravel(), np.repeat(links.rate, 2), minlength=len(fleet))
    each = fleet.accelerators / len(fleet)
    ground = clos_bisection(fleet.accelerators, card)
    return FleetBisection(
        satellites=len(fleet),
        accelerators=fleet.accelerators,
        orbit_bps=found.capacity,
        links=found.links,
        cut=found.cut,
        ground_bps=ground,
        all_reduce_bytes=all_reduce_bytes,
        orbit_all_reduce_s=all_reduce_time(all_reduce_bytes, len(fleet), float(own.min()), found.capacity)
        if own.min() > 0.0
        else float("inf"),
        ground_all_reduce_s=all_reduce_time(all_reduce_bytes, len(fleet), each * card, ground),
    )
