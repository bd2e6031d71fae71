from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.report.contact_figures import contacts_over_time

SVG = "{http://www.w3.org/2000/svg}"
EPOCH = datetime(2026, 3, 20, tzinfo=UTC)
SITES = ("tenerife", "table-mountain")


def figure(**changes: object) -> ElementTree.Element:
    usual: dict[str, object] = {
        "site": [0, 1, 1],
        "rise": [3600.0, 0.0, 80000.0],
        "sets": [4200.0, 500.0, 90000.0],
        "value": [100.0, 20.0, 0.0],
    }
    drawn = contacts_over_time(EPOCH, 0.0, 86400.0, SITES, **(usual | changes))  # type: ignore[arg-type]
    return ElementTree.fromstring(drawn)


def bars(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [each for each in root.iter(f"{SVG}rect") if each.get("class") == "contact"]


def test_a_bar_is_as_long_as_its_contact_and_cut_at_the_axis() -> None:
    one, _, last = bars(figure())
    scale = float(last.get("width") or 0) / 6400.0
    assert float(one.get("width") or 0) == pytest.approx(600.0 * scale, abs=0.06)
    assert float(last.get("x") or 0) + float(last.get("width") or 0) == pytest.approx(928.0, abs=0.2)


def test_what_is_worth_more_is_darker() -> None:
    opacity = [float(each.get("fill-opacity") or 0) for each in bars(figure())]
    assert opacity == [1.0, 0.25, 0.25]


def test_each_site_has_its_row_and_the_words_count() -> None:
    root = figure()
    high, low = (float(each.get("y") or 0) for each in bars(root)[:2])
    assert low - high == pytest.approx(26.0)
    assert root.findtext(f"{SVG}desc") == "Contacts: tenerife 1, table-mountain 2."
    assert "100 Gbit/s" in (bars(root)[0].findtext(f"{SVG}title") or "")


def test_a_day_without_contacts_can_be_drawn() -> None:
    assert bars(figure(site=[], rise=[], sets=[], value=[])) == []


def test_unequal_columns_are_refused() -> None:
    with pytest.raises(ValueProblem, match="3 contacts"):
        figure(value=np.ones(2))
