"""A formation as its centre sees it: satellites along the track and along the radius, with their links."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skyhall.report.axes import nice_ticks, tick_text
from skyhall.report.plot import paint, rule, svg, words

__all__ = ["formation_figure"]

_SIZE, _LEFT, _TOP, _ROOM = 420.0, 54.0, 30.0, 46.0  # px: of a panel; margins


def formation_figure(
    moments: list[tuple[str, npt.NDArray[np.float64], npt.NDArray[np.int64]]], label: str
) -> str:
    """Return panels of equal scale, one for each moment, as an SVG element.

    Parameters
    ----------
    moments : a panel's title, positions along the track and along the radius (m, (satellites, 2)), and links
        (links, 2).
    label : what the figure shows, for who cannot see it.
    """
    reach = max(float(np.abs(points).max(initial=1.0)) for _, points, _ in moments) * 1.06
    ticks = [tick for tick in nice_ticks(-reach, reach, 6) if abs(tick) <= reach]
    parts: list[str] = []
    for index, (title, points, links) in enumerate(moments):
        left = _LEFT + index * (_SIZE + _ROOM)
        scale = _SIZE / (2.0 * reach)
        x = left + (points[:, 0] + reach) * scale
        y = _TOP + (reach - points[:, 1]) * scale
        parts.append(words("axis", left, _TOP - 12.0, title))
        for tick in ticks:
            across, up = left + (tick + reach) * scale, _TOP + (reach - tick) * scale
            parts.append(rule("grid", across, _TOP, across, _TOP + _SIZE))
            parts.append(rule("grid", left, up, left + _SIZE, up))
            parts.append(words("tick", across, _TOP + _SIZE + 15.0, tick_text(tick, ticks), anchor="middle"))
            if index == 0:
                parts.append(words("tick", left - 6.0, up + 4.0, tick_text(tick, ticks), anchor="end"))
        shape = "".join(f"M{x[a]:.1f} {y[a]:.1f}L{x[b]:.1f} {y[b]:.1f}" for a, b in links.tolist())
        parts.append(f'<path class="line" stroke="{paint("blue")}" style="stroke-width:1" d="{shape}"/>')
        parts += [
            f'<circle r="3.2" cx="{a:.1f}" cy="{b:.1f}" fill="{paint("orange")}"/>'
            for a, b in zip(x, y, strict=True)
        ]
    middle = _LEFT + 0.5 * (len(moments) * (_SIZE + _ROOM) - _ROOM)
    parts.append(
        words(
            "axis",
            middle,
            _TOP + _SIZE + 34.0,
            "along the track (m); upwards: along the radius (m)",
            anchor="middle",
        )
    )
    width = _LEFT + len(moments) * (_SIZE + _ROOM)
    return svg("".join(parts), width, _TOP + _SIZE + 44.0, label)
