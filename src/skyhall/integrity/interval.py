"""When to write a checkpoint and how closely to check: failures that surprise, and darkness that does not.

Against surprises the interval balances what writing costs with what a failure loses (Young, Daly). Dusk and the passes
of the South Atlantic Anomaly are known ahead: a checkpoint ends just before each dusk, and inside the anomaly failures
are more frequent, so that checkpoints come closer and checks are tightened. Times are seconds on any one clock.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from skyhall.integrity.errors import IntegrityError

__all__ = ["Level", "Moment", "Schedule", "daly", "expected_run", "schedule", "young"]

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Moment:
    """A checkpoint to begin at `time`, s, and why: the interval is over, or darkness comes."""

    time: float
    reason: Literal["interval", "dusk"]


@dataclass(frozen=True, slots=True)
class Level:
    """How closely to check from `start` to `end`, s; dark stretches have none."""

    start: float
    end: float
    level: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Checkpoints and levels of checking over a stretch of time, each in order."""

    moments: tuple[Moment, ...]
    levels: tuple[Level, ...]

    def level_at(self, time: float) -> str | None:
        """Return the level at a time; None in the dark and outside the stretch."""
        return next((each.level for each in self.levels if each.start <= time < each.end), None)


def young(cost: float, mtbf: float) -> float:
    """Return the work between two checkpoints, s: sqrt(2 δ M).

    Parameters
    ----------
    cost : δ, of writing one checkpoint, s.
    mtbf : M, mean time between failures, s; infinite when nothing fails.

    Raises
    ------
    IntegrityError
        Unless the cost is at least 0 and finite, and the mean time above 0.

    Notes
    -----
    J. W. Young, *Communications of the ACM* 17 (1974) 530.
    """
    _check(cost, mtbf)
    return math.sqrt(2.0 * cost * mtbf) if cost else 0.0


def daly(cost: float, mtbf: float) -> float:
    """Return the work between two checkpoints, s, by Daly's higher-order estimate.

    sqrt(2 δ M) [1 + 1/3 sqrt(δ / 2M) + 1/9 δ / 2M] - δ for δ < 2 M, else M. Parameters and errors as for `young`.

    Notes
    -----
    J. T. Daly, *Future Generation Computer Systems* 22 (2006) 303, eq. 37. It minimises `expected_run` to 0.2 % of the
    time as long as δ < M / 2.
    """
    _check(cost, mtbf)
    if not cost:
        return 0.0
    if math.isinf(mtbf):
        return math.inf
    ratio = cost / (2.0 * mtbf)
    if ratio >= 1.0:
        return mtbf
    return math.sqrt(2.0 * cost * mtbf) * (1.0 + math.sqrt(ratio) / 3.0 + ratio / 9.0) - cost


def expected_run(work: float, interval: float, cost: float, mtbf: float, restart: float = 0.0) -> float:
    """Return the expected time to do `work`, s, with a checkpoint after every `interval` of it.

    M exp(R / M) (exp((τ + δ) / M) - 1) work / τ, failures exponentially distributed, also while writing or restarting
    (Daly 2006, eq. 20).

    Parameters
    ----------
    restart : R, from a failure until work goes on, s.
    """
    _check(cost, mtbf)
    return mtbf * math.exp(restart / mtbf) * math.expm1((interval + cost) / mtbf) * work / interval


def schedule(
    start: float,
    end: float,
    *,
    cost: float,
    mtbf: float,
    outages: Sequence[Span] = (),
    anomaly: Sequence[Span] = (),
    anomaly_mtbf: float | None = None,
    margin: float = 0.0,
    longest: float = math.inf,
    most_share: float = 1.0,
    levels: tuple[str, str] = ("abft", "full"),
) -> Schedule:
    """Return when to begin checkpoints and how closely to check, from `start` to `end`.

    The interval runs on through a change of rate by its share: half an interval outside leaves half of a shorter one
    inside the anomaly. Before each outage a checkpoint ends `margin` ahead of it, unless the light is too short to
    write one; an interval's checkpoint that would still be writing then is left out. After an outage the interval
    begins anew.

    Parameters
    ----------
    cost : of writing a checkpoint, s.
    mtbf, anomaly_mtbf : mean time between failures outside and inside the anomaly, s; the second as the first if not
        given.
    outages : (begin, end) of darkness or other stops that are predicted, s; they may overlap and reach outside.
    anomaly : (begin, end) of the passes, likewise.
    margin : between the end of writing and dusk, s.
    longest : interval, s, however seldom failures are.
    most_share : of the time that may go into writing, however frequent they are, above 0; `longest` comes first.
    levels : outside and inside the anomaly.

    Raises
    ------
    IntegrityError
        For spans that end before they begin, negative or unusable costs, bounds or shares, and a checkpoint that costs
        nothing.
    """
    if not end > start or not math.isfinite(end - start):
        raise IntegrityError(f"the stretch from {start:g} to {end:g} s has no length", "end after start")
    if not cost > 0.0 or not margin >= 0.0:
        raise IntegrityError("a checkpoint costs time, and a margin is at least 0 s")
    if not longest > 0.0 or not 0.0 < most_share <= 1.0:
        raise IntegrityError("the longest interval is above 0 s, and the share of the time from above 0 to 1")
    inside_mtbf = mtbf if anomaly_mtbf is None else anomaly_mtbf
    outside, inside = (
        min(max(daly(cost, each), cost / most_share - cost), longest) for each in (mtbf, inside_mtbf)
    )
    intervals = outside, inside
    dark = _merged(outages, start, end)
    hot = _merged(anomaly, start, end)
    moments: list[Moment] = []
    shown: list[Level] = []
    for light_from, light_to in _gaps(dark, start, end):
        pieces = _pieces(light_from, light_to, hot)
        shown += [Level(a, b, levels[int(inside)]) for a, b, inside in pieces]
        # Darkness follows unless the stretch ends in light.
        last = light_to - cost - margin if light_to < end or _starts_at(outages, end) else None
        moments += _moments(pieces, intervals, cost, last)
    return Schedule(tuple(moments), tuple(shown))


def _moments(
    pieces: Sequence[tuple[float, float, bool]],
    intervals: tuple[float, float],
    cost: float,
    last: float | None,
) -> list[Moment]:
    """Return the checkpoints of one stretch of light; `last` begins the one before dusk."""
    found: list[Moment] = []
    elapsed = 0.0  # share of the interval
    at = pieces[0][0]  # when work goes on after the last checkpoint
    for begin, until, inside in pieces:
        at, interval = max(at, begin), intervals[int(inside)]
        while (due := at + (1.0 - elapsed) * interval) < until:
            found.append(Moment(due, "interval"))
            at, elapsed = due + cost, 0.0
        elapsed += max(0.0, until - at) / interval
    if last is None:
        return found
    found = [moment for moment in found if moment.time + cost <= last]
    return [*found, Moment(last, "dusk")] if last > pieces[0][0] else found


def _merged(spans: Sequence[Span], start: float, end: float) -> list[Span]:
    """Return the union of spans within the stretch, in order."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if not last >= first:
            raise IntegrityError(f"a span ends at {last:g} s before it begins at {first:g} s")
        begin, until = max(first, start), min(last, end)
        if until <= begin:
            continue
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((begin, until))
    return found


def _starts_at(spans: Sequence[Span], time: float) -> bool:
    return any(begin <= time < until for begin, until in spans)


def _gaps(spans: Sequence[Span], start: float, end: float) -> list[Span]:
    edges = [start, *(time for span in spans for time in span), end]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]


def _pieces(start: float, end: float, hot: Sequence[Span]) -> list[tuple[float, float, bool]]:
    """Return a stretch parted where it enters or leaves the anomaly: (begin, end, inside)."""
    edges = sorted({start, end, *(time for span in hot for time in span if start < time < end)})
    return [(a, b, any(begin <= a and b <= until for begin, until in hot)) for a, b in pairwise(edges)]


def _check(cost: float, mtbf: float) -> None:
    if not 0.0 <= cost < math.inf:
        raise IntegrityError(f"a checkpoint cannot cost {cost:g} s", "at least 0 s")
    if not mtbf > 0.0:
        raise IntegrityError(f"a mean time of {mtbf:g} s between failures", "above 0 s")
