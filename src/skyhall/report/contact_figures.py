"""The figure of contacts over a day: a row for each site, a bar for each contact, darker where it is worth more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

import numpy as np
import numpy.typing as npt

from skyhall.constants import MINUTE
from skyhall.errors import ValueProblem
from skyhall.report.axes import time_axis
from skyhall.report.formats import number
from skyhall.report.plot import paint, rule, svg, text_width, words

__all__ = ["contacts_over_time"]

_WIDTH, _RIGHT = 940.0, 12.0  # px
_ROW, _BAR = 26.0, 16.0
_HEAD = 30.0
_NARROWEST = 1.5  # px of a bar, so that a short contact is seen
_SHADES = (0.25, 0.45, 0.7, 1.0)  # opacity by quarters of the largest value


def contacts_over_time(
    epoch: datetime,
    low: float,
    high: float,
    sites: Sequence[str],
    site: npt.ArrayLike,
    rise: npt.ArrayLike,
    sets: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    name: str = "mean rate",
    unit: str = "Gbit/s",
) -> str:
    """Return the figure of contacts, as SVG.

    Parameters
    ----------
    epoch : of the seconds, UTC. low, high : s, the ends of the axis.
    sites : names, from top to bottom.
    site, rise, sets, value : of each contact (contacts,): index of its site, s, s, and what colours it.
    name, unit : of `value`.

    Raises
    ------
    ValueProblem : no site, no time, or arrays of different lengths.
    """
    row = np.asarray(site, dtype=np.int64)
    columns = [np.asarray(each, dtype=np.float64) for each in (rise, sets, value)]
    if not sites or not high > low or any(each.shape != row.shape for each in columns):
        raise ValueProblem(
            f"a figure of {row.size} contacts at {len(sites)} sites from {low:g} s to {high:g} s cannot be drawn",
            right="name the sites, let the time end after its start, and give one value for each contact",
        )
    left = 14.0 + max(text_width(each) for each in sites)
    axis = time_axis(epoch, low, high)
    scale = (_WIDTH - _RIGHT - left) / (high - low)
    bottom = _HEAD + _ROW * len(sites)
    most = float(np.nanmax(columns[2], initial=0.0))
    body = _heading(name, unit, most)
    for index, each in enumerate(sites):
        y = _HEAD + _ROW * (index + 0.5)
        body += [
            words("tick", left - 8.0, y + 4.0, each, anchor="end"),
            rule("grid", left, y, _WIDTH - _RIGHT, y),
        ]
    for where, begin, end, worth in zip(row.tolist(), *(each.tolist() for each in columns), strict=True):
        x = left + (max(begin, low) - low) * scale
        wide = max((min(end, high) - max(begin, low)) * scale, _NARROWEST)
        y = _HEAD + _ROW * (where + 0.5) - 0.5 * _BAR
        when = f"{axis.told(begin)}, {number((end - begin) / MINUTE)} min"
        told = f"{sites[where]}\n{when}\n{name}: {number(worth)} {unit}"
        body.append(
            f'<rect class="contact" x="{x:.1f}" width="{wide:.1f}" y="{y:.1f}" height="{_BAR:.0f}" '
            f'fill="{paint("blue")}" fill-opacity="{_shade(worth, most)}"><title>{escape(told)}</title></rect>'
        )
    for moment, text in axis.ticks:
        x = left + (moment - low) * scale
        body += [rule("tickmark", x, bottom, x, bottom + 4.0)]
        body += [
            words("tick", min(x, _WIDTH - 0.5 * text_width(text, 11.0)), bottom + 16.0, text, anchor="middle")
        ]
    body.append(words("axis", 0.5 * (left + _WIDTH), bottom + 33.0, axis.title, anchor="middle"))
    counted = ", ".join(f"{each} {int(np.sum(row == index))}" for index, each in enumerate(sites))
    body.append(f"<desc>{escape(f'Contacts: {counted}.')}</desc>")
    return svg("".join(body), _WIDTH, bottom + 40.0, "Contacts with ground sites over time")


def _heading(name: str, unit: str, most: float) -> list[str]:
    body = [words("axis", 0.0, 14.0, f"Contacts, by {name} ({unit})")]
    x = _WIDTH - _RIGHT
    for quarter in range(len(_SHADES), 0, -1):
        text = f"to {number(most * quarter / len(_SHADES), 3)}"
        x -= text_width(text, 11.5) + 30.0
        body.append(
            f'<rect fill="{paint("blue")}" fill-opacity="{_SHADES[quarter - 1]}" x="{x + 6.0:.1f}" y="4" '
            f'width="13" height="11"/>'
        )
        body.append(words("legend", x + 24.0, 14.0, text))
    return body


def _shade(value: float, most: float) -> float:
    if not most > 0.0 or not np.isfinite(value):
        return _SHADES[0]
    return _SHADES[min(int(np.ceil(value / most * len(_SHADES))) or 1, len(_SHADES)) - 1]
