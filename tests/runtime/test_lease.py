"""The lease of this machine's engine: who does not answer a ping is given up; the engine's own pauses do not count."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from skyhall.runtime.engines import local
from skyhall.runtime.engines.local import LocalEngine

LEASE = 10.0


class Process:
    """A process that is up, and of which nothing is read here."""

    def __init__(self) -> None:
        self.stdin = io.BytesIO()

    def poll(self) -> None:
        return None

    def pings(self) -> int:
        return sum(json.loads(line)["kind"] == "ping" for line in self.stdin.getvalue().splitlines())


class Fleet:
    """An engine with processes by hand, at a clock by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answering: tuple[bool, ...]) -> None:
        self.now = 1000.0
        monkeypatch.setattr(local.time, "monotonic", lambda: self.now)
        self.engine = LocalEngine(lambda satellite, epoch: None, lease=LEASE)  # type: ignore[arg-type, return-value]
        self.answering = answering
        self.processes = [Process() for _ in answering]
        for satellite, process in enumerate(self.processes):
            child = local._Child(satellite, 1, process, None, up=True)  # type: ignore[arg-type]
            self.engine._children[satellite, 1] = child

    def look(self, seconds: float, *, answers: bool = True) -> set[int]:
        """Let so much time pass, look, and return who was given up; then those that answer do."""
        self.now += seconds
        gone = {each.satellite for each in self.engine.hear(0.0) if each.kind == "gone"}
        if answers:
            for satellite, well in enumerate(self.answering):
                if well:
                    self.engine._children[satellite, 1].owes = None  # as the thread that listens does
        return gone

    def looks(self, seconds: float, **more: Any) -> set[int]:
        """Look ten times a second for so long."""
        gone: set[int] = set()
        for _ in range(round(seconds * 10)):
            gone |= self.look(0.1, **more)
        return gone


def test_who_does_not_answer_is_given_up_once_and_who_does_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(monkeypatch, (True, False))
    assert fleet.looks(0.9 * LEASE) == set()
    assert fleet.looks(0.5 * LEASE) == {1}
    assert fleet.looks(5.0 * LEASE) == set()
    assert fleet.processes[0].pings() > fleet.processes[1].pings() > 2


@pytest.mark.parametrize("pause", [1.5 * LEASE, 100.0 * LEASE])
def test_a_pause_of_the_engine_fences_nobody(monkeypatch: pytest.MonkeyPatch, pause: float) -> None:
    fleet = Fleet(monkeypatch, (True, True))
    fleet.looks(3.0)
    fleet.looks(0.3 * LEASE, answers=False)
    assert all(child.owes for child in fleet.engine._children.values()), "they were asked before the pause"
    # What they answered is not read at once.
    assert fleet.look(pause, answers=False) == set()
    assert fleet.look(0.1, answers=False) == set()
    assert fleet.look(0.1) == set()
    assert fleet.looks(3.0 * LEASE) == set()


def test_a_silent_one_is_given_up_after_a_pause_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(monkeypatch, (True, False))
    fleet.looks(0.8 * LEASE)
    assert fleet.look(50.0 * LEASE) == set()
    assert fleet.looks(0.5 * LEASE) == {1}


def test_who_was_not_asked_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(monkeypatch, (True,))
    fleet.looks(1.0)
    # Slow looks, none of them a pause: each ping is answered before the next look.
    assert all(fleet.look(0.49 * LEASE) == set() for _ in range(20))
