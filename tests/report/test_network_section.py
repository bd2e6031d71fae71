from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest

from skyhall.chain import Assessment
from skyhall.report.formation_figure import formation_figure
from skyhall.report.mesh_map import mesh_map
from skyhall.report.network import network_section


def drawn(figure: str) -> str:
    ElementTree.fromstring(figure)
    return re.search(r'stroke="var\(--blue[^>]* d="([^"]*)"', figure)[1]  # type: ignore[index]


def test_a_link_across_the_date_line_leaves_the_map_and_enters_again() -> None:
    inside = mesh_map([0.0, 10.0], [0.0, 0.0], [[0, 1]], [True], label="a link")
    across = mesh_map([175.0, -175.0], [0.0, 10.0], [[0, 1]], [True], label="a link")
    assert drawn(inside).count("M") == 1
    pieces = [
        [float(number) for number in re.findall(r"-?\d+", piece)] for piece in drawn(across).split("M")[1:]
    ]
    assert len(pieces) == 2
    # Five degrees to the edge and five beyond it, at one height of the crossing.
    assert all(abs(piece[2]) < 15.0 for piece in pieces)
    assert pieces[0][1] + pieces[0][3] == pytest.approx(pieces[1][1], abs=1.0)


def test_links_that_do_not_stand_are_drawn_apart() -> None:
    figure = mesh_map([0, 10, 20], [0, 5, 0], [[0, 1], [1, 2]], [True, False], label="two links")
    assert "1 of 2 links stand" in figure
    assert "stroke-dasharray" in figure


def test_a_large_mesh_is_sampled_and_says_so() -> None:
    count = 5000
    east = np.linspace(-179.0, 179.0, count)
    edges = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
    figure = mesh_map(east, 50.0 * np.sin(np.radians(east)), edges, np.ones(count - 1, bool), label="many")
    assert len(figure) < 150_000
    assert "4,999 of 4,999 links stand; 3,200 are drawn" in figure


def test_a_formation_is_drawn_to_scale_at_each_moment() -> None:
    points = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    figure = formation_figure(
        [("now", points, np.array([[0, 1]])), ("later", points, np.array([[1, 2]]))], "both"
    )
    root = ElementTree.fromstring(figure)
    circles = [
        (float(each.get("cx") or 0), float(each.get("cy") or 0))
        for each in root.iter("{http://www.w3.org/2000/svg}circle")
    ]
    assert len(circles) == 6
    assert circles[1][0] - circles[0][0] == pytest.approx(circles[0][1] - circles[2][1], abs=0.11)


def test_the_section_says_what_is_there_and_why_the_rest_is_not(
    dawn_dusk: Assessment, one_satellite: Assessment, real_orbits: Assessment
) -> None:
    ring = network_section(dawn_dusk)
    assert "2,454 laser links" in ring.sentence
    assert ring.mesh
    assert ring.contacts
    assert ring.latency
    lone = network_section(one_satellite)
    assert lone.sentence == "No mesh: the satellites have no laser terminals."
    assert not lone.mesh
    assert "19 sites with antenna-5m receive x-band-radio" in lone.ground_sentence
    assert (
        network_section(real_orbits).sentence == "No mesh: real element sets have no pattern of neighbours."
    )


def test_tables_hold_the_links_and_contacts_of_the_survey(any_assessment: Assessment, folder: Path) -> None:
    links, contacts = (pq.read_table(folder / f"{name}.parquet") for name in ("links", "contacts"))
    mesh, ground = any_assessment.network.mesh, any_assessment.network.ground
    assert len(links) == (len(mesh.now) if mesh else 0)
    assert ground is not None
    assert len(contacts) == len(ground.table)
    np.testing.assert_array_equal(contacts["bits"].to_numpy(), ground.table.expected)
    assert set(contacts["site"].to_pylist()) <= set(ground.ground.names)
    if mesh:
        np.testing.assert_array_equal(links["rate_bps"].to_numpy(), mesh.now.rate)
