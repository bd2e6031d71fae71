"""The ION contact plan, read back by a parser of its own: what it promises, to whom, and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skyhall.fleet import design
from skyhall.report.contact_plan import FIRST_SITE_NODE, contact_plan
from skyhall.scenario import load
from skyhall.studies import Contacts, contacts_of

MADE = Path(__file__).parents[1] / "orbit/data/made.tle"


@pytest.fixture(scope="module")
def found() -> Contacts:
    scenario = load({"orbit": {"elements": str(MADE), "propagation": "sgp4"}})
    return contacts_of(design(scenario), satellites=None, sites=["tenerife", "paranal"], duration=43200.0)


def parsed(text: str) -> tuple[datetime, list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Return the reference time, contacts and ranges (start, stop, from, to, rate or light seconds)."""
    reference = None
    rows: dict[str, list[tuple[int, ...]]] = {"contact": [], "range": []}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if at := re.fullmatch(r"@ (\d{4})/(\d\d)/(\d\d)-(\d\d):(\d\d):(\d\d)", line):
            reference = datetime(*map(int, at.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]
            continue
        row = re.fullmatch(r"a (contact|range) \+(\d+) \+(\d+) (\d+) (\d+) (\d+)", line)
        assert row, line
        rows[row[1]].append(tuple(int(word) for word in row.groups()[1:]))
    assert reference is not None
    return reference, rows["contact"], rows["range"]


def test_every_contact_with_bits_is_in_the_plan_within_its_pass(found: Contacts) -> None:
    reference, contacts, _ = parsed(contact_plan(found))
    assert reference == found.start
    assert len(contacts) == sum(each.bits_clear > 1e9 for each in found.contacts)
    for start, stop, sender, receiver, _rate in contacts:
        site = found.ground.names[receiver - FIRST_SITE_NODE]
        begin, end = (reference + timedelta(seconds=each) for each in (start, stop))
        assert any(
            each.rise <= begin < end <= each.set
            for each in found.contacts
            if (each.satellite, each.site) == (sender - 1, site)
        )


def test_the_plan_promises_no_more_than_comes_down(found: Contacts) -> None:
    _, contacts, _ = parsed(contact_plan(found))
    promised = sum(8 * rate * (stop - start) for start, stop, _, _, rate in contacts)
    clear = sum(each.bits_clear for each in found.contacts)
    assert 0.99 * clear < promised <= clear


def test_each_contact_has_its_range_of_a_light_second(found: Contacts) -> None:
    _, contacts, ranges = parsed(contact_plan(found))
    assert [row[:4] for row in ranges] == [row[:4] for row in contacts]
    assert {row[4] for row in ranges} == {1}
    assert contacts == sorted(contacts)
