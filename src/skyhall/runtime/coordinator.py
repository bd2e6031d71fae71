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
from skyhall.runtime.rounds import Rounds
from skyhall.runtime.state import Command, RunPlan, RunState, Seat

__all__ = ["begin", "step"]

_MOST_STILLBORN = 3


def begin(plan: RunPlan) -> RunState:
    """Return what is known before the first event."""
    start = plan.sky.start
    return RunState(now=start, seats=[Seat() for _ in plan.sky.names], checkpoint_at=start)


def step(plan: RunPlan, state: RunState, event: Event) -> tuple[RunState, list[Command]]:
    """Return the state after an event, and what is to be done; the given state is left as it is."""
    then = _Step(plan, state.copy())
    then.take(event)
    if not (then.state.finished or then.state.failed):
        then.drive()
    return then.state, then.commands


class _Step(Rounds):
    """One step: first the event is taken in, then whatever should be going on is set going."""

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
        seat.process, seat.stillborn = "up", 0
        pins = str(data.get("pins", ""))
        self.state.pins = self.state.pins or pins
        if pins != self.state.pins:  # its bits would differ for ever
            self._give_up(satellite, "its kernels or versions give other bits", pins=pins)
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

    def _failed(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in that a satellite could not do something: write (a full disk), read, or go back."""
        what = data["what"]
        self.state.counts[f"{what}_failed"] += 1
        self._note(f"{what} failed", satellite, reason=data["reason"], done=data.get("done"))
        if what == "save":
            seat.saving, seat.saving_due = None, math.inf
            self._leave_alone(seat)
            return
        if what == "load":
            seat.stored.pop(int(data["done"]), None)
            self._refused(seat)
        if self.state.round and satellite in self.state.round.members and seat.task == "running":
            self.state.round.reports[satellite] = ""
        self._forget(seat)

    def _gone(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in that a process is gone; from now on nothing is believed of its epoch."""
        seat.epoch += 1
        self.state.counts["processes_lost"] += 1
        self._note("process lost", satellite, reason=data.get("reason", ""))
        seat.stillborn += seat.process == "starting" and bool(data.get("own"))  # and no kill from outside
        if seat.stillborn == _MOST_STILLBORN:  # it lacks something that another try does not bring
            seat.lost = True
            self.state.error = str(data.get("reason", ""))
            self._note("given up", satellite, reason=self.state.error)
        seat.process, seat.saving, seat.saving_due = "down", None, math.inf
        seat.back_at = max(seat.back_at, self.state.now)
        self._forget(seat)
        for number, each in list(self.state.transfers.items()):
            if satellite in (each.source, each.target):
                self._drop_transfer(number, "an end is gone")

    def _resumed(self) -> None:
        """Take in that the coordinator was gone: no process outlives it, storage does."""
        self.state.counts["coordinator_restarts"] += 1
        self._note("resumed", None, verified=self.state.verified)
        self.state.transfers.clear()
        self.state.round = None
        for seat in self.state.seats:
            seat.epoch += 1
            seat.process, seat.saving, seat.back_at = "down", None, self.state.now
            seat.saving_due = math.inf
            self._forget(seat)

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

    def _darken(self) -> None:
        """Stop members whose light is over: what they were executing is lost."""
        for satellite in self.state.members:
            seat = self.state.seats[satellite]
            if seat.task == "running" and not self.plan.sky.is_lit(satellite, self.state.now):
                self.state.counts["dusk_in_a_round"] += 1
                self._note("dusk in a round", satellite)
                self._rest(satellite)

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
        margin = self._margin() + self._checkpoint_cost()
        asked = PlacementState(state.now, self._copies() * self.plan.parts, margin, able)
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
