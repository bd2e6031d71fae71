"""The figure of an injection campaign: a block a stratum, bars that fill the axis, and a file that stands alone."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from skyhall.report.fault_figure import fault_figure, standalone

SVG = "{http://www.w3.org/2000/svg}"


def row(target: str, level: str, *counts: int) -> dict[str, Any]:
    outcomes = dict(zip(("masked", "silent", "visible", "nan"), counts, strict=True))
    return {
        "target": target,
        "dtype": "fp32",
        "bits": "all",
        "level": level,
        "injected": sum(counts),
        **outcomes,
        "detected": 3,
        "corrected": 2,
        "interval": {name: [0.1, 0.4] for name in outcomes},
    }


@pytest.fixture
def figure() -> ElementTree.Element:
    rows = [
        row("weights", "none", 1, 5, 3, 1),
        row("weights", "full", 10, 0, 0, 0),
        row("updates", "none", 0, 0, 0, 4),
    ]
    return ElementTree.fromstring(standalone(fault_figure(rows)))


def test_a_stratum_is_named_once_above_its_levels(figure: ElementTree.Element) -> None:
    texts = [each.text for each in figure.iter(f"{SVG}text")]
    assert texts.count("weights, fp32, all") == texts.count("updates, fp32, all") == 1
    assert texts.count("none") == 2
    assert texts.count("full") == 1
    assert texts.count("detected 3, corrected 2") == 1  # nothing is detected without protection


def test_the_pieces_of_a_bar_fill_the_axis_and_tell_their_numbers(figure: ElementTree.Element) -> None:
    told = [(each.findtext(f"{SVG}title"), each.get("width", "")) for each in figure.iter(f"{SVG}rect")]
    pieces = [(text, float(width)) for text, width in told if text]
    assert [text for text, _ in pieces] == [
        "masked: 1 of 10 (10 %; 95 %: 10–40)",
        "silent: 5 of 10 (50 %; 95 %: 10–40)",
        "visible: 3 of 10 (30 %; 95 %: 10–40)",
        "nan: 1 of 10 (10 %; 95 %: 10–40)",
        "masked: 10 of 10 (100 %; 95 %: 10–40)",
        "nan: 4 of 4 (100 %; 95 %: 10–40)",
    ]
    whole = pieces[4][1]
    assert sum(width for _, width in pieces[:4]) == pytest.approx(whole, abs=0.5)
    assert pieces[5][1] == pytest.approx(whole, abs=0.2)


def test_the_file_needs_nothing_from_outside(figure: ElementTree.Element) -> None:
    text = ElementTree.tostring(figure, encoding="unicode")
    assert "var(" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert figure.find(f"{SVG}style") is not None
