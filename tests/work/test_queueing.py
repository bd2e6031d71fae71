"""Latency of batches, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyhall.work.queueing import Latencies, latencies


def only(*arguments: object) -> float:
    """Return the latency of the only request."""
    found = latencies(*arguments)  # type: ignore[arg-type]
    assert found.p50_s == found.p99_s
    return found.p99_s


def test_a_batch_waits_for_its_last_request() -> None:
    # Starts at 4, done at 6: 6, 5 and 2 s after the arrivals.
    assert latencies([[0.0, 1.0, 4.0]], [2.0]) == Latencies(5.0, 6.0, 6.0)


def test_a_batch_waits_for_the_batch_before_it() -> None:
    # Done at 10 and at 13: latencies 10 and 12.
    assert latencies([[0.0], [1.0]], [10.0, 3.0]) == Latencies(10.0, 12.0, 12.0)


def test_an_idle_server_starts_at_once() -> None:
    assert latencies([[0.0], [100.0]], [1.0, 2.0]) == Latencies(1.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("outages", "expected"),
    [
        ([], 4.0),  # 10 to 14
        ([(0.0, 9.0)], 4.0),  # over before
        ([(14.0, 20.0)], 4.0),  # after it is done
        ([(5.0, 12.0)], 6.0),  # starts at 12
        ([(10.0, 12.0)], 6.0),
        ([(11.0, 16.0)], 9.0),  # 1 s of work, 5 dark, 3 of work
        ([(11.0, 12.0), (13.0, 15.0)], 7.0),
        ([(13.0, 15.0), (11.0, 14.0)], 8.0),  # overlapping, in any order: dark from 11 to 15
        ([(11.0, 20.0), (12.0, 13.0)], 13.0),  # one inside the other
        ([(12.0, 12.0)], 4.0),
    ],
)
def test_nothing_is_computed_in_an_outage_and_work_goes_on_after_it(
    outages: list[tuple[float, float]], expected: float
) -> None:
    assert only([[10.0]], [4.0], outages) == expected


def test_percentiles_are_those_of_a_request() -> None:
    # One batch of 100 requests that come a second apart: latencies 1, 2, ... 100 s.
    assert latencies([[float(second) for second in range(100)]], [1.0]) == Latencies(50.0, 95.0, 99.0)


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda span: (min(span), max(span))),
        max_size=5,
    ),
    st.integers(0, 40),
    st.integers(1, 20),
)
def test_latency_is_what_counting_lit_seconds_gives(
    outages: list[tuple[int, int]], arrival: int, work: int
) -> None:
    left, now = work, arrival
    while left:
        left -= not any(begin <= now < end for begin, end in outages)
        now += 1
    assert only([[arrival]], [work], outages) == now - arrival


@pytest.mark.parametrize(
    ("arrivals", "service", "outages", "what"),
    [
        ([[0.0]], [1.0, 1.0], [], "1 batches have 2"),
        ([[0.0], []], [1.0, 1.0], [], "holds no request"),
        ([], [], [], "no request"),
        ([[0.0]], [1.0], [(3.0, 2.0)], "ends before it begins"),
    ],
)
def test_what_cannot_be_asked_is_said(
    arrivals: list[list[float]], service: list[float], outages: list[tuple[float, float]], what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        latencies(arrivals, service, outages)
