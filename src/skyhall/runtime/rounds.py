"""Rounds: units that members execute, what their copies agree on, and what is done where they do not.

Where a unit has parts, the contributions that were agreed on are exchanged, and every member merges the same ones.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from skyhall.runtime.custody import Custody
from skyhall.runtime.state import Round, Seat
from skyhall.runtime.votes import agreed_digest

__all__ = ["Rounds"]

_MOST_REDOS = 50  # of one round without agreement; flips that come so often leave nothing to agree on
_UPSETS_A_ROUND = 0.3  # expected in all its executions: three rounds in four then agree at once
_ROUND_REAL_S = 2.0  # so that progress is seen and little is lost
_MOST_ROUND_UNITS = 100
_INFINITE_TIMES = 5  # that all copies must agree on a result with NaN or infinity before it counts
_PATIENCE_REAL_S = 5.0  # that a quorum waits for the other members' state
_REPLAYS = 3  # executions of a replayed unit, of which two must agree to say which satellite is wrong
_UNITS_LATE = 10.0  # times the time that units took so far
_COUNTED = (
    "injected", "detected", "corrected", "redone", "uncorrected", "covered_flops", "uncovered_flops",
)  # fmt: skip


class Rounds(Custody):
    """The part of a step that begins and ends rounds."""

    def _ended(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in a member's report of a round, or of a phase of it."""
        state, current = self.state, self.state.round
        self._count(data)
        for alarm in data.get("alarms", ()):
            self._note("alarm", satellite, **{f"alarm_{name}": each for name, each in alarm.items()})
        if current is None or data["round"] != current.number or seat.task != "running":
            return
        seat.task, seat.have, seat.digest = "ended", current.until, str(data["digest"])
        seat.due = math.inf
        current.reports[satellite] = seat.digest
        current.spent[satellite] = tuple(data.get("spent", ()))
        if not data.get("finite", True):
            current.infinite |= {seat.digest}
        elif seat.digest:
            state.finite.add((seat.part, current.phase))
        if current.phase == "compute":
            units = current.until - current.first
            seen = (state.now - current.begun) / max(units, 1)
            # A stall of the machine is no longer unit.
            state.unit_s = 0.7 * state.unit_s + 0.3 * min(seen, 3.0 * state.unit_s) if state.unit_s else seen
        if current.phase == "compute" and self.plan.parts > 1 and seat.digest:
            current.agreed.setdefault(seat.part, (seat.digest, int(data["size"])))  # the vote corrects it
        if current.phase == "merge":
            current.common[satellite] = str(data["common"])
        if data.get("told"):
            state.told = str(data["told"])
        if data.get("error"):
            state.counts["errors"] += 1
            state.error = str(data["error"])
            self._note("execution failed", satellite, error=data["error"])

    def _count(self, data: Any) -> None:
        for name in _COUNTED:
            self.state.counts[name] += int(data.get(name, 0))
        self.state.busy_s += float(data.get("busy_s", 0.0))

    def _vote(self) -> None:
        """End the round, or its phase, when every member has reported or is gone."""
        current = self.state.round
        if current is None or current.phase == "exchange":
            return
        if any(self.state.seats[each].task == "running" for each in current.members):
            return
        agreed = [self._agreed_on(current, part) for part in range(self.plan.parts)]
        if current.phase == "merge":
            alike = agreed_digest([each for each in current.common.values() if each], self.plan.quorum)
            right = {each for each, digest in current.common.items() if digest == alike}
            if alike is None or not all(
                any(self.state.seats[each].part == part for each in right) for part in range(self.plan.parts)
            ):
                agreed = [None]
        digests = tuple(digest for digest in agreed if digest is not None)
        if None in agreed or self._collapsed(current, digests):
            self._unresolved(current)
            return
        self._outvote(current, digests)
        if self.plan.parts > 1 and current.phase == "compute":
            self._begin_exchange(current, digests)
        else:
            self._verify(current, digests)

    def _agreed_on(self, current: Round, part: int) -> str | None:
        """Return the digest that the copies of a part agree on."""
        reports = [
            digest
            for each, digest in current.reports.items()
            if digest and self.state.seats[each].part == part and self.state.seats[each].task == "ended"
        ]
        return agreed_digest(reports, self.plan.quorum)

    def _collapsed(self, current: Round, digests: Sequence[str]) -> bool:
        """Say whether copies may agree only because different faults ended in the same NaNs.

        All NaNs that arithmetic makes are alike: two copies with nothing in common but a number that overflowed can
        have the same digest. Where the job itself diverges, all copies say so time and again, and none ever a number.
        """
        infinite = [digest for digest in digests if digest in current.infinite]
        if not infinite or self.plan.quorum == 1:
            return False
        self.state.counts["infinite"] += 1
        self._note("agreed on NaN or infinity", None, first=current.first, done=current.until)
        doubtful = {part for part, digest in enumerate(digests) if digest in current.infinite}
        if any((part, current.phase) in self.state.finite for part in doubtful):
            return True  # some copy knew better
        if set(current.reports.values()) == set(digests):  # nobody has another result
            self.state.doubted.update(infinite)
        return min(self.state.doubted[digest] for digest in infinite) < _INFINITE_TIMES

    def _outvote(self, current: Round, digests: Sequence[str]) -> None:
        """Have those begin anew who have another result than the copies of their part agree on."""
        state = self.state
        for satellite in current.members:
            seat = state.seats[satellite]
            if seat.task == "ended" and seat.digest != digests[seat.part]:
                for name in ("outvoted", "detected", "corrected"):
                    state.counts[name] += 1
                verified = digests[seat.part]
                self._note("outvoted", satellite, done=current.until, digest=seat.digest, verified=verified)
                again = seat.digest == state.differed.get(satellite)
                self._forget(seat)
                if again:  # an upset would not have done the same twice
                    state.counts["defective"] += 1
                    doubt = state.alone.pop(satellite, 0)
                    state.counts["units_in_doubt"] += doubt
                    reason = "it gives the same wrong result again, and two others agree on another"
                    self._give_up(satellite, reason, units_in_doubt=doubt)

    def _verify(self, current: Round, digests: tuple[str, ...]) -> None:
        """Adopt what was agreed on."""
        state = self.state
        by = [each for each in current.members if state.seats[each].task == "ended"]
        state.round, state.short_since = None, None
        state.redos = state.fruitless = 0
        state.doubted.clear()
        state.finite.clear()
        if self.plan.replays:
            self._replayed(current, by)
        state.verified = current.until
        state.digests[current.until] = digests
        state.counts["rounds"] += 1
        for place, each in enumerate(zip(*(current.spent.get(one, ()) for one in by), strict=False)):
            state.spent[current.first + place] = max(each) + (0.0 if place else state.repeated_s)
        state.repeated_s = 0.0
        self._note("verified", None, first=current.first, done=current.until, digests=digests, by=by)
        for satellite in by:
            state.seats[satellite].task = "ready"

    def _copies(self) -> int:
        """Return how many copies of each part the next round wants."""
        if not (self.plan.replays and self.state.verified >= self.state.replay_at):
            return self.plan.copies
        return _REPLAYS if self.state.differed else 2

    def _replayed(self, current: Round, by: Sequence[int]) -> None:
        """Count what was replayed, with those who agreed, and what one satellite executed alone."""
        state = self.state
        if len(by) < 2:
            state.alone.update(dict.fromkeys(by, current.until - current.first))
            return
        state.counts["replays"] += 1
        for each in by:
            state.alone.pop(each, None)
        self._next_replay(current)

    def _next_replay(self, current: Round) -> None:
        self.state.replay_at, self.state.differed = current.first + self.plan.replay_units, {}

    def _differed(self, current: Round) -> None:
        """Have a third satellite say who is wrong; where three have different results, nobody can."""
        state = self.state
        state.counts["replays_differed"] += 1
        if state.differed:
            state.counts["replays_undecided"] += 1
            self._next_replay(current)
        else:
            state.differed = {each: digest for each, digest in current.reports.items() if digest}

    def _begin_exchange(self, current: Round, digests: Sequence[str]) -> None:
        """Have the contributions that were agreed on sent to every member that is left."""
        sizes = [current.agreed[part][1] for part in range(self.plan.parts)]
        current.agreed = {part: (digest, sizes[part]) for part, digest in enumerate(digests)}
        current.phase, current.reports = "exchange", {}
        current.due = self._answer_due()
        for satellite in current.members:
            seat = self.state.seats[satellite]
            if seat.task == "ended":
                current.present[satellite] = frozenset({seat.part})

    def _exchange(self) -> None:
        """Move contributions until every member has all, then have them merged."""
        state, current = self.state, self.state.round
        if current is None or current.phase != "exchange":
            return
        left = [each for each in current.members if state.seats[each].task == "ended"]
        wanting = False
        for target in left:
            for part in range(self.plan.parts):
                if part in current.present.get(target, frozenset()):
                    continue
                wanting = True
                on_the_way = any(
                    (each.target, each.done, each.part) == (target, current.until, part)
                    for each in state.transfers.values()
                )
                sources = [each for each in left if part in current.present.get(each, frozenset())]
                if not sources:
                    self._unresolved(current)
                    return
                linked = [each for each in sources if self._rate(each, target) > 0.0]
                if linked and not on_the_way:
                    best = max(linked, key=lambda each: (self._rate(each, target), -each))
                    self._send(best, target, current.until, *current.agreed[part], part)
        if wanting:
            if state.now > current.due:
                self._unresolved(current)
            return
        if any(
            sum(state.seats[each].part == part for each in left) < self.plan.quorum
            for part in range(self.plan.parts)
        ):
            self._unresolved(current)
            return
        current.phase = "merge"
        parts = {str(part): digest for part, (digest, _) in current.agreed.items()}
        for satellite in left:
            state.seats[satellite].task = "running"
            self._ask("merge", satellite, round=current.number, done=current.until, parts=parts)

    def _unresolved(self, current: Round) -> None:
        """Have a round done again on which no quorum agrees: nothing is adopted."""
        self.state.round = None
        reported = [
            {digest for each, digest in current.reports.items() if self.state.seats[each].part == part}
            for part in range(self.plan.parts)
        ]
        # What was lost with a satellite is no fault that was found.
        found = any(len(each) > 1 or "" in each or each & current.infinite for each in reported)
        self.state.counts["unresolved"] += 1
        self.state.counts["detected"] += found
        self.state.counts["redone"] += found * (current.until - current.first)
        self.state.repeated_s += max((sum(each) for each in current.spent.values()), default=0.0)
        self._note("unresolved", None, first=current.first, until=current.until, reports=current.reports)
        self.state.redos += 1
        self.state.fruitless += found
        if self.plan.replays and len({*current.reports.values()} - {""}) > 1:
            self._differed(current)
        if self.state.fruitless > _MOST_REDOS:
            what = f"units {current.first} to {current.until} gave no agreement in {_MOST_REDOS} rounds"
            self._fail(f"{what}: {self.state.error}" if self.state.error else what)
        for satellite in current.members:
            seat = self.state.seats[satellite]
            if seat.task == "ended":
                seat.task = "loading"
                self._ask("back", satellite, done=current.first)

    def _go(self) -> None:
        """Begin a round once every member holds the verified state, or a quorum has waited for the others."""
        state = self.state
        ready = tuple(each for each in state.members if self._holds(state.seats[each]))
        parts = Counter(state.seats[each].part for each in ready)
        if (
            state.failed
            or state.verified >= self.plan.units
            or any(parts[part] < self.plan.quorum for part in range(self.plan.parts))
        ):
            return
        if len(ready) < len(state.members):
            state.short_since = state.now if state.short_since is None else state.short_since
            if state.now < state.short_since + _PATIENCE_REAL_S * self.plan.speedup:
                return
            if self.plan.replays and len(ready) < 2:  # nobody waits longer for a replay
                state.replay_at, state.differed = state.verified + self.plan.replay_units, {}
        state.short_since = None
        until = min(state.verified + self._round_units(ready), self.plan.units)
        state.rounds += 1
        state.began = state.now if state.began is None else state.began
        state.round = Round(state.rounds, state.verified, until, ready, state.now)
        for satellite in ready:
            seat = state.seats[satellite]
            seat.task = "running"
            rate = float(self.plan.sky.upset_rate[satellite, self.plan.sky.index(state.now)])
            state.exposure += rate * state.unit_s * (until - state.verified)
            self._ask(
                "go",
                satellite,
                _UNITS_LATE * state.unit_s * (until - state.verified),
                round=state.rounds,
                first=state.verified,
                until=until,
                part=seat.part if self.plan.parts > 1 else None,
                upsets_per_unit=self._upsets_per_unit(satellite),
                level=self._schedule(satellite).level_at(state.now),
            )

    def _round_units(self, members: Sequence[int]) -> int:
        """Return how many units until the next comparison: few where upsets are many or the light is short."""
        plan, state = self.plan, self.state
        if plan.parts > 1 or (plan.replays and len(members) > 1):
            return 1
        ahead = state.replay_at - state.verified if plan.replays else 0
        if plan.round_units is not None:
            return min(plan.round_units, ahead) if ahead > 0 else plan.round_units
        if not state.unit_s:
            return 1
        light = min(plan.sky.dusk(each, state.now) - state.now for each in members)
        upsets = sum(self._upsets_per_unit(each) for each in members) if plan.protect == "exact" else 0.0
        limits = [
            float(_MOST_ROUND_UNITS),
            _ROUND_REAL_S * plan.speedup / state.unit_s,
            0.5 * (light - 0.5 * plan.margin_s) / state.unit_s,
            _UPSETS_A_ROUND / upsets if upsets else float(_MOST_ROUND_UNITS),
            float(ahead) if ahead > 0 else float(_MOST_ROUND_UNITS),
        ]
        return max(1, int(min(limits)) >> state.redos)

    def _upsets_per_unit(self, satellite: int) -> float:
        """Return the expected upsets of one execution of a unit, here and now."""
        plan, state = self.plan, self.state
        if plan.acceleration is not None:
            rate = float(plan.sky.upset_rate[satellite, plan.sky.index(state.now)])
            return rate * plan.acceleration * state.unit_s
        if not plan.faults:
            return 0.0
        return plan.faults / (plan.units * plan.copies * plan.parts)
