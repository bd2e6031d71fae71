"""Custody of the state: that the verified one is in every member's memory, stored, and on more than one satellite.

Checkpoints are written when it is time and before dusk, carried over the laser links at their rate, and replicated;
where every copy of the newest is lost, the job goes back to the newest that is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from skyhall.integrity.interval import Schedule, schedule
from skyhall.runtime.ground import Ground
from skyhall.runtime.journal import Event
from skyhall.runtime.state import LOOK_S, Seat, Stored, Transfer
from skyhall.runtime.votes import agreed_digest

__all__ = ["Custody"]

_MOST_WRITING = 1.0 / 20.0  # of the time, however many failures are expected, ours
_SULK_S = 600.0  # simulated; that a satellite is left alone that could not write, read or receive
_REFUSALS = 2  # in a row, before it is


class Custody(Ground):
    """The part of a step that looks after the state."""

    def _saved(self, satellite: int, seat: Seat, data: Any) -> None:
        done = int(data["done"])
        self.state.checkpoint_cost = self.state.now - seat.saving_since
        seat.saving, seat.saving_due = None, math.inf
        if done in self.state.digests and data["digest"] not in self.state.digests[done]:
            self.state.counts["state_refused"] += 1
            self._note("checkpoint refused", satellite, done=done)
            seat.stored.pop(done, None)
            return
        self._keep_only(seat, data["kept"])
        seat.stored[done] = Stored(str(data["digest"]), int(data["size"]))
        self.state.counts["checkpoints"] += 1
        self._note("checkpoint", satellite, done=done, bytes=data["size"])

    def _carried(self, event: Event) -> None:
        """Take in that a file arrived, whole or not."""
        state, data = self.state, event.data
        transfer = state.transfers.pop(int(data["transfer"]), None)
        if transfer is None:
            return
        source, target = state.seats[transfer.source], state.seats[transfer.target]
        # Whole, and not what the source was thought to have.
        other = data["ok"] and data["digest"] != transfer.digest
        if not data["ok"] or other:
            state.counts["transfers_failed"] += 1
            reason = "it is another state than was thought" if other else data["reason"]
            self._note("transfer failed", transfer.target, source=transfer.source, reason=reason)
            if not (data.get("at_source") or other):
                self._refused(target)
            elif transfer.part is None:
                source.stored.pop(transfer.done, None)
                if other:  # and it lies where the right one may have lain
                    target.stored.pop(transfer.done, None)
            elif state.round is not None:
                held = state.round.present.get(transfer.source, frozenset())
                state.round.present[transfer.source] = held - {transfer.part}
            return
        state.counts["transfers"] += 1
        target.refusals = 0
        if transfer.part is None:
            self._keep_only(target, data["kept"])
            target.stored[transfer.done] = Stored(str(data["digest"]), int(data["size"]))
        elif state.round is not None and state.round.number == transfer.round:
            present = state.round.present
            present[transfer.target] = present.get(transfer.target, frozenset()) | {transfer.part}

    def _refused(self, seat: Seat) -> None:
        """Leave a satellite alone for some time that cannot take what it is given."""
        seat.refusals += 1
        if seat.refusals >= _REFUSALS:
            self._leave_alone(seat)

    def _leave_alone(self, seat: Seat) -> None:
        """Neither place nor write nor send there for some time."""
        seat.refusals, seat.sulks_until = 0, self.state.now + _SULK_S

    def _progress_transfers(self, earlier: float) -> None:
        """Move what is under way by the time that has passed, at the rate of its link."""
        state = self.state
        for number, transfer in list(state.transfers.items()):
            link = self.plan.sky.link(transfer.source, transfer.target, earlier)
            ends = (state.seats[transfer.source], state.seats[transfer.target])
            if any(seat.lost or seat.process != "up" for seat in ends):
                self._drop_transfer(number, "an end is gone")
                continue
            if state.now > transfer.due:
                self._drop_transfer(number, "nothing was heard of it")
                continue
            if link.rate <= 0.0 and not transfer.landing:
                self._drop_transfer(number, "the link broke")
                continue
            passed = state.now - transfer.seen
            transfer.seen = state.now
            spent = min(passed, transfer.waits)
            transfer.waits -= spent
            transfer.left -= (passed - spent) * link.rate

    def _drop_transfer(self, number: int, reason: str) -> None:
        transfer = self.state.transfers.pop(number)
        self.state.counts["transfers_failed"] += 1
        self._note("transfer failed", transfer.target, source=transfer.source, reason=reason)

    def _land_transfers(self) -> None:
        for number, transfer in self.state.transfers.items():
            if transfer.left <= 0.0 and not transfer.landing:
                transfer.landing = True
                transfer.due = self._answer_due()
                given = {"source": transfer.source, "done": transfer.done, "part": transfer.part}
                self._do("carry", transfer.target, None, transfer=number, **given)

    def _can_have_the_state(self, satellite: int) -> bool:
        """Say whether the verified state is in a satellite's memory or storage, or can come over a link."""
        state, seat = self.state, self.state.seats[satellite]
        if self._holds(seat) or state.verified == 0 or self._has_stored(seat, seat.part):
            return True
        sources = [
            each
            for each, other in enumerate(state.seats)
            if self._holds(other) or other.saving == state.verified
        ]
        sources += [each for part in range(self.plan.parts) for each in self._holders(state.verified, part)]
        if not sources:
            return True  # all go back to an older one
        return any(self.plan.sky.link(each, satellite, state.now).rate > 0.0 for each in sources)

    def _save_before_leaving(self, satellite: int, placed: Sequence[int]) -> None:
        """Have the last one that holds the verified state store it before its light ends."""
        state, seat = self.state, self.state.seats[satellite]
        others = [
            each for each in placed if state.seats[each].part == seat.part and self._holds(state.seats[each])
        ]
        stored = self._holders(state.verified, seat.part)
        if self._holds(seat) and not others and not stored and seat.saving is None:
            self._save(satellite)

    def _prepare(self) -> None:
        """Bring the verified state into every member's memory."""
        state = self.state
        if state.failed or not state.members:
            return
        if state.verified not in state.digests:  # the first state, of which there is no digest yet
            self._begin_afresh()
            return
        if all(self._holds(state.seats[each]) for each in state.members):
            return
        if not all(self._is_left(part) for part in range(self.plan.parts)):
            self._fall_back()
        for satellite in [each for each in state.members if not self._holds(state.seats[each])]:
            if state.seats[satellite].task == "ready":  # with another state
                self._rest(satellite)
            seat = state.seats[satellite]
            if seat.task != "idle":
                continue
            if self._has_stored(seat, seat.part):
                self._load(satellite, "file")
            elif state.verified == 0:
                self._load(satellite, "fresh")
            else:
                self._fetch(satellite)

    def _begin_afresh(self) -> None:
        """Have every member make the first state, and agree on it."""
        state = self.state
        for satellite in state.members:
            if state.seats[satellite].task == "idle":
                self._load(satellite, "fresh")
        ready = [state.seats[each] for each in state.members if state.seats[each].task == "ready"]
        if len(ready) < len(state.members) or len(ready) < self.plan.quorum * self.plan.parts:
            return
        found = agreed_digest([str(seat.digest) for seat in ready], self.plan.quorum)
        if found is None:
            self._fail("the satellites make different first states from the same parameters")
            return
        state.digests[0] = (found,) * self.plan.parts
        for seat in ready:
            if seat.digest != found:
                self._forget(seat)

    def _is_at_hand(self, part: int) -> bool:
        """Say whether a part's verified state can be had now, or soon, from a satellite that is up."""
        state = self.state
        if state.verified == 0 or any(
            seat.part == part
            and (self._holds(seat) or seat.task == "loading" or seat.saving == state.verified)
            for seat in state.seats
        ):
            return True
        return bool(self._holders(state.verified, part)) or any(
            each.done == state.verified and each.part is None for each in state.transfers.values()
        )

    def _is_left(self, part: int) -> bool:
        """Say whether a part's verified state is at hand, or in the storage of a satellite that comes back."""
        return self._is_at_hand(part) or self._is_stored(self.state.verified, part)

    def _fall_back(self) -> None:
        """Go back to the newest verified state of which satellites have all parts stored, or to the beginning.

        One of them that is down is waited for: it reboots sooner than the work is done again.
        """
        state = self.state
        found = [
            done
            for done in state.digests
            if done < state.verified and all(self._is_stored(done, part) for part in range(self.plan.parts))
        ]
        to = max(found, default=0)
        state.counts["units_lost"] += state.verified - to
        self._note("fell back", None, lost=state.verified - to, done=to)
        state.verified = to
        state.digests = {done: digests for done, digests in state.digests.items() if done <= to}

    def _load(self, satellite: int, source: str) -> None:
        self.state.seats[satellite].task = "loading"
        self._ask("load", satellite, source=source, done=self.state.verified)

    def _fetch(self, satellite: int) -> None:
        """Have the verified state sent to a satellite, from storage, or from memory by way of storage."""
        state, part = self.state, self.state.seats[satellite].part
        if any(
            each.target == satellite and each.done == state.verified and each.part is None
            for each in state.transfers.values()
        ):
            return
        stored = [each for each in self._holders(state.verified, part) if self._rate(each, satellite) > 0.0]
        if stored:
            source = max(stored, key=lambda each: (self._rate(each, satellite), -each))
            held = state.seats[source].stored[state.verified]
            self._send(source, satellite, state.verified, held.digest, held.size)
            return
        holding = [
            each
            for each, seat in enumerate(state.seats)
            if seat.part == part
            and self._holds(seat)
            and self._rate(each, satellite) > 0.0
            and seat.sulks_until <= state.now
        ]
        if holding and not any(state.seats[each].saving == state.verified for each in holding):
            self._save(max(holding, key=lambda each: (self._rate(each, satellite), -each)))

    def _send(
        self, source: int, target: int, done: int, digest: str, size: int, part: int | None = None
    ) -> None:
        """Have a file sent: a state, or a part's contribution."""
        state = self.state
        link = self.plan.sky.link(source, target, state.now)
        bits = 8.0 * size
        state.sent += 1
        number = state.round.number if state.round is not None and part is not None else None
        state.transfers[state.sent] = Transfer(
            source, target, done, part, digest, number, bits, link.delay, state.now
        )
        state.moved_bits += bits
        state.move_s += bits / link.rate + link.delay
        self._note("transfer", target, source=source, done=done, part=part, bits=bits, rate=link.rate)

    def _checkpoint(self) -> None:
        """Store the verified state when it is time, and when the job is done."""
        state = self.state
        if not state.verified or not (self._is_due() or state.verified == self.plan.units):
            return
        able = [
            each
            for each in state.members
            if self._holds(state.seats[each]) and state.seats[each].sulks_until <= state.now
        ]
        for part in range(self.plan.parts):
            own = [each for each in able if state.seats[each].part == part]
            if self._holders(state.verified, part):
                continue
            for satellite in own[:2]:
                if state.seats[satellite].saving is None:
                    self._save(satellite)
        if able:
            state.checkpoint_at = state.now

    def _is_due(self) -> bool:
        """Say whether it is time for a checkpoint: for every member, as one that has time yet holds the state."""
        state = self.state
        if not state.counts["checkpoints"]:
            return True  # the first shows what one costs
        moments = [self._schedule(each).moments for each in state.members]
        return all(each and each[0].time <= state.now for each in moments)

    def _schedule(self, satellite: int) -> Schedule:
        """Return when a satellite should write checkpoints, from the last one on, and how closely it checks itself."""
        plan, state, cost = self.plan, self.state, self._checkpoint_cost()
        # As far as now and a dusk that asks for one now; what a checkpoint costs is another thing after the next.
        until = state.now + cost + self._margin() + plan.sky.slot
        return schedule(
            state.checkpoint_at,
            until,
            cost=cost,
            mtbf=self._mtbf(inside=False),
            anomaly_mtbf=self._mtbf(inside=True),
            outages=plan.sky.nights(satellite, state.now, until),
            anomaly=plan.sky.passes(satellite, state.checkpoint_at, until),
            margin=self._margin(),
            longest=plan.checkpoint_s,
            most_share=_MOST_WRITING,
        )

    def _mtbf(self, *, inside: bool) -> float:
        """Return the mean time between failures that take a member, s: what the run is told, and what the twin says.

        Strikes are taken as spread over the time that the job needs; functional interrupts come at the twin's rate,
        times the acceleration of the upsets, to every member.
        """
        plan, state = self.plan, self.state
        needs = min(plan.units * state.unit_s, plan.deadline - plan.sky.start)
        struck = len(plan.strikes) / needs if needs else 0.0
        faster = 1.0 if plan.acceleration is None else plan.acceleration
        rate = struck + len(state.members) * faster * plan.sky.interrupt_rate(inside=inside)
        return 1.0 / rate if rate else math.inf

    def _checkpoint_cost(self) -> float:
        """Return what a checkpoint costs, s; it is not known better than to a look around."""
        return max(self.state.checkpoint_cost, LOOK_S * self.plan.speedup)

    def _margin(self) -> float:
        """Return how long before dusk a satellite has ended its last unit and what it writes, s."""
        return self.plan.margin_s + self.state.unit_s

    def _replicate(self) -> None:
        """Give the newest stored state, where one satellite alone has it, to the one with the most light ahead."""
        state, sky = self.state, self.plan.sky
        for part in range(self.plan.parts):
            stored = {done for seat in state.seats for done in seat.stored}
            newest = max((done for done in stored if self._holders(done, part)), default=None)
            if newest is None or any(
                each.done == newest and each.part is None for each in state.transfers.values()
            ):
                continue
            holders = self._holders(newest, part)
            others = [
                each
                for each, seat in enumerate(state.seats)
                if len(holders) == 1
                and seat.process == "up"
                and newest not in seat.stored
                and seat.sulks_until <= state.now
                and self._rate(holders[0], each) > 0.0
            ]
            if others:
                target = max(others, key=lambda each: (sky.dusk(each, state.now), -each))
                held = state.seats[holders[0]].stored[newest]
                self._send(holders[0], target, newest, held.digest, held.size)
