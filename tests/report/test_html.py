from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from skyhall.chain import Assessment
from skyhall.report import render_html


class Page(HTMLParser):
    """What a test asks of a page: links to other files, `data` elements, texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.values: dict[str, list[str]] = {}
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        for name in ("src", "href", "srcset", "data", "action", "xlink:href", "poster"):
            target = found.get(name)
            if target and not target.startswith("#"):
                self.loads.append(target)
        key = found.get("data-key")
        if key:
            self.values.setdefault(key, []).append(found.get("value") or "")


@pytest.fixture(scope="module")
def html(any_assessment: Assessment) -> str:
    return render_html(any_assessment)


def figures(html: str) -> list[str]:
    return re.findall(r"<svg xmlns.*?</svg>", html, flags=re.DOTALL)


def test_the_report_loads_nothing_and_runs_no_script(html: str) -> None:
    page = Page(html)
    assert page.loads == []
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(page.tags)
    assert not re.search(r"@import|url\(", html)
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


def test_the_report_is_below_2_mb(html: str) -> None:
    assert len(html.encode()) < 2_000_000


def test_every_figure_is_well_formed_and_says_what_it_shows(html: str, any_assessment: Assessment) -> None:
    found = figures(html)
    # Contacts of every fleet; mesh, margin and delays of one with a mesh.
    assert len(found) == (16 if any_assessment.network.mesh else 13)
    for figure in found:
        root = ElementTree.fromstring(figure)
        assert root.get("aria-label")
        assert root.get("role") == "img"


def test_no_coordinate_of_a_figure_is_missing_or_infinite(html: str) -> None:
    assert not re.search(r'="[^"]*\b(nan|inf)\b', "".join(figures(html)), flags=re.IGNORECASE)


def test_texts_of_figures_stay_inside_them(html: str) -> None:
    from skyhall.report.plot import text_width

    for figure in figures(html):
        root = ElementTree.fromstring(figure)
        width = float((root.get("viewBox") or "").split()[2])
        for text in root.iter("{http://www.w3.org/2000/svg}text"):
            x, wide = float(text.get("x") or 0), text_width(text.text or "", 11.0)
            share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")]
            assert x - share * wide > -4.0, text.text
            assert x + (1.0 - share) * wide < width + 4.0, text.text


def test_the_numbers_of_the_report_are_the_summarys(html: str, any_assessment: Assessment) -> None:
    summary, shown = any_assessment.summary(), Page(html).values
    assert set(shown) == set(summary)
    for key, values in shown.items():
        for value in values:
            expected = summary[key]
            if isinstance(expected, float):
                assert float(value) == expected
            else:
                assert value == ("" if expected is None else str(expected))


def test_every_assumption_stands_in_the_report_with_its_source(html: str, any_assessment: Assessment) -> None:
    facts = sum(len(part.facts) for part in any_assessment.assumptions())
    table = html.split('<table class="facts">')[1].split("</table>")[0]
    assert table.count("<tr><td>") == facts
    assert "starlink-v3" not in table  # published satellites are compared with, not rested on


def test_dropped_element_sets_are_named(real_orbits: Assessment) -> None:
    assert "OURS-91009" in render_html(real_orbits)


def test_text_from_a_scenario_cannot_become_markup() -> None:
    from skyhall.chain import assess

    evil = "<script>alert(1)</script>"
    overrides = [f"description={evil}", "flight.duration=1 hour"]
    html = render_html(assess("starcloud-1", overrides=overrides))
    assert evil not in html
    assert "&lt;script&gt;" in html


def test_the_report_follows_the_readers_colour_scheme_and_prints(html: str) -> None:
    assert "prefers-color-scheme:dark" in html
    assert "@media print" in html


@pytest.mark.slow
def test_a_report_takes_less_than_two_seconds(dawn_dusk: Assessment) -> None:
    began = time.perf_counter()
    render_html(dawn_dusk)
    assert time.perf_counter() - began < 2.0


def test_nothing_tiny_is_drawn_or_written(html: str) -> None:
    texts = re.sub(r"<[^>]*>", " ", html)
    assert not re.search(r"\b0\.0000000\d*", texts)


def test_the_report_leads_from_installed_to_delivered_hours(html: str) -> None:
    assert re.search(r"% of the installed GPU-hours are delivered and verified: light, power and heat", html)
