"""``skyhall latency``: delay between cities over a fleet's laser links, beside fibre."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skyhall.cli import show
from skyhall.cli.options import as_json, call, loaded, scenario_argument, set_option
from skyhall.errors import Place, SkyhallError

if TYPE_CHECKING:
    from skyhall.catalogue import Catalogue
    from skyhall.studies.latency import City, Latency, PairLatency

__all__ = ["command"]

_SHOWN_KM = (1000.0, 2000.0, 3000.0, 5000.0, 7500.0, 10000.0, 15000.0)


@click.command("latency")
@scenario_argument
@click.option(
    "--from", "origin", default="London", show_default=True, help='City, or "latitude,longitude" in °.'
)
@click.option(
    "--to",
    "targets",
    multiple=True,
    default=("Tokyo",),
    show_default="Tokyo",
    help="The other city; may be repeated.",
)
@click.option("--elevation-mask", help="Lowest elevation at which a city sees a satellite; default 25 deg.")
@click.option(
    "--steps", type=click.IntRange(2, 86_400), help="Moments of the day; default: as many as take seconds."
)
@set_option
@as_json
def command(
    scenario: str,
    origin: str,
    targets: tuple[str, ...],
    elevation_mask: str | None,
    steps: int | None,
    sets: tuple[str, ...],
    json: bool,
) -> None:
    """Print the delay between cities over SCENARIO's laser links through a day, beside that of fibre.

    It is that of light: what satellites and routers add is left out on both sides.
    """
    asked = loaded(
        scenario,
        sets,
        {"--elevation-mask": ("network.elevation_mask", elevation_mask)},
    )
    from skyhall.catalogue import load_catalogue

    catalogue = load_catalogue(asked.catalogue)
    start = _city("--from", origin, catalogue)
    ends = [_city("--to", each, catalogue) for each in dict.fromkeys(targets)]
    from skyhall.fleet import design
    from skyhall.studies.latency import latency_between

    fleet = design(asked, catalogue=catalogue)
    with show.progress(json=json) as progress:
        found = latency_between(
            fleet, start, ends, steps=steps, progress=lambda share: progress("routes", share)
        )
    if json:
        show.document(_document(asked.name, found))
        return
    show.title(asked.name, asked.description)
    _show(found)
    other = next(name for name in ("Singapore", "New York", "Sydney") if name not in targets)
    show.next_commands(
        call("latency", scenario, "--from", origin, "--to", other, sets=sets),
        call("contacts", scenario, sets=sets),
        "skyhall catalogue cities",
    )


def _city(option: str, text: str, catalogue: Catalogue) -> City:
    from skyhall.studies.latency import city

    try:
        return city(text, catalogue)
    except SkyhallError as error:
        error.place = Place(option)
        raise


def _document(name: str, found: Latency) -> dict[str, Any]:
    pairs = [_pair(pair) for pair in found.pairs]
    return {
        "scenario": name,
        **pairs[0],
        "space_wins_from_km": found.sweep.wins_from_km,
        "space_wins_from_great_circle_km": found.sweep.wins_from_great_circle_km,
        "satellites": found.satellites,
        "links": found.links,
        "steps": found.steps,
        "elevation_mask_deg": found.elevation_mask_deg,
        "route_factor": found.route_factor,
        "pairs": pairs,
        "sweep": show.plain(found.sweep),
    }


def _pair(pair: PairLatency) -> dict[str, Any]:
    plain: dict[str, Any] = show.plain(pair)
    return {"from": plain.pop("origin"), "to": plain.pop("target"), **plain}


def _show(found: Latency) -> None:
    show.heading(
        f"One-way delay from {found.pairs[0].origin} over a day",
        f"{found.steps} moments, satellites above {found.elevation_mask_deg:g}°",
    )
    columns = ["to", "km", "space, ms", "laser links", "fibre, ms", "sooner"]
    rows = [
        [
            pair.target,
            f"{pair.distance_km:,.0f}",
            _range(pair.space_ms, 1),
            _range(pair.hops, 0),
            _range(pair.fibre_ms, 1),
            show.percent(pair.space_sooner),
        ]
        for pair in found.pairs
    ]
    if any(pair.reachable < 1.0 for pair in found.pairs):
        columns.append("reached")
        rows = [[*row, show.percent(pair.reachable)] for row, pair in zip(rows, found.pairs, strict=True)]
    show.table(columns, rows, right=range(1, len(columns)), whole=(0, 1))
    show.sentence(
        "space, laser links: median (least to most) over the day; fibre: on the usual detour, "
        f"{found.route_factor:g} × the great circle (along it to a long detour); sooner: share of the day in which "
        "space beats the usual fibre",
        "dim",
    )
    for pair in found.pairs:
        if pair.space_ms is None:
            show.sentence(f"No path from {pair.origin} to {pair.target} at any moment of the day.", "yellow")
        elif pair.resilience is not None:
            show.sentence(_held(pair))
    sweep = found.sweep
    show.heading("Over distance", "from the first two cities in all directions, median")
    shown = [index for index, km in enumerate(sweep.distance_km.tolist()) if km in _SHOWN_KM]
    show.table(
        ("km", "space, ms", "fibre, ms", "great-circle fibre, ms", "reached"),
        [
            (
                f"{sweep.distance_km[k]:,.0f}",
                show.number(float(sweep.space_ms[k]), digits=3),
                show.number(float(sweep.fibre_ms[k]), digits=3),
                show.number(float(sweep.great_circle_ms[k]), digits=3),
                show.percent(float(sweep.reachable[k])),
            )
            for k in shown
        ],
        right=(0, 1, 2, 3, 4),
    )
    for rival, km in (
        ("fibre on the usual detour", sweep.wins_from_km),
        ("fibre along the great circle", sweep.wins_from_great_circle_km),
    ):
        show.sentence(
            f"In the median direction, and where there is a path, space is sooner than {rival} from {km:,.0f} km on."
            if km is not None
            else f"Space is not sooner than {rival} all the way out."
        )


def _held(pair: PairLatency) -> str:
    held = pair.resilience
    assert held is not None
    ways = f"{held.disjoint_paths} or more" if held.disjoint_paths >= 8 else f"{held.disjoint_paths}"
    width = (
        ""
        if held.bottleneck_gbps is None
        else f"{show.number(held.bottleneck_gbps, 'Gbit/s', 3)} at its narrowest, "
    )
    left = (
        f"a way is left at {show.percent(held.failed_reachable)} of four moments"
        + (f", {show.number(held.failed_ms, 'ms', 3)}" if held.failed_ms is not None else "")
        if held.failed_reachable
        else "no way is left"
    )
    return (
        f"To {pair.target}: {width}{ways} ways without a common satellite; with {show.percent(held.failed_share)} of "
        f"the satellites failed {left}."
    )


def _range(spread: Any, places: int) -> str:
    if spread is None:
        return "none"
    middle, low, high = (f"{each:,.{places}f}" for each in (spread.median, spread.min, spread.max))
    return f"{middle} ({low}–{high})"
