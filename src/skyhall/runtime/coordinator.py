"""The coordinator: a pure step, from what is known and what happened to what is known then and what to do.

It holds no clock, file, process or random number. Everything it acts on is an event that was in the journal first, so
that a run can be replayed to any point and continued from there.

A job goes on in rounds. Members (satellites in the light, one copy each) begin with the same verified state, execute
the same units, and report the digest of the state that results. At `exact` a digest that a quorum and a majority share
is the new verified state; whoever has another takes that one's checkpoint; where no two agree, all go back and do the
round again. At `bounded` the one member has verified itself (`integrity.StepGuard`). Between two rounds copies move
away from dusk, checkpoints are written and replicated, and satellites that were lost are replaced.

Where a unit has parts (replicas in training), each satellite executes the part that is its own, the copies of a part
agree on its contribution, contributions are exchanged over the links, and every satellite merges the same verified
ones. A contribution that is outvoted is never sent.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from skyhall.errors import ValueProblem
from skyhall.runtime.journal import Event
from skyhall.runtime.placement import Candidate, PlacementState, refuse_wrong_placement
from skyhall.runtime.state import Command, Round, RunPlan, RunState, Seat, Stored, Transfer

__all__ = ["begin", "step"]

_MOST_REDOS = 50  # of one round without agreement; flips that come so often leave nothing to agree on
_UPSETS_A_ROUND = 0.3  # expected in all its executions: three rounds in four then agree at once
_ROUND_REAL_S = 2.0  # so that progress is seen and little is lost
_MOST_ROUND_UNITS = 100
_MOST_STILLBORN = 3
_INFINITE_TIMES = 5  # that all copies must agree on a result with NaN or infinity before it counts
_SULK_S = 600.0  # simulated; that a satellite is left alone that could not write, read or receive
_REFUSALS = 2  # in a row, before it is
_ANSWER_REAL_S = 120.0  # for what takes milliseconds on a quiet machine
_PATIENCE_REAL_S = 5.0  # that a quorum waits for the other members' state
_UNITS_LATE = 10.0  # times the time that units took so far
_TIGHT = 3.0  # times the mean upset rate: inside the South Atlantic Anomaly, and checked more closely
_COUNTED = (
    "injected", "detected", "corrected", "redone", "uncorrected", "covered_flops", "uncovered_flops",
)  # fmt: skip


def begin(plan: RunPlan) -> RunState:
    """Return what is known before the first event."""
    start = plan.sky.start
    return RunState(
        now=start, seats=[Seat() for _ in plan.sky.names], next_checkpoint=start + plan.checkpoint_s
    )


def step(plan: RunPlan, state: RunState, event: Event) -> tuple[RunState, list[Command]]:
    """Return the state after an event, and what is to be done; the given state is left as it is."""
    then = _Step(plan, state.copy())
    then.take(event)
    if not (then.state.finished or then.state.failed):
        then.drive()
    return then.state, then.commands


class _Step:
    """One step: first the event is taken in, then whatever should be going on is set going."""

    def __init__(self, plan: RunPlan, state: RunState) -> None:
        self.plan, self.state = plan, state
        self.commands: list[Command] = []

    # What happened.

    def take(self, event: Event) -> None:
        """Take in an event; what a process of an older epoch says is refused."""
        state = self.state
        earlier, state.now = state.now, max(state.now, event.time)
        self._progress_transfers(earlier)
        if event.satellite is not None and event.kind != "carried":
            seat = state.seats[event.satellite]
            if event.epoch == seat.epoch and self._is_awaited(seat, event):
                getattr(self, f"_{event.kind}")(event.satellite, seat, event.data)
            elif event.epoch == seat.epoch:
                state.counts["late_answers"] += 1
            elif event.kind != "gone":  # a zombie: whatever it says is of a life that is over
                state.counts["refused"] += 1
                self._note("refused", event.satellite, said=event.kind, epoch=event.epoch, now=seat.epoch)
                self._do("dismiss", event.satellite, event.epoch)
        elif event.kind == "carried":
            self._carried(event)
        elif event.kind == "resumed":
            self._resumed()

    @staticmethod
    def _is_awaited(seat: Seat, event: Event) -> bool:
        """Say whether an answer is to the last command; one to an earlier command changes nothing any more."""
        answers = event.kind in ("ready", "ended") or (
            event.kind == "failed" and event.data["what"] != "save"
        )
        return not answers or event.data.get("asked") == seat.asked

    def _up(self, satellite: int, seat: Seat, data: Any) -> None:
        seat.process, seat.stillborn, seat.struck = "up", 0, False
        pins = str(data.get("pins", ""))
        self.state.pins = self.state.pins or pins
        if pins != self.state.pins:  # its bits would differ for ever
            self._note("given up", satellite, reason="its kernels or versions give other bits", pins=pins)
            seat.lost = True
            self._do("kill", satellite, seat.epoch)
        # Storage may hold what this coordinator has never heard of, or no longer what it thinks.
        self._keep_only(seat, data["kept"])

    def _ready(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in that a state is in a satellite's memory; one that is not the verified one is refused."""
        if seat.task != "loading":
            return
        state = self.state
        done, digest = int(data["done"]), str(data["digest"])
        seat.have, seat.digest, seat.task = done, digest, "ready"
        seat.due, seat.refusals = math.inf, 0
        known = state.digests.get(done)
        if known is not None and known[seat.part] != digest:
            state.counts["state_refused"] += 1
            self._note("state refused", satellite, done=done, digest=digest, verified=known[seat.part])
            seat.stored.pop(done, None)
            self._forget(seat)

    def _ended(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in a member's report of a round, or of a phase of it."""
        state, current = self.state, self.state.round
        self._count(data)
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

    def _saved(self, satellite: int, seat: Seat, data: Any) -> None:
        done = int(data["done"])
        seat.saving, seat.saving_due = None, math.inf
        if done in self.state.digests and data["digest"] not in self.state.digests[done]:
            self.state.counts["state_refused"] += 1
            self._note("checkpoint refused", satellite, done=done)
            return
        self._keep_only(seat, data["kept"])
        seat.stored[done] = Stored(str(data["digest"]), int(data["size"]))
        self.state.counts["checkpoints"] += 1
        self._note("checkpoint", satellite, done=done, bytes=data["size"])

    def _failed(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in that a satellite could not do something: write (a full disk), read, or go back."""
        what = data["what"]
        self.state.counts[f"{what}_failed"] += 1
        self._note(f"{what} failed", satellite, reason=data["reason"], done=data.get("done"))
        if what == "save":
            seat.saving, seat.saving_due = None, math.inf
            seat.sulks_until = self.state.now + _SULK_S
            return
        if what == "load":
            seat.stored.pop(int(data["done"]), None)
            self._refused(seat)
        if self.state.round and satellite in self.state.round.members and seat.task == "running":
            self.state.round.reports[satellite] = ""
        self._forget(seat)

    def _refused(self, seat: Seat) -> None:
        """Leave a satellite alone for some time that cannot take what it is given."""
        seat.refusals += 1
        if seat.refusals >= _REFUSALS:
            seat.refusals, seat.sulks_until = 0, self.state.now + _SULK_S

    def _gone(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in that a process is gone; from now on nothing is believed of its epoch."""
        seat.epoch += 1
        self.state.counts["processes_lost"] += 1
        self._note("process lost", satellite, reason=data.get("reason", ""))
        seat.stillborn += seat.process == "starting" and not seat.struck
        if seat.stillborn == _MOST_STILLBORN:  # it lacks something that another try does not bring
            seat.lost = True
            self.state.error = str(data.get("reason", ""))
            self._note("given up", satellite, reason=self.state.error)
        seat.process, seat.saving, seat.saving_due, seat.struck = "down", None, math.inf, False
        seat.back_at = max(seat.back_at, self.state.now)
        self._forget(seat)
        for number, each in list(self.state.transfers.items()):
            if satellite in (each.source, each.target):
                self._drop_transfer(number, "an end is gone")

    def _carried(self, event: Event) -> None:
        """Take in that a file arrived, whole or not."""
        state, data = self.state, event.data
        transfer = state.transfers.pop(int(data["transfer"]), None)
        if transfer is None:
            return
        source, target = state.seats[transfer.source], state.seats[transfer.target]
        other = (
            data["ok"] and data["digest"] != transfer.digest
        )  # whole, and not what the source was thought to have
        if not data["ok"] or other:
            state.counts["transfers_failed"] += 1
            reason = "it is another state than was thought" if other else data["reason"]
            self._note("transfer failed", transfer.target, source=transfer.source, reason=reason)
            if not (data.get("at_source") or other):
                self._refused(target)
            elif transfer.part is None:
                source.stored.pop(transfer.done, None)
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

    def _resumed(self) -> None:
        """Take in that the coordinator was gone: no process outlives it, storage does."""
        self.state.counts["coordinator_restarts"] += 1
        self._note("resumed", None, verified=self.state.verified)
        self.state.transfers.clear()
        self.state.round = None
        for seat in self.state.seats:
            seat.epoch += 1
            seat.process, seat.saving, seat.back_at = "down", None, self.state.now
            seat.saving_due, seat.struck = math.inf, False
            self._forget(seat)

    def _count(self, data: Any) -> None:
        for name in _COUNTED:
            self.state.counts[name] += int(data.get(name, 0))
        self.state.busy_s += float(data.get("busy_s", 0.0))

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

    # What should be going on.

    def drive(self) -> None:
        """Set going whatever should be."""
        if self.state.now >= self.plan.deadline:
            self._fail("the time that was given is over")
            return
        self._strike()
        self._kill_the_overdue()
        self._start_processes()
        self._land_transfers()
        self._darken()
        self._vote()
        self._exchange()
        if self.state.failed:
            return
        if self.state.round is None and not self._finish():
            self._place()
            self._prepare()
            self._checkpoint()
            self._go()
        if not self.state.finished:
            self._replicate()

    def _strike(self) -> None:
        """Do to satellites what the scenario does to them."""
        state = self.state
        for number, strike in enumerate(self.plan.strikes):
            if number in state.struck or not strike.is_due(state.now, state.verified):
                continue
            satellite = strike.satellite
            if satellite is None:
                if not state.members:
                    continue  # one that computes was asked for
                satellite = state.members[number % len(state.members)]
            state.struck.add(number)
            seat = state.seats[satellite]
            if seat.lost:
                continue
            alive = seat.process != "down"
            state.counts["stops" if strike.how == "stop" else "kills"] += alive
            self._note(strike.how, satellite, hit=alive)
            if strike.how == "stop":
                self._do("stop", satellite, seat.epoch, seconds=strike.lasts / self.plan.speedup)
                continue
            if alive:
                seat.struck = True
                self._do("kill", satellite, seat.epoch)
            seat.back_at = state.now + self.plan.reboot_s
            if strike.how == "lose":
                seat.lost = True
                seat.stored.clear()
                self._do("wipe", satellite)

    def _kill_the_overdue(self) -> None:
        """Kill processes that live and do not answer what they were asked."""
        for satellite, seat in enumerate(self.state.seats):
            if self.state.now <= min(seat.due, seat.saving_due):
                continue
            self.state.counts["overdue"] += 1
            self._note("overdue", satellite, task=seat.task, saving=seat.saving)
            seat.due = seat.saving_due = math.inf
            self._do("kill", satellite, seat.epoch)

    def _start_processes(self) -> None:
        for satellite, seat in enumerate(self.state.seats):
            if seat.process == "down" and not seat.lost and seat.back_at <= self.state.now:
                seat.epoch += 1
                seat.process = "starting"
                self._do("start", satellite, seat.epoch)

    def _land_transfers(self) -> None:
        for number, transfer in self.state.transfers.items():
            if transfer.left <= 0.0 and not transfer.landing:
                transfer.landing = True
                transfer.due = self._later(_ANSWER_REAL_S)
                given = {"source": transfer.source, "done": transfer.done, "part": transfer.part}
                self._do("carry", transfer.target, None, transfer=number, **given)

    def _darken(self) -> None:
        """Stop members whose light is over: what they were executing is lost."""
        for satellite in self.state.members:
            seat = self.state.seats[satellite]
            if seat.task == "running" and not self.plan.sky.is_lit(satellite, self.state.now):
                self.state.counts["dusk_in_a_round"] += 1
                self._note("dusk in a round", satellite)
                self._rest(satellite)

    def _vote(self) -> None:
        """End the round, or its phase, when every member has reported or is gone."""
        current = self.state.round
        if current is None or current.phase == "exchange":
            return
        if any(self.state.seats[each].task == "running" for each in current.members):
            return
        agreed = [self._agreed_on(current, part) for part in range(self.plan.parts)]
        if current.phase == "merge":
            alike = _agreed([each for each in current.common.values() if each], self.plan.quorum)
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

    def _agreed_on(self, current: Round, part: int) -> str | None:
        """Return the digest that the copies of a part agree on."""
        reports = [
            digest
            for each, digest in current.reports.items()
            if digest and self.state.seats[each].part == part and self.state.seats[each].task == "ended"
        ]
        return _agreed(reports, self.plan.quorum)

    def _outvote(self, current: Round, digests: Sequence[str]) -> None:
        """Have those begin anew who have another result than the copies of their part agree on."""
        for satellite in current.members:
            seat = self.state.seats[satellite]
            if seat.task == "ended" and seat.digest != digests[seat.part]:
                for name in ("outvoted", "detected", "corrected"):
                    self.state.counts[name] += 1
                verified = digests[seat.part]
                self._note("outvoted", satellite, done=current.until, digest=seat.digest, verified=verified)
                self._forget(seat)

    def _verify(self, current: Round, digests: tuple[str, ...]) -> None:
        """Adopt what was agreed on."""
        state = self.state
        by = [each for each in current.members if state.seats[each].task == "ended"]
        state.round, state.short_since = None, None
        state.redos = state.fruitless = 0
        state.doubted.clear()
        state.finite.clear()
        state.verified = current.until
        state.digests[current.until] = digests
        state.counts["rounds"] += 1
        for place, each in enumerate(zip(*(current.spent.get(one, ()) for one in by), strict=False)):
            state.spent[current.first + place] = max(each) + (0.0 if place else state.repeated_s)
        state.repeated_s = 0.0
        self._note("verified", None, first=current.first, done=current.until, digests=digests, by=by)
        for satellite in by:
            state.seats[satellite].task = "ready"

    def _begin_exchange(self, current: Round, digests: Sequence[str]) -> None:
        """Have the contributions that were agreed on sent to every member that is left."""
        sizes = [current.agreed[part][1] for part in range(self.plan.parts)]
        current.agreed = {part: (digest, sizes[part]) for part, digest in enumerate(digests)}
        current.phase, current.reports = "exchange", {}
        current.due = self._later(_ANSWER_REAL_S)
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
        if self.state.fruitless > _MOST_REDOS:
            what = f"units {current.first} to {current.until} gave no agreement in {_MOST_REDOS} rounds"
            self._fail(f"{what}: {self.state.error}" if self.state.error else what)
        for satellite in current.members:
            seat = self.state.seats[satellite]
            if seat.task == "ended":
                seat.task = "loading"
                self._ask("back", satellite, done=current.first)

    def _finish(self) -> bool:
        """End the run once the last state is verified and stored on as many satellites as can be."""
        state = self.state
        if state.verified < self.plan.units:
            return False
        if not all(self._holders(state.verified, part) for part in range(self.plan.parts)):
            return False
        state.finished = True
        for satellite in state.members:
            self._rest(satellite)
        self._note("finished", None, done=state.verified, digests=state.digests[state.verified])
        return True

    def _place(self) -> None:
        """Have the policy choose who computes, and let go of whoever does not any more."""
        state, sky = self.state, self.plan.sky
        able = tuple(
            Candidate(satellite, sky.dusk(satellite, state.now) - state.now, satellite in state.members)
            for satellite, seat in enumerate(state.seats)
            if seat.process == "up"
            and not seat.lost
            and sky.is_lit(satellite, state.now)
            and (seat.sulks_until <= state.now or self._holds(seat))
            and self._can_have_the_state(satellite)
        )
        if self.plan.parts > 1:
            able = self._joined(able)
        margin = self.plan.margin_s + state.unit_s
        asked = PlacementState(state.now, self.plan.copies * self.plan.parts, margin, able)
        placed = tuple(sorted(self.plan.place(asked)))
        try:
            refuse_wrong_placement(asked, placed)
        except ValueProblem as error:
            self._fail(str(error))
            return
        self._explain(asked, placed)
        for satellite in state.members:
            if satellite in placed:
                continue
            if (
                sky.dusk(satellite, state.now) - state.now <= margin
                and sky.dusk(satellite, state.now) < sky.end
            ):
                state.counts["eclipses"] += 1
                self._note("dusk", satellite, at=sky.dusk(satellite, state.now))
                self._save_before_leaving(satellite, placed)
            self._rest(satellite)
        leaves = sorted(set(state.members) - set(placed))
        comes = sorted(set(placed) - set(state.members))
        for satellite in comes:
            if leaves:
                state.counts["moves"] += 1
                self._note("move", satellite, leaves=leaves)
        state.members = placed
        self._share_out(comes)

    def _share_out(self, comes: Sequence[int]) -> None:
        """Give those who come the parts that the fewest have."""
        seats = self.state.seats
        shared = Counter(dict.fromkeys(range(self.plan.parts), 0))
        shared.update(seats[each].part for each in self.state.members if each not in comes)
        for satellite in comes:
            fewest = min(shared, key=lambda part: (shared[part], part))
            seats[satellite].part = fewest
            shared[fewest] += 1
        while min(shared.values()) < self.plan.quorum < max(shared.values()):
            most, fewest = (
                max(shared, key=lambda part: shared[part]),
                min(shared, key=lambda part: shared[part]),
            )
            moved = max(each for each in self.state.members if seats[each].part == most)
            self._rest(moved)
            seats[moved].part = fewest
            shared.update({most: -1, fewest: 1})

    def _joined(self, able: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """Return the candidates that have a way to one of them: parts are exchanged."""
        anchor = max(able, key=lambda each: (each.computes, each.light_s), default=None)
        return tuple(
            each
            for each in able
            if anchor is not None and (each is anchor or self._rate(anchor.satellite, each.satellite) > 0.0)
        )

    def _save_before_leaving(self, satellite: int, placed: Sequence[int]) -> None:
        """Have the last one that holds the verified state store it before its light ends."""
        state, seat = self.state, self.state.seats[satellite]
        others = [
            each for each in placed if state.seats[each].part == seat.part and self._holds(state.seats[each])
        ]
        stored = self._holders(state.verified, seat.part)
        if self._holds(seat) and not others and not stored and seat.saving is None:
            self._save(satellite)

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

    def _explain(self, asked: PlacementState, placed: Sequence[int]) -> None:
        """Say why nothing runs, once for each reason."""
        state, sky = self.state, self.plan.sky
        waiting = ""
        needed = self.plan.quorum * self.plan.parts
        if len(placed) < needed:
            up = [each for each, seat in enumerate(state.seats) if seat.process == "up" and not seat.lost]
            dawns = sorted(sky.dawn(each, state.now) for each in up)
            if not any(not seat.lost for seat in state.seats):
                self._fail("every satellite is lost" + (f": {state.error}" if state.error else ""))
            elif len(up) < needed:
                waiting = "WaitingForSatellites"
            elif len([each for each in dawns if each > state.now]) > len(up) - needed:
                waiting = f"WaitingForSunlight until {dawns[needed - 1]:.0f}"
            else:
                waiting = "WaitingForLightOrLinks"
                self._refuse_units_without_end()
        elif not all(self._is_at_hand(part) for part in range(self.plan.parts)):
            waiting = "WaitingForState"  # a satellite that is down has it
        if waiting.split(" ")[0] != state.waiting.split(" ")[0]:
            if waiting:
                self._note("waits", None, why=waiting)
            if not state.waiting:
                state.waits.append((state.now, state.now))
        if state.waiting:
            state.waits[-1] = state.waits[-1][0], state.now
        state.waiting = waiting

    def _refuse_units_without_end(self) -> None:
        """End the run where one unit takes longer than any light lasts."""
        unit = self.state.unit_s
        if unit and (longest := self.plan.sky.longest_light()) <= unit:
            self._fail(
                f"a unit takes {unit:,.0f} s of simulated time, and no light lasts longer than {longest:,.0f} s: "
                "lower the speedup"
            )

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
        agreed = _agreed([str(seat.digest) for seat in ready], self.plan.quorum)
        if agreed is None:
            self._fail("the satellites make different first states from the same parameters")
            return
        state.digests[0] = (agreed,) * self.plan.parts
        for seat in ready:
            if seat.digest != agreed:
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

    def _is_stored(self, done: int, part: int) -> bool:
        """Say whether a part's state is in the storage of a satellite that is there or comes back."""
        return any(
            not seat.lost
            and done in seat.stored
            and seat.stored[done].digest == self.state.digests[done][part]
            for seat in self.state.seats
        )

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
        if not state.verified or not (
            state.now >= state.next_checkpoint or state.verified == self.plan.units
        ):
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
            state.next_checkpoint = state.now + self.plan.checkpoint_s

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
                level="full" if rate > _TIGHT * self.plan.sky.mean_upset_rate else "abft",
            )

    def _round_units(self, members: Sequence[int]) -> int:
        """Return how many units until the next comparison: few where upsets are many or the light is short."""
        plan, state = self.plan, self.state
        if plan.parts > 1:
            return 1
        if plan.round_units is not None:
            return plan.round_units
        if not state.unit_s:
            return 1
        light = min(plan.sky.dusk(each, state.now) - state.now for each in members)
        upsets = sum(self._upsets_per_unit(each) for each in members) if plan.protect == "exact" else 0.0
        limits = [
            float(_MOST_ROUND_UNITS),
            _ROUND_REAL_S * plan.speedup / state.unit_s,
            0.5 * (light - 0.5 * plan.margin_s) / state.unit_s,
            _UPSETS_A_ROUND / upsets if upsets else float(_MOST_ROUND_UNITS),
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

    # Small things.

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

    def _rate(self, source: int, target: int) -> float:
        return self.plan.sky.link(source, target, self.state.now).rate

    def _later(self, real_s: float) -> float:
        """Return the simulated time after so many real seconds."""
        return self.state.now + real_s * self.plan.speedup

    def _ask(self, kind: str, satellite: int, limit_s: float = 0.0, **data: Any) -> None:
        """Give a command that is answered, and remember until when."""
        state, seat = self.state, self.state.seats[satellite]
        state.serial += 1
        seat.asked, seat.due = state.serial, max(self._later(_ANSWER_REAL_S), state.now + limit_s)
        self._do(kind, satellite, seat.epoch, asked=state.serial, **data)

    def _load(self, satellite: int, source: str) -> None:
        self.state.seats[satellite].task = "loading"
        self._ask("load", satellite, source=source, done=self.state.verified)

    def _save(self, satellite: int) -> None:
        seat = self.state.seats[satellite]
        seat.saving, seat.saving_due = self.state.verified, self._later(_ANSWER_REAL_S)
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

    def _fail(self, why: str) -> None:
        self.state.failed = why
        self._note("failed", None, why=why)

    def _do(self, kind: str, satellite: int | None, epoch: int | None = None, **data: Any) -> None:
        self.commands.append(Command(kind, satellite, epoch, data))

    def _note(self, what: str, satellite: int | None, **data: Any) -> None:
        self.commands.append(Command("note", satellite, None, {"what": what, **data}))


def _agreed(digests: Sequence[str], quorum: int) -> str | None:
    """Return the digest of a majority that is a quorum too; None where there is none, never a guess."""
    if not digests:
        return None
    digest, votes = Counter(digests).most_common(1)[0]
    return digest if votes >= quorum and 2 * votes > len(digests) else None
