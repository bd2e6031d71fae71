"""A panel with marks at chosen values of x, whose y axis may be logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skyhall.report.axes import Axis
from skyhall.report.plot import LEFT, RIGHT, Panel, _Scale, paint, rule, text_width, words
from skyhall.report.powers_of_ten import decades

__all__ = ["MarkedPanel"]


@dataclass(frozen=True, slots=True)
class _Decades(_Scale):
    """From values to pixels, in equal steps for equal ratios; zero and below lie on the axis's lower end."""

    def y(self, value: float) -> float:
        share = math.log(value / self.y_low) / math.log(self.y_high / self.y_low) if value > 0.0 else 0.0
        return self.top + (1.0 - min(max(share, 0.0), 1.0)) * self.height


@dataclass(slots=True)
class MarkedPanel(Panel):
    """A panel whose y axis is logarithmic if asked; lines, levels and shades are those of `Panel`."""

    logarithmic: bool = False

    def upright(self, x: float, name: str, colour: str = "grey") -> MarkedPanel:
        """Draw a dashed line at `x` from bottom to top, such as the value that was chosen."""
        self._legend.append((name, "dashed", colour))
        self._marks.append(
            lambda scale: (
                f'<line class="line" stroke="{paint(colour)}" stroke-dasharray="2 3" x1="{scale.x(x):.1f}" '
                f'x2="{scale.x(x):.1f}" y1="{scale.top:.1f}" y2="{scale.top + scale.height:.1f}"/>'
            )
        )
        return self

    def spot(self, x: float, y: float, text: str, colour: str, *, left: bool = False) -> MarkedPanel:
        """Mark the point (x, y) with a ring and write `text` above it, to its right or `left`, where that fits."""
        if not math.isfinite(y):
            return self
        self._extent.append(y)

        def draw(scale: _Scale) -> str:
            at, up = scale.x(x), scale.y(y)
            wide = text_width(text, 11.5) + 10.0
            to_left = at - wide > scale.left if left else at + wide > scale.right
            base = up - 8.0 if up - 18.0 > scale.top else up + 18.0
            ring = (
                f'<circle class="spot" r="4.5" cx="{at:.1f}" cy="{up:.1f}" fill="var(--paper, #fff)" '
                f'stroke="{paint(colour)}" stroke-width="2.2"/>'
            )
            side = "end" if to_left else "start"
            return ring + words(
                "value", at + (-7.0 if to_left else 7.0), base, text, anchor=side, strong=True
            )

        self._marks.append(draw)
        return self

    def draw(self, axis: Axis, top: float, width: float) -> Iterator[str]:
        """Yield the panel's marks; its heading begins at `top`."""
        if not self.logarithmic:
            yield from Panel.draw(self, axis, top, width)
            return
        low, high, ticks = self._decades()
        scale = _Decades(
            axis.low, axis.high, low, high, LEFT, width - RIGHT, top + self.head(width), self.height
        )
        yield from self._heading(top, width)
        yield from (shade(scale) for shade in self._shades)
        for value, text in ticks:
            y = scale.y(value)
            yield rule("grid", LEFT, y, width - RIGHT, y)
            yield words("tick", LEFT - 6, y + 4, text, anchor="end")
        yield from (mark(scale) for mark in self._marks)
        yield from self._under_pointer(axis, scale)

    def _decades(self) -> tuple[float, float, list[tuple[float, str]]]:
        above = [value for value in self._extent if value > 0.0 and math.isfinite(value)]
        low = min(above, default=0.1) if self.low is None else self.low
        high = max(above, default=1.0) if self.high is None else self.high
        return decades(low, high, max(2, self.height // 30))

    def _take(
        self, name: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], mark: str, colour: str
    ) -> None:
        Panel._take(self, name, x, y, mark, colour)
        self._extent += [float(y[y > 0.0].min())] if (y > 0.0).any() else []
