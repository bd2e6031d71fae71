"""Delays against Handley 2018, Delay is not an option: low latency routing in space (HotNets '18).

His abstract: such a network beats any possible fibre on the ground over distances greater than about 3,000 km. His
shell: 1,600 satellites at 1,150 km and 53 degrees in 32 planes; fibre along the great circle at an index of 1.47. He
gives each satellite a fifth laser, across the mesh; here there is the +grid alone, so that the way south is slower.
"""

from __future__ import annotations

import pytest

from skyhall.fleet import Fleet, design
from skyhall.scenario import load
from skyhall.studies.latency import city, latency_between


def shell(mask: str) -> Fleet:
    asked = {
        "orbit": {
            "shells": [
                {
                    "pattern": "walker_delta",
                    "altitude": "1150 km",
                    "inclination": "53 deg",
                    "satellites": 1600,
                    "planes": 32,
                    "phasing": 5,
                }
            ]
        },
        "network": {"elevation_mask": mask},
        "satellite": {"it_power": "20 kW"},
    }
    return design(load(asked))


def test_space_beats_great_circle_fibre_from_about_3000_km_on() -> None:
    """From 2,400 km, as cities that see down to 25 degrees; the median over directions from London and New York."""
    fleet = shell("25 deg")
    place = {name: city(name, fleet.catalogue) for name in ("London", "New York")}
    found = latency_between(fleet, place["London"], [place["New York"]], steps=24)
    assert found.sweep.wins_from_great_circle_km == pytest.approx(3000.0, abs=800.0)


def test_london_beats_fibre_to_new_york_and_singapore_but_not_south_without_a_fifth_laser() -> None:
    fleet = shell("40 deg")
    london, *others = (
        city(name, fleet.catalogue) for name in ("London", "New York", "Singapore", "Johannesburg")
    )
    found = latency_between(fleet, london, others, steps=24)
    new_york, singapore, johannesburg = found.pairs
    for pair in (new_york, singapore):
        assert pair.space_ms is not None
        assert pair.space_ms.max < pair.fibre_ms.min  # along the great circle
    assert 2 * new_york.fibre_ms.min == pytest.approx(55.0, abs=1.0)  # ms, round trip
    assert johannesburg.space_ms is not None
    assert johannesburg.space_ms.min > johannesburg.fibre_ms.min
