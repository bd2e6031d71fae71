"""Axes: where ticks stand and what they say, for numbers, for minutes and for dates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from skyhall.constants import DAY, HOUR, MINUTE
from skyhall.report.formats import number

__all__ = ["Axis", "minute_axis", "nice_ticks", "tick_text", "time_axis"]


@dataclass(frozen=True, slots=True)
class Axis:
    """The x axis that panels share: its ends, its ticks with their texts, its title."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    title: str
    told: Callable[[float], str] = number  # how a value of it is written under the pointer


def nice_ticks(low: float, high: float, count: int = 5, *, step: float | None = None) -> list[float]:
    """Return ticks that enclose [low, high]: of 1, 2, 2.5 or 5 times a power of ten, or of `step`."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        span = abs(high) or 1.0
        low, high = low - 0.5 * span, high + 0.5 * span
    if step is None:
        power = 10.0 ** math.floor(math.log10(span / count))
        step = next(nice * power for nice in (1, 2, 2.5, 5, 10, 20) if nice * power * count >= span * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def tick_text(value: float, ticks: Sequence[float]) -> str:
    """Return `value` with as many decimal places as the step between `ticks` needs."""
    step = ticks[1] - ticks[0]
    places = next((n for n in range(9) if math.isclose(round(step, n), step, rel_tol=1e-6)), 9)
    text = f"{abs(value):,.{places}f}"
    return f"−{text}" if value < -1e-9 * step else text


def time_axis(epoch: datetime, low: float, high: float) -> Axis:
    """Return the axis of a stretch of time, in s after `epoch`: hours below three days, else days, months or years."""
    span = high - low
    start = (epoch + timedelta(seconds=low)).astimezone(UTC)
    if span <= 3 * DAY:
        return _hours(epoch, start, low, high)
    form, moments = "%-d %b %Y", _days(start, span) if span < 75 * DAY else _months(start, span)
    texts, year = [], None
    for each in moments:
        value = (each - epoch).total_seconds()
        if low <= value <= high:
            text = each.strftime("%-d %b") if span < 75 * DAY else each.strftime("%b")
            texts.append((value, text if each.year == year else f"{text} {each.year}"))
            year = each.year
    return Axis(
        low, high, texts, "date (UTC)", lambda value: (epoch + timedelta(seconds=value)).strftime(form)
    )


def _hours(epoch: datetime, start: datetime, low: float, high: float) -> Axis:
    step = next(size for size in (600, 1800, 3600, 7200, 21600, 43200) if (high - low) / size <= 12)
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    first = math.ceil((start - midnight).total_seconds() / step)
    ticks = []
    for index in range(first, first + 20):
        each = midnight + timedelta(seconds=index * step)
        value = (each - epoch).total_seconds()
        if value <= high:
            ticks.append((value, each.strftime("%-d %b" if each.hour == each.minute == 0 else "%H:%M")))
    return Axis(
        low,
        high,
        ticks,
        f"time (UTC), from {start:%-d %b %Y}",
        lambda value: (epoch + timedelta(seconds=value)).strftime("%-d %b %H:%M"),
    )


def _days(start: datetime, span: float) -> list[datetime]:
    step = next(size for size in (1, 2, 5, 7, 14) if span / DAY / size <= 10 or size == 14)
    first = datetime(start.year, start.month, start.day, tzinfo=UTC)
    return [first + timedelta(days=step * index) for index in range(int(span / DAY / step) + 2)]


def _months(start: datetime, span: float) -> list[datetime]:
    months = span / (30.44 * DAY)
    step = next(size for size in (1, 2, 3, 6, 12, 24, 60) if months / size <= 14 or size == 60)
    first = (start.month - 1) // step * step if step < 12 else 0
    return [
        datetime(start.year + (first + index) // 12, (first + index) % 12 + 1, 1, tzinfo=UTC)
        for index in range(0, int(months) + 2 * step, step)
    ]


def minute_axis(low: float, high: float, title: str) -> Axis:
    """Return an axis of minutes for a stretch in s."""
    ticks = [value * MINUTE for value in nice_ticks(low / MINUTE, high / MINUTE, 10)]
    inside = [(value, number(value / MINUTE)) for value in ticks if low <= value <= high]
    if high > 6 * HOUR:
        ticks = [value * HOUR for value in nice_ticks(low / HOUR, high / HOUR, 10)]
        inside = [(value, number(value / HOUR)) for value in ticks if low <= value <= high]
        return Axis(low, high, inside, f"{title} (h)", lambda value: f"{value / HOUR:.2f} h")
    return Axis(low, high, inside, f"{title} (min)", lambda value: f"{value / MINUTE:.1f} min")
