"""What becomes of upsets, one row an outcome on a logarithmic axis, with the rate written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from html import escape

from skyhall.errors import ValueProblem
from skyhall.report.formats import number
from skyhall.report.plot import paint, rule, svg, text_width, words
from skyhall.report.powers_of_ten import decades, rounded

__all__ = ["outcome_rows", "time_between"]

_WIDTH, _ROW, _TOP, _BOTTOM = 940.0, 26.0, 8.0, 42.0  # px
_COLOURS = {"corrected": "green", "detected": "blue", "functional": "orange", "silent": "vermillion"}
_SPANS = (
    (365.25, "years"),
    (1.0, "days"),
    (1.0 / 24.0, "hours"),
    (1.0 / 1440.0, "minutes"),
    (1.0 / 86400.0, "seconds"),
)


def outcome_rows(
    per_accelerator_day: Mapping[str, float], *, accelerators: int | None = None, label: str = ""
) -> str:
    """Return the figure of upset rates by outcome: a dot on a logarithmic axis, and the rate in words.

    Parameters
    ----------
    per_accelerator_day : outcome ("corrected", "detected", "functional", "silent") to its rate, 1/day; an outcome that
        never happens has 0.
    accelerators : in the fleet; its rate a day is written beside.
    label : what the figure shows, for who cannot see it.
    """
    if not per_accelerator_day:
        raise ValueProblem("the figure of outcomes has no outcome to show")
    rates = {name: float(rate) for name, rate in per_accelerator_day.items()}
    positive = [rate for rate in rates.values() if rate > 0.0 and math.isfinite(rate)]
    low, high, ticks = decades(0.7 * min(positive, default=0.1), 1.4 * max(positive, default=1.0), 7)
    texts = {name: _told(rate, accelerators) for name, rate in rates.items()}
    left = max(text_width(name) for name in rates) + 16.0
    right = _WIDTH - max(text_width(text, 11.5) for text in texts.values()) - 18.0
    bottom = _TOP + _ROW * len(rates)

    def x(value: float) -> float:
        share = math.log(value / low) / math.log(high / low)
        return left + min(max(share, 0.0), 1.0) * (right - left)

    body = [rule("grid", x(value), _TOP, x(value), bottom) for value, _ in ticks]
    for index, (name, rate) in enumerate(rates.items()):
        body += _row(name, rate, texts[name], x, _TOP + _ROW * (index + 0.5), left, right)
    body += [words("tick", x(value), bottom + 15, text, anchor="middle") for value, text in ticks]
    body.append(words("axis", (left + right) / 2, bottom + 33, "per accelerator and day", anchor="middle"))
    body.append(f"<desc>{escape('; '.join(f'{name}: {texts[name]}' for name in rates))}</desc>")
    return svg("".join(body), _WIDTH, bottom + _BOTTOM, label or "Upsets by outcome, per accelerator and day")


def _row(
    name: str, rate: float, text: str, x: Callable[[float], float], middle: float, left: float, right: float
) -> Iterator[str]:
    colour = _COLOURS.get(name, "grey")
    yield rule("grid", left, middle, right, middle)
    yield words("name", left - 10, middle + 4, name, anchor="end")
    if rate > 0.0 and math.isfinite(rate):
        yield (
            f'<circle class="spot" r="6" cx="{x(rate):.1f}" cy="{middle:.1f}" fill="{paint(colour)}">'
            f"<title>{escape(f'{name}: {text}')}</title></circle>"
        )
    yield words("value", right + 14, middle + 4, text)


def _told(rate: float, accelerators: int | None) -> str:
    if math.isnan(rate):
        return "not known"
    if rate <= 0.0:
        return "none"
    text = f"{rounded(rate, 2)} a day · one in {time_between(rate)}"
    return text if accelerators is None else f"{text} · fleet: {rounded(rate * accelerators, 2)} a day"


def time_between(per_day: float) -> str:
    """Return the mean time between events at a rate of so many a day: "3.1 hours", "2.7 × 10⁶ years"."""
    days = 1.0 / per_day
    size, unit = next(((size, unit) for size, unit in _SPANS if days >= size), _SPANS[-1])
    amount = days / size
    text = rounded(amount, 2) if amount >= 1e6 or amount < 1e-3 else number(amount, 2)
    return f"{text} {unit[:-1] if text in ('1', '1.0') else unit}"
