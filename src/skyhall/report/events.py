"""Notable moments of a run: dropped element sets, eclipse seasons, longest eclipse, lowest charge, throttling."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from skyhall.chain import Assessment
from skyhall.constants import DAY
from skyhall.report.moments import utc
from skyhall.types import Array

__all__ = ["events", "events_jsonl"]

_TOGETHER = DAY  # stretches with shorter pauses between them are one
_NOTHING = 1e-6  # share of the full IT power below which nothing was shed


def events(assessment: Assessment) -> list[dict[str, Any]]:
    """Return the events in order of time, each with `time` (UTC) and `event`; element sets that were dropped first."""
    epoch = assessment.scenario.epoch
    dropped = [
        {"time": utc(epoch), "event": "element_set_dropped", "detail": sentence}
        for sentence in assessment.fleet.dropped
    ]
    timed = [*_seasons(assessment), *_charge(assessment), *_shed(assessment)]
    timed.sort(key=lambda item: item[0])
    return [*dropped, *({"time": utc(epoch, seconds), **event} for seconds, event in timed)]


def events_jsonl(assessment: Assessment) -> str:
    """Return the events as JSON Lines."""
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events(assessment))


_Timed = tuple[float, dict[str, Any]]


def _seasons(assessment: Assessment) -> list[_Timed]:
    fleet = assessment.fleet
    found: list[_Timed] = []
    for year, design, sized in zip(fleet.light, fleet.designs, fleet.sized, strict=True):
        shell = {"shell": design.name}
        fraction = year.eclipse_fraction.reshape(-1, year.eclipse_fraction.shape[-1]).max(axis=0)
        if fraction.max() > 0:
            minutes = round(float(sized.longest_eclipse) / 60.0, 3)
            moment = float(year.seconds[int(np.argmax(fraction))])
            found.append((moment, {"event": "longest_eclipse", **shell, "duration_min": minutes}))
        if year.beta.ndim == 1:
            for begin, end in year.summary().seasons:
                found.append((begin * DAY, {"event": "eclipse_season_begins", **shell}))
                found.append((end * DAY, {"event": "eclipse_season_ends", **shell}))
    return found


def _charge(assessment: Assessment) -> list[_Timed]:
    timeline = assessment.flight.timeline
    row = int(np.nanargmin(timeline.battery_p05))
    return [
        (
            float(timeline.seconds[row]) + timeline.interval_s,
            {
                "event": "lowest_charge",
                "stored_share_p05": round(float(timeline.battery_p05[row]), 6),
                "lowest_of_flight": round(float(assessment.flight.delivered.lowest_battery.min()), 6),
            },
        )
    ]


def _shed(assessment: Assessment) -> list[_Timed]:
    timeline, fleet = assessment.flight.timeline, assessment.fleet
    least = _NOTHING * fleet.it_power / len(fleet)
    found: list[_Timed] = []
    for name, shed in (
        ("throttled_for_heat", timeline.heat_shed_w),
        ("short_of_power", timeline.power_shed_w),
    ):
        for first, last in _stretches(timeline.seconds, shed > least):
            mean = float(np.average(shed[first : last + 1], weights=timeline.weight[first : last + 1]))
            begin, end = float(timeline.seconds[first]), float(timeline.seconds[last]) + timeline.interval_s
            found.append((begin, {"event": f"{name}_begins", "mean_w_per_satellite": round(mean, 3)}))
            found.append((end, {"event": f"{name}_ends"}))
    return found


def _stretches(seconds: Array, true: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, last) rows of the stretches where `true`, joined over short pauses."""
    rows = np.flatnonzero(true)
    if not len(rows):
        return []
    cuts = np.flatnonzero(np.diff(seconds[rows]) > _TOGETHER)
    firsts, lasts = np.concatenate([[0], cuts + 1]), np.concatenate([cuts, [len(rows) - 1]])
    return [(int(rows[a]), int(rows[b])) for a, b in zip(firsts, lasts, strict=True)]
