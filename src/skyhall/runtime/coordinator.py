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
_INFINITE_TIMES = 3  # that all copies must agree on a result with NaN or infinity before it counts
_SULK_S = 600.0
_TIGHT = 3.0  # times the mean upset rate: inside the South Atlantic Anomaly, and checked more closely
_COUNTED = ("injected", "detected", "corrected", "redone")


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
            if event.epoch == seat.epoch:
                getattr(self, f"_{event.kind}")(event.satellite, seat, event.data)
            elif event.kind != "gone":  # a zombie: whatever it says is of a life that is over
                state.counts["refused"] += 1
                self._note("refused", event.satellite, said=event.kind, epoch=event.epoch, now=seat.epoch)
                self._do("dismiss", event.satellite, event.epoch)
        elif event.kind == "carried":
            self._carried(event)
        elif event.kind == "resumed":
            self._resumed()

    def _up(self, satellite: int, seat: Seat, data: Any) -> None:
        seat.process, seat.stillborn = "up", 0
        # Storage may hold what this coordinator has never heard of, or no longer what it thinks.
        self._keep_only(seat, data["kept"])

    def _ready(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in that a state is in a satellite's memory; one that is not the verified one is refused."""
        if seat.task != "loading":
            return
        state = self.state
        done, digest = int(data["done"]), str(data["digest"])
        seat.have, seat.digest, seat.task = done, digest, "ready"
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
        current.reports[satellite] = seat.digest
        current.spent[satellite] = tuple(data.get("spent", ()))
        if not data.get("finite", True):
            current.infinite |= {seat.digest}
        if current.phase == "compute":
            units = current.until - current.first
            seen = (state.now - current.begun) / max(units, 1)
            state.unit_s = seen if not state.unit_s else 0.7 * state.unit_s + 0.3 * seen
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
        seat.saving = None
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
            seat.saving = None
            seat.sulks_until = self.state.now + _SULK_S
            return
        if what == "load":
            seat.stored.pop(int(data["done"]), None)
        if self.state.round and satellite in self.state.round.members and seat.task == "running":
            self.state.round.reports[satellite] = ""
        self._forget(seat)

    def _gone(self, satellite: int, seat: Seat, data: Any) -> None:
        """Take in that a process is gone; from now on nothing is believed of its epoch."""
        seat.epoch += 1
        self.state.counts["processes_lost"] += 1
        self._note("process lost", satellite, reason=data.get("reason", ""))
        seat.stillborn += seat.process == "starting"
        if seat.stillborn == _MOST_STILLBORN:  # it lacks something that another try does not bring
            seat.lost = True
            self.state.error = str(data.get("reason", ""))
            self._note("given up", satellite, reason=self.state.error)
        seat.process, seat.saving = "down", None
        seat.back_at = max(seat.back_at, self.state.now)
        self._forget(seat)

    def _carried(self, event: Event) -> None:
        """Take in that a file arrived, whole or not."""
        state, data = self.state, event.data
        transfer = state.transfers.pop(int(data["transfer"]), None)
        if transfer is None:
            return
        if not data["ok"]:
            state.counts["transfers_failed"] += 1
            self._note("transfer failed", transfer.target, source=transfer.source, reason=data["reason"])
            if data.get("at_source") and transfer.part is None:
                state.seats[transfer.source].stored.pop(transfer.done, None)
            elif data.get("at_source") and state.round is not None:
                held = state.round.present.get(transfer.source, frozenset())
                state.round.present[transfer.source] = held - {transfer.part}
            return
        state.counts["transfers"] += 1
        if transfer.part is None:
            target = state.seats[transfer.target]
            self._keep_only(target, data["kept"])
            target.stored[transfer.done] = Stored(str(data["digest"]), int(data["size"]))
        elif state.round is not None and state.round.until == transfer.done:
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
            if link.rate <= 0.0 or any(seat.lost or seat.process == "down" for seat in ends):
                del state.transfers[number]
                state.counts["transfers_failed"] += 1
                reason = "the link broke" if link.rate <= 0.0 else "an end is gone"
                self._note("transfer failed", transfer.target, source=transfer.source, reason=reason)
                continue
            passed = state.now - transfer.seen
            transfer.seen = state.now
            spent = min(passed, transfer.waits)
            transfer.waits -= spent
            transfer.left -= (passed - spent) * link.rate

    # What should be going on.

    def drive(self) -> None:
        """Set going whatever should be."""
        if self.state.now >= self.plan.deadline:
            self._fail("the time that was given is over")
            return
        self._strike()
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
            state.counts["stops" if strike.how == "stop" else "kills"] += 1
            self._note(strike.how, satellite)
            if strike.how == "stop":
                self._do("stop", satellite, seat.epoch, seconds=strike.lasts / self.plan.speedup)
                continue
            if seat.process != "down":
                self._do("kill", satellite, seat.epoch)
            seat.back_at = state.now + self.plan.reboot_s
            if strike.how == "lose":
                seat.lost = True
                seat.stored.clear()
                self._do("wipe", satellite)

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
        have the same digest. Where the job itself diverges, all copies say so time and again.
        """
        infinite = [digest for digest in digests if digest in current.infinite]
        if not infinite or self.plan.quorum == 1:
            return False
        if set(current.reports.values()) == set(digests):  # nobody has another result
            self.state.doubted.update(infinite)
        self.state.counts["infinite"] += 1
        self._note("agreed on NaN or infinity", None, first=current.first, done=current.until)
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
        state.round, state.redos = None, 0
        state.doubted.clear()
        state.verified = current.until
        state.digests[current.until] = digests
        state.counts["rounds"] += 1
        state.spent.update(enumerate(current.spent.get(by[0], ()), start=current.first))
        self._note("verified", None, first=current.first, done=current.until, digests=digests, by=by)
        for satellite in by:
            state.seats[satellite].task = "ready"

    def _begin_exchange(self, current: Round, digests: Sequence[str]) -> None:
        """Have the contributions that were agreed on sent to every member that is left."""
        sizes = [current.agreed[part][1] for part in range(self.plan.parts)]
        current.agreed = {part: (digest, sizes[part]) for part, digest in enumerate(digests)}
        current.phase, current.reports = "exchange", {}
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
                    self._send(best, target, current.until, current.agreed[part][1], part)
        if wanting:
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
            seat = state.seats[satellite]
            seat.task = "running"
            self._do("merge", satellite, seat.epoch, round=current.number, done=current.until, parts=parts)

    def _unresolved(self, current: Round) -> None:
        """Have a round done again on which no quorum agrees: nothing is adopted."""
        self.state.round = None
        self.state.counts["unresolved"] += 1
        self.state.counts["detected"] += len(current.reports) > 0
        self.state.counts["redone"] += current.until - current.first
        self._note("unresolved", None, first=current.first, until=current.until, reports=current.reports)
        self.state.redos += 1
        if self.state.redos > _MOST_REDOS:
            what = f"units {current.first} to {current.until} gave no agreement in {_MOST_REDOS} rounds"
            self._fail(f"{what}: {self.state.error}" if self.state.error else what)
        for satellite in current.members:
            seat = self.state.seats[satellite]
            if seat.task == "ended":
                seat.task = "loading"
                self._do("back", satellite, seat.epoch, done=current.first)

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
            and self._can_have_the_state(satellite)
        )
        margin = self.plan.margin_s + 2.0 * state.unit_s
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
            if sky.dusk(satellite, state.now) - state.now <= margin:
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
        if waiting.split(" ")[0] != state.waiting.split(" ")[0]:
            if waiting:
                self._note("waits", None, why=waiting)
            if not state.waiting:
                state.waits.append((state.now, state.now))
        if state.waiting:
            state.waits[-1] = state.waits[-1][0], state.now
        state.waiting = waiting

    def _prepare(self) -> None:
        """Bring the verified state into every member's memory."""
        state = self.state
        if state.failed or not state.members:
            return
        if state.verified not in state.digests:  # the first state, of which there is no digest yet
            self._begin_afresh()
            return
        wanting = [each for each in state.members if not self._holds(state.seats[each])]
        if not wanting:
            return
        if not all(self._reachable(part) for part in range(self.plan.parts)):
            self._fall_back()
        for satellite in wanting:
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

    def _reachable(self, part: int) -> bool:
        """Say whether a part's verified state can still be had from anybody."""
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

    def _fall_back(self) -> None:
        """Go back to the newest verified state of which satellites have all parts stored, or to the beginning."""
        state = self.state
        found = [
            done
            for done in state.digests
            if all(self._holders(done, part) for part in range(self.plan.parts))
        ]
        to = max(found, default=0)
        state.counts["units_lost"] += state.verified - to
        self._note("fell back", None, lost=state.verified - to, done=to)
        state.verified = to

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
            self._send(source, satellite, state.verified, state.seats[source].stored[state.verified].size)
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

    def _send(self, source: int, target: int, done: int, size: int, part: int | None = None) -> None:
        """Have a file sent: a state, or a part's contribution."""
        state = self.state
        link = self.plan.sky.link(source, target, state.now)
        bits = 8.0 * size
        state.sent += 1
        state.transfers[state.sent] = Transfer(source, target, done, part, bits, link.delay, state.now)
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
                and self._rate(holders[0], each) > 0.0
            ]
            if others:
                target = max(others, key=lambda each: (sky.dusk(each, state.now), -each))
                self._send(holders[0], target, newest, state.seats[holders[0]].stored[newest].size)

    def _go(self) -> None:
        """Begin a round once every member holds the verified state."""
        state = self.state
        seats = [state.seats[each] for each in state.members]
        if (
            state.failed
            or not all(
                sum(seat.part == part for seat in seats) >= self.plan.quorum
                for part in range(self.plan.parts)
            )
            or state.verified >= self.plan.units
            or not all(self._holds(seat) and seat.task == "ready" for seat in seats)
        ):
            return
        units = self._round_units()
        until = min(state.verified + units, self.plan.units)
        state.rounds += 1
        state.began = state.now if state.began is None else state.began
        state.round = Round(state.rounds, state.verified, until, state.members, state.now)
        for satellite, seat in zip(state.members, seats, strict=True):
            seat.task = "running"
            rate = float(self.plan.sky.upset_rate[satellite, self.plan.sky.index(state.now)])
            state.exposure += rate * state.unit_s * (until - state.verified)
            self._do(
                "go",
                satellite,
                seat.epoch,
                round=state.rounds,
                first=state.verified,
                until=until,
                part=seat.part if self.plan.parts > 1 else None,
                upsets_per_unit=self._upsets_per_unit(satellite),
                level="full" if rate > _TIGHT * self.plan.sky.mean_upset_rate else "abft",
            )

    def _round_units(self) -> int:
        """Return how many units until the next comparison: few where upsets are many or the light is short."""
        plan, state = self.plan, self.state
        if plan.parts > 1:
            return 1
        if plan.round_units is not None:
            return plan.round_units
        if not state.unit_s:
            return 1
        light = min(plan.sky.dusk(each, state.now) - state.now for each in state.members)
        upsets = (
            sum(self._upsets_per_unit(each) for each in state.members) if plan.protect == "exact" else 0.0
        )
        limits = [
            float(_MOST_ROUND_UNITS),
            _ROUND_REAL_S * plan.speedup / state.unit_s,
            (light - 0.5 * plan.margin_s) / state.unit_s,
            _UPSETS_A_ROUND / upsets if upsets else float(_MOST_ROUND_UNITS),
        ]
        return max(1, int(min(limits)))

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

    def _load(self, satellite: int, source: str) -> None:
        seat = self.state.seats[satellite]
        seat.task = "loading"
        self._do("load", satellite, seat.epoch, source=source, done=self.state.verified)

    def _save(self, satellite: int) -> None:
        seat = self.state.seats[satellite]
        seat.saving = self.state.verified
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

    @staticmethod
    def _forget(seat: Seat) -> None:
        seat.task, seat.have, seat.digest = "idle", None, None

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
