"""How long requests wait for their answers, when a server takes them in batches and is dark at times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Latencies", "latencies"]


@dataclass(frozen=True, slots=True)
class Latencies:
    """Percentiles of the time from arrival to answer, s: each is one request's, none is interpolated."""

    p50_s: float
    p95_s: float
    p99_s: float


def latencies(
    arrivals: Sequence[Sequence[float]],
    service_s: Sequence[float],
    outages: Sequence[tuple[float, float]] = (),
) -> Latencies:
    """Return the percentiles of latency of requests that are answered batch by batch, in order, by one server.

    A batch starts when its last request has arrived, the batch before is done and no outage is on. Work that is in
    progress when an outage begins goes on after it. All requests of a batch are answered at its end.

    Parameters
    ----------
    arrivals : for each batch, when its requests come, s.
    service_s : for each batch, how long it computes, s.
    outages : spans (begin, end) without computing, s, in any order; they may overlap.

    Raises
    ------
    ValueError
        When the counts differ, no request is there, or an outage ends before it begins.
    """
    if len(arrivals) != len(service_s):
        raise ValueError(f"{len(arrivals)} batches have {len(service_s)} service times")
    if any(end < begin for begin, end in outages):
        raise ValueError("an outage ends before it begins")
    dark = sorted(outages)
    waited: list[float] = []
    now = -np.inf
    for batch, service in zip(arrivals, service_s, strict=True):
        if not batch:
            raise ValueError("a batch holds no request")
        now = _worked(max(now, *batch), service, dark)
        waited.extend(now - arrival for arrival in batch)
    if not waited:
        raise ValueError("there is no request")
    p50, p95, p99 = np.percentile(waited, (50, 95, 99), method="inverted_cdf").tolist()
    return Latencies(p50, p95, p99)


def _worked(start: float, work: float, outages: Sequence[tuple[float, float]]) -> float:
    """Return when `work` seconds of computing are done that may begin at `start`; outages ascend by their begin."""
    now, left = start, work
    for begin, end in outages:
        if end <= now:
            continue
        if now + left <= begin and now < begin:
            break
        left -= max(0.0, begin - now)
        now = end
    return now + left
