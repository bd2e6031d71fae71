"""What every part of the coordinator's step stands on: plan, state and commands, and questions asked of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from skyhall.runtime.state import Command, RunPlan, RunState, Seat

__all__ = ["Ground"]

_ANSWER_REAL_S = 120.0  # for what takes milliseconds on a quiet machine


class Ground:
    """One step: a copy of the state, which it changes, and the commands that come of it."""

    def __init__(self, plan: RunPlan, state: RunState) -> None:
        self.plan, self.state = plan, state
        self.commands: list[Command] = []

    def _holds(self, seat: Seat) -> bool:
        """Say whether a satellite has the verified state in memory."""
        done = self.state.verified
        return (
            seat.task == "ready"
            and seat.have == done
            and done in self.state.digests
            and seat.digest == self.state.digests[done][seat.part]
        )

    def _has_stored(self, seat: Seat, part: int) -> bool:
        """Say whether a part's verified state is in a satellite's storage."""
        done = self.state.verified
        return done in seat.stored and seat.stored[done].digest == self.state.digests[done][part]

    def _holders(self, done: int, part: int) -> list[int]:
        """Return the satellites that can be reached and have a part's verified state in their storage."""
        if done not in self.state.digests:
            return []
        verified = self.state.digests[done][part]
        return [
            each
            for each, seat in enumerate(self.state.seats)
            if seat.process == "up" and done in seat.stored and seat.stored[done].digest == verified
        ]

    def _is_stored(self, done: int, part: int) -> bool:
        """Say whether a part's state is in the storage of a satellite that is there or comes back."""
        return any(
            not seat.lost
            and done in seat.stored
            and seat.stored[done].digest == self.state.digests[done][part]
            for seat in self.state.seats
        )

    def _rate(self, source: int, target: int) -> float:
        return self.plan.sky.link(source, target, self.state.now).rate

    def _answer_due(self) -> float:
        """Return the simulated time until which what takes milliseconds should have been answered."""
        return self.state.now + _ANSWER_REAL_S * self.plan.speedup

    def _ask(self, kind: str, satellite: int, limit_s: float = 0.0, **data: Any) -> None:
        """Give a command that is answered, and remember until when."""
        state, seat = self.state, self.state.seats[satellite]
        state.serial += 1
        seat.asked, seat.due = state.serial, max(self._answer_due(), state.now + limit_s)
        self._do(kind, satellite, seat.epoch, asked=state.serial, **data)

    def _save(self, satellite: int) -> None:
        seat = self.state.seats[satellite]
        seat.saving, seat.saving_since = self.state.verified, self.state.now
        self.state.checkpoint_at = self.state.now
        seat.saving_due = self._answer_due()
        self._do("save", satellite, seat.epoch, done=self.state.verified)

    def _rest(self, satellite: int) -> None:
        seat = self.state.seats[satellite]
        if seat.process == "up":
            self._do("rest", satellite, seat.epoch)
        self._forget(seat)

    @staticmethod
    def _keep_only(seat: Seat, kept: Sequence[int]) -> None:
        """Believe what a satellite says of its storage, which drops old checkpoints by itself."""
        for done in [each for each in seat.stored if each not in kept]:
            del seat.stored[done]

    def _forget(self, seat: Seat) -> None:
        if seat.task == "running" and self.state.round is not None:  # what it computed is never reported
            self.state.lost_busy_s += (self.state.now - self.state.round.begun) / self.plan.speedup
        seat.task, seat.have, seat.digest = "idle", None, None
        seat.asked, seat.due = 0, math.inf

    def _give_up(self, satellite: int, reason: str, **more: Any) -> None:
        """Have a satellite do no more for this job."""
        self._note("given up", satellite, reason=reason, **more)
        self.state.seats[satellite].lost = True
        self._do("kill", satellite, self.state.seats[satellite].epoch)

    def _fail(self, why: str) -> None:
        self.state.failed = why
        self._note("failed", None, why=why)

    def _do(self, kind: str, satellite: int | None, epoch: int | None = None, **data: Any) -> None:
        self.commands.append(Command(kind, satellite, epoch, data))

    def _note(self, what: str, satellite: int | None, **data: Any) -> None:
        self.commands.append(Command("note", satellite, None, {"what": what, **data}))
