"""Contact plans for ION, NASA's delay-tolerant network: who may send to whom, when, and how fast."""

from __future__ import annotations

import math
from collections.abc import Sequence

from skyhall.constants import SPEED_OF_LIGHT
from skyhall.report.moments import utc
from skyhall.studies.contacts import Contacts

__all__ = ["FIRST_SITE_NODE", "contact_plan"]

FIRST_SITE_NODE = 1_000_001  # satellite k is node k + 1, so that sites never share a number with one
_LIGHT_KM_PER_S = SPEED_OF_LIGHT / 1e3


def contact_plan(found: Contacts) -> str:
    """Return the text of an ION contact plan (ionrc): commands for ionadmin, one a line.

    A contact lasts from the lock to the set, in whole seconds within it, at its mean rate in whole bytes a second, so
    that the plan never promises more bits than `Contact.bits_clear`. A contact without bits is left out. Ranges are in
    whole light seconds, rounded up, as ION takes them; they hold both ways, contacts only down. Times are relative to
    the reference time that the first command sets.

    References
    ----------
    ION's manual page ionrc(5): a contact, a range, @.
    """
    nodes = {name: FIRST_SITE_NODE + index for index, name in enumerate(found.ground.names)}
    lines = [
        f"# {found.scenario}: contacts from {utc(found.start)} to {utc(found.stop)}, under a clear sky",
        *(f"# node {node}: {name}" for name, node in nodes.items()),
        "# node k + 1: satellite k",
        f"@ {found.start:%Y/%m/%d-%H:%M:%S}",
    ]
    contacts: list[str] = []
    ranges: list[str] = []
    for index, each in enumerate(found.contacts):
        begin = math.ceil(float(found.acquired[index]))
        end = math.floor((each.set - found.start).total_seconds())
        if end <= begin:
            continue
        rate = math.floor(each.bits_clear / 8.0 / (end - begin))
        if rate <= 0:
            continue
        ends = f"+{begin} +{end} {each.satellite + 1} {nodes[each.site]}"
        contacts.append(f"a contact {ends} {rate}")
        farthest_km = float(found.range_km[index].max())
        ranges.append(f"a range {ends} {max(1, math.ceil(farthest_km / _LIGHT_KM_PER_S))}")
    return "\n".join([*lines, *_in_order(ranges), *_in_order(contacts)]) + "\n"


def _in_order(lines: Sequence[str]) -> list[str]:
    return sorted(lines, key=lambda line: tuple(int(word) for word in line.replace("+", "").split()[2:6]))
