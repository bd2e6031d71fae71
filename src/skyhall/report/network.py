"""The report's section on the network: mesh, link margin, bisection, contacts over a day, delay against fibre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from skyhall.chain import Assessment
from skyhall.constants import DAY, MINUTE
from skyhall.fleet_network import formation_places, laser_terminal
from skyhall.network.optics import link_budget
from skyhall.network_survey import GRADIENTS, GroundSurvey, MeshSurvey
from skyhall.orbit.elements import kepler_period
from skyhall.orbit.geodetic import over_the_ground
from skyhall.orbit.sun import greenwich_angle
from skyhall.report.contact_figures import contacts_over_time
from skyhall.report.formation_figure import formation_figure
from skyhall.report.formats import number, percent, rate, size, volume
from skyhall.report.latency_figures import latency_over_distance
from skyhall.report.link_figures import link_over_range
from skyhall.report.mesh_map import mesh_map
from skyhall.studies.latency import city, latency_between

__all__ = ["NetworkSection", "network_section"]

_FROM, _TO = "London", ("New York", "Singapore", "Tokyo")
_LATENCY_STEPS = 12  # moments of the day
_LATENCY_MOST = 20_000  # satellites: above, the delays take longer than the rest of the report


@dataclass(frozen=True, slots=True)
class NetworkSection:
    """Sentences and figures of the section; empty where the fleet does not have such a thing."""

    sentence: str
    mesh: Markup
    margin: Markup
    bisection: list[tuple[str, str]]
    ground_sentence: str
    contacts: Markup
    latency_sentence: str
    latency: Markup


def network_section(assessment: Assessment) -> NetworkSection:
    """Return the section of an assessment."""
    mesh, ground = assessment.network.mesh, assessment.network.ground
    latency_sentence, latency = _latency(assessment, mesh)
    return NetworkSection(
        sentence=_mesh_sentence(mesh) if mesh else f"No mesh: {assessment.network.no_mesh}.",
        mesh=_mesh(assessment, mesh) if mesh else Markup(),
        margin=_margin(assessment, mesh) if mesh else Markup(),
        bisection=_bisection(mesh) if mesh else [],
        ground_sentence=_ground_sentence(ground)
        if ground
        else f"No contact: {assessment.network.no_ground}.",
        contacts=_contacts(assessment, ground) if ground else Markup(),
        latency_sentence=latency_sentence,
        latency=latency,
    )


def _mesh_sentence(mesh: MeshSurvey) -> str:
    return (
        f"{len(mesh.now):,} laser links of {_between(mesh.shortest / 1e3, mesh.longest / 1e3)}; "
        f"{percent(mesh.stands)} of them stand in the mean over {mesh.moments} moments of the day, at "
        f"{rate(mesh.mean_rate)} each way, and join {percent(mesh.connected)} of the satellites. To hand a satellite's "
        f"memory ({size(mesh.memory_bits / 8.0)}) over to a neighbour takes {number(mesh.handover_s / MINUTE)} minutes."
    )


def _between(low: float, high: float) -> str:
    """Return a range in km, or the one value that both ends show."""
    ends = [number(low), number(high)]
    return f"{ends[1]} km" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]} km"


def _mesh(assessment: Assessment, mesh: MeshSurvey) -> Markup:
    fleet, now = assessment.fleet, mesh.now
    if fleet.scenario.orbit.elements is None and fleet.scenario.orbit.shells[0].pattern == "cluster":
        own = fleet.design_index == 0
        # After a quarter the square lattice would look the same again.
        eighth = 0.125 * float(kepler_period(fleet.designs[0].altitude))
        panels = []
        for title, seconds in (("at the epoch", 0.0), ("an eighth of an orbit later", eighth)):
            along, twice = formation_places(fleet, own, seconds).T
            panels.append((title, np.column_stack([along, 0.5 * twice]), now.edges))
        return Markup(formation_figure(panels, "The formation and its links"))
    turn = greenwich_angle(fleet.epoch_julian_date + now.seconds / DAY)
    latitude, longitude, _ = over_the_ground(fleet.positions(np.array([now.seconds]))[:, 0], turn)
    ground = assessment.network.ground
    points = (
        [
            (float(np.degrees(east)), float(np.degrees(north)), name)
            for name, north, east in zip(
                ground.ground.names, ground.ground.sites.latitude, ground.ground.sites.longitude, strict=True
            )
        ]
        if ground
        else []
    )
    return Markup(
        mesh_map(
            np.degrees(longitude),
            np.degrees(latitude),
            now.edges,
            now.stands,
            points=points,
            label="The mesh of laser links at the flight's start, and ground sites",
        )
    )


def _margin(assessment: Assessment, mesh: MeshSurvey) -> Markup:
    terminal = laser_terminal(
        assessment.fleet.catalogue.part("terminals", assessment.scenario.satellite.terminal)
    )
    assert terminal is not None
    longest = mesh.longest / 1e3
    most = 2.0 * max(longest, float(terminal.longest_range) / 1e3)
    distance = np.geomspace(min(0.3 * mesh.shortest / 1e3, 0.01 * most), most, 200)
    budget = link_budget(terminal, 1e3 * distance)
    return Markup(
        link_over_range(
            distance,
            budget.margin_db,
            budget.rate_bps,
            required_margin_db=float(terminal.required_margin_db),
            chosen_km=longest,
            chosen_name="longest link of the mesh",
        )
    )


def _bisection(mesh: MeshSurvey) -> list[tuple[str, str]]:
    return [
        ("Halves of the fleet to each other", f"{rate(mesh.narrowest.capacity)} one way"),
        ("Narrowest cut found", f"{mesh.narrowest.links:,} links, between {mesh.narrowest.cut}"),
        ("Clos network on the ground, as many accelerators", f"{rate(mesh.clos)} one way"),
        ("Ground over orbit", f"{number(1.0 / mesh.of_clos)} ×"),
        (
            f"Sum of {number(GRADIENTS / 1e9)} GB of gradients over all satellites",
            f"{number(mesh.all_reduce_s)} s at best",
        ),
        ("The same over as many machines on the ground", f"{number(mesh.ground_all_reduce_s)} s at best"),
    ]


def _ground_sentence(ground: GroundSurvey) -> str:
    sites = ground.ground
    text = (
        f"{len(sites)} sites with {sites.station} receive {sites.downlink}. A satellite has one of them in its sky for "
        f"{number(ground.contact_s / MINUTE)} minutes a day and could bring down {volume(ground.alone_bits)} if it had "
        "them for itself. "
    )
    brought, busy = volume(ground.fleet_bits), percent(ground.busy)
    if ground.sampled < ground.satellites:
        text += (
            f"{ground.sampled} of the {ground.satellites:,} satellites that look down bring {brought} a day and keep "
            f"the stations at work for {busy} of the time with one in their sky: the fleet brings at least that."
        )
    else:
        text += f"Together they bring {brought} a day; the stations work for {busy} of the time with one in their sky."
    if ground.fleet_bits == 0.0:
        text += " The link does not close over such a range: another downlink or station is needed."
    return text


def _contacts(assessment: Assessment, ground: GroundSurvey) -> Markup:
    table = ground.table
    first = table.passes.satellite == 0
    passes = table.passes[first]
    seconds = np.maximum(passes.duration, 1.0)
    return Markup(
        contacts_over_time(
            assessment.scenario.epoch,
            table.start,
            table.stop,
            table.ground.names,
            passes.site,
            passes.rise,
            passes.set,
            table.clear[first] / seconds / 1e9,
            name="mean rate under a clear sky",
            unit="Gbit/s",
        )
    )


def _latency(assessment: Assessment, mesh: MeshSurvey | None) -> tuple[str, Markup]:
    fleet = assessment.fleet
    if mesh is None or len(fleet) > _LATENCY_MOST or mesh.longest < 10e3:
        return "", Markup()
    found = latency_between(
        fleet,
        city(_FROM, fleet.catalogue),
        [city(each, fleet.catalogue) for each in _TO],
        steps=_LATENCY_STEPS,
    )
    sweep = found.sweep
    if not np.isfinite(sweep.space_ms).any():
        return "No path leads from city to city at any of the moments looked at.", Markup()
    sooner = sweep.wins_from_km
    text = (
        f"Where there is a path, space is sooner than fibre on its usual detour from {number(sooner)} km on."
        if sooner is not None
        else "Space is not sooner than fibre at any distance, all the way out."
    )
    reached = float(np.nanmean(sweep.reachable))
    text += f" A path is there for {percent(reached)} of moments and directions."
    return text, Markup(
        latency_over_distance(
            sweep.distance_km,
            sweep.space_ms,
            sweep.fibre_ms,
            sweep.great_circle_ms,
            space_low_ms=sweep.space_low_ms,
            space_high_ms=sweep.space_high_ms,
            wins_from_km=sooner,
            pairs=tuple(
                (f"{pair.origin} to {pair.target}", pair.distance_km, pair.space_ms.median)
                for pair in found.pairs
                if pair.space_ms is not None
            ),
        )
    )
