"""The coordinator against pretended satellites: whatever happens, nothing wrong is adopted and the job ends."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.runtime.pretended import PretendedFleet, Troubles, right, sky

from skyhall.integrity.interval import daly
from skyhall.runtime.coordinator import begin, step
from skyhall.runtime.journal import Event
from skyhall.runtime.placement import PlacementState
from skyhall.runtime.state import RunPlan, Strike

DAY_AND_NIGHT = [
    "######################################..................",
    "..................######################################",
    "####################..................##################",
    "########..................##############################",
    "##############################..................########",
]


def plan(**changes: Any) -> RunPlan:
    given: dict[str, Any] = {
        "sky": sky(DAY_AND_NIGHT), "units": 300, "protect": "exact", "copies": 3, "speedup": 100.0, "faults": 50.0,
    }  # fmt: skip
    return RunPlan(**(given | changes))


def ends_right(fleet: PretendedFleet) -> None:
    state = fleet.run()
    assert state.finished, state.failed
    assert state.verified == fleet.plan.units
    wrong = [
        done
        for done, digests in state.digests.items()
        if digests != tuple(right(done, part) for part in range(fleet.plan.parts))
    ]
    assert not wrong


def test_a_quiet_run_ends_with_the_undisturbed_digest() -> None:
    fleet = PretendedFleet(plan(), seed=0)
    ends_right(fleet)
    assert fleet.state.counts["eclipses"] >= 3
    assert fleet.state.counts["unresolved"] == fleet.state.counts["units_lost"] == 0


@pytest.mark.parametrize(
    "seed", [*range(15), *(pytest.param(each, marks=pytest.mark.slow) for each in range(15, 200))]
)
def test_exact_ends_right_under_everything_at_once(seed: int) -> None:
    troubles = Troubles(
        wrong_result=0.15, process_dies=0.03, coordinator_dies=0.001, carry_corrupts=0.1, load_fails=0.05,
        disk_full=0.1, zombie_speaks=0.7,
    )  # fmt: skip
    ends_right(PretendedFleet(plan(), seed, troubles))


@pytest.mark.parametrize(
    "seed", [*range(10), *(pytest.param(each, marks=pytest.mark.slow) for each in range(10, 100))]
)
def test_bounded_loses_nothing_when_processes_and_coordinators_die(seed: int) -> None:
    troubles = Troubles(process_dies=0.05, coordinator_dies=0.002, carry_corrupts=0.1, disk_full=0.1)
    ends_right(PretendedFleet(plan(protect="bounded", copies=1), seed, troubles))


@pytest.mark.parametrize("kill", range(0, 400, 4))
def test_a_coordinator_killed_after_any_event_goes_on_from_its_journal(kill: int) -> None:
    whole = PretendedFleet(plan(units=60), seed=3)
    whole.run()
    cut = min(kill, len(whole.journal) - 1)
    state = begin(whole.plan)
    for event in whole.journal[:cut]:
        state, _ = step(whole.plan, state, event)
    resumed = PretendedFleet(whole.plan, seed=kill)
    resumed.journal = list(whole.journal[:cut])
    resumed.begin_from(state)
    resumed.run()
    assert resumed.state.finished
    assert all(digests == (right(done),) for done, digests in resumed.state.digests.items())
    assert resumed.state.counts["coordinator_restarts"] == 1


def test_the_step_leaves_the_state_that_it_was_given_as_it_was() -> None:
    asked = plan()
    before = begin(asked)
    after, commands = step(asked, before, Event("tick", 5.0))
    assert before == begin(asked)
    assert after != before
    assert {each.kind for each in commands} >= {"start"}


def test_what_a_process_of_an_older_epoch_says_is_refused() -> None:
    fleet = PretendedFleet(plan(), 5, Troubles(process_dies=0.1, zombie_speaks=1.0))
    ends_right(fleet)
    assert fleet.happened["zombies"] > 5
    spoke = sum(event.data.get("digest") == "zombie's" for event in fleet.journal)
    assert fleet.state.counts["refused"] >= spoke > 5
    assert any(each["what"] == "refused" for each in fleet.notes)


def test_two_of_three_corrupted_at_once_are_unresolved_and_never_voted_right() -> None:
    fleet = PretendedFleet(plan(units=80), 2, Troubles(wrong_result=0.7))
    ends_right(fleet)
    assert fleet.state.counts["unresolved"] > 10
    assert any(
        each["what"] == "unresolved" and len(set(each["reports"].values())) == 3 for each in fleet.notes
    )


def test_a_round_that_never_agrees_ends_the_run_and_says_which() -> None:
    state = PretendedFleet(plan(units=20), 2, Troubles(wrong_result=1.0)).run()
    assert not state.finished
    assert "units 0 to 1 gave no agreement" in state.failed


def test_two_copies_that_disagree_are_done_again() -> None:
    fleet = PretendedFleet(plan(copies=2, units=100), 4, Troubles(wrong_result=0.2))
    ends_right(fleet)
    assert fleet.state.counts["unresolved"] > 0
    assert fleet.state.counts["outvoted"] == 0


def test_copies_are_never_on_one_satellite() -> None:
    def all_on_one(state: PlacementState) -> tuple[int, ...]:
        return (state.candidates[0].satellite,) * 3 if state.candidates else ()

    state = PretendedFleet(plan(place=all_on_one), 0).run()
    assert "3 copies are placed on satellite" in state.failed


def test_a_dark_satellite_cannot_be_placed() -> None:
    state = PretendedFleet(plan(place=lambda state: (1,), copies=1, protect="bounded"), 0).run()
    assert "satellite 1 is placed, which cannot compute now" in state.failed


def test_a_lost_satellite_takes_its_storage_along_and_the_job_goes_on() -> None:
    strikes = (Strike("lose", unit=50), Strike("lose", unit=120))
    fleet = PretendedFleet(plan(strikes=strikes, protect="bounded", copies=1, checkpoint_s=300.0), 1)
    ends_right(fleet)
    assert fleet.state.counts["kills"] == 2
    assert sum(seat.lost for seat in fleet.state.seats) == 2


def test_a_stopped_worker_that_wakes_late_is_refused() -> None:
    fleet = PretendedFleet(plan(strikes=(Strike("stop", unit=40, lasts=600.0),)), 1)
    ends_right(fleet)
    assert fleet.state.counts["stops"] == 1
    assert fleet.state.counts["refused"] == 1


def test_a_link_that_breaks_in_mid_transfer_is_tried_again() -> None:
    slow = sky(DAY_AND_NIGHT, rate=1e6)  # 80 s for a checkpoint
    good = slow.way
    flaky = replace(slow, way=lambda a, b, t: replace(good(a, b, t), rate=0.0 if t % 180.0 == 60.0 else 1e6))
    fleet = PretendedFleet(plan(sky=flaky, units=200), 1)
    ends_right(fleet)
    assert any(
        each["what"] == "transfer failed" and each["reason"] == "the link broke" for each in fleet.notes
    )


def test_a_transfer_takes_the_time_of_its_link() -> None:
    fleet = PretendedFleet(plan(sky=sky(DAY_AND_NIGHT, rate=1e6), units=200), 1)
    ends_right(fleet)
    assert fleet.state.counts["transfers"] > 0
    each = fleet.state.move_s / (fleet.state.moved_bits / 8e7)
    assert each == pytest.approx(80.01, rel=1e-6)  # 10 MB at 1 Mbit/s, and the delay


def test_one_satellite_waits_through_the_dark_and_says_until_when() -> None:
    one = sky(["##########.........."])
    fleet = PretendedFleet(plan(sky=one, protect="bounded", copies=1, units=150), 0)
    ends_right(fleet)
    waits = [each["why"] for each in fleet.notes if each["what"] == "waits"]
    assert any(each.startswith("WaitingForSunlight until ") for each in waits)
    assert fleet.state.counts["units_lost"] == 0  # it stored its state before dusk


def test_exact_does_not_go_on_with_one_satellite_in_the_light() -> None:
    alternating = sky(["#####.....", ".....#####"])
    state = PretendedFleet(plan(sky=alternating, copies=2, deadline=7200.0), 0).run(50_000)
    assert state.verified == 0
    assert "the time that was given is over" in state.failed


def test_every_satellite_lost_ends_the_run() -> None:
    strikes = tuple(Strike("lose", satellite=each, time=1000.0) for each in range(5))
    state = PretendedFleet(plan(strikes=strikes), 0).run()
    assert state.failed == "every satellite is lost"


def test_rounds_are_short_where_upsets_are_many() -> None:
    calm = PretendedFleet(plan(faults=1.0), 0)
    stormy = PretendedFleet(plan(faults=600.0), 0)
    ends_right(calm)
    ends_right(stormy)
    assert stormy.state.counts["rounds"] > 4 * calm.state.counts["rounds"]


def test_checks_are_tightened_inside_the_anomaly() -> None:
    over = sky(["#"] * 3)
    over.in_anomaly[:, 30:60] = True
    seen: list[tuple[float, str]] = []

    class Watched(PretendedFleet):
        def _go(self, satellite: int, epoch: int, data: Any) -> None:
            seen.append((self.state.now, data["level"]))
            super()._go(satellite, epoch, data)

    Watched(plan(sky=over, protect="bounded", copies=1, units=500, faults=None, acceleration=1.0), 0).run()
    inside = {level for time, level in seen if 1800.0 <= time < 3600.0}
    outside = {level for time, level in seen if time < 1800.0}
    assert (inside, outside) == ({"full"}, {"abft"})


def checkpoints(fleet: PretendedFleet) -> list[float]:
    """When each state was stored first."""
    first: dict[int, float] = {}
    for each in fleet.notes:
        if each["what"] == "checkpoint":
            first.setdefault(each["done"], each["time"])
    return list(first.values())


def longest_gap(times: list[float]) -> float:
    return max(after - before for before, after in pairwise(times))


def alone(**changes: Any) -> RunPlan:
    """One copy, in light that never ends; a look takes 1 s, a unit 10 s, a checkpoint some seconds."""
    given = {"sky": sky(["#"] * 3), "copies": 1, "protect": "bounded", "speedup": 10.0, "units": 2000}
    given["replay_units"] = 10_000  # states that are sent for a replay are stored too
    return plan(**{**given, "faults": None, "round_units": 1, **changes})


def test_checkpoints_come_at_dalys_interval_where_kills_are_told() -> None:
    strikes = tuple(Strike("kill", unit=100 * each) for each in range(1, 20))
    calm, struck = PretendedFleet(alone(), 0), PretendedFleet(alone(strikes=strikes), 0)
    ends_right(calm)
    ends_right(struck)
    assert longest_gap(checkpoints(calm)) == pytest.approx(1800.0, abs=25.0)
    asked = daly(1.0, 2000 * 10.0 / 19.0)  # writing took less than a look
    gaps = sorted(after - before for before, after in pairwise(checkpoints(struck)))
    assert asked <= gaps[len(gaps) // 2] < asked + 25.0  # at the end of a unit; kills come between some


def test_no_more_than_a_twentieth_of_the_time_is_planned_for_writing_though_failures_come_all_the_time() -> (
    None
):
    hot = sky(["#"] * 3, upsets=1.0)
    fleet = PretendedFleet(alone(sky=hot, acceleration=1e3, speedup=100.0), 0)
    ends_right(fleet)
    times = checkpoints(fleet)
    assert (times[-2] - times[0]) / (len(times) - 2) >= 19 * 10.0  # a look takes 10 s


def test_checkpoints_come_closer_inside_the_anomaly() -> None:
    over = sky(["#"] * 3, upsets=1e-9)
    over.in_anomaly[:, 100:200] = True
    over.upset_rate[:, 100:200] = 1e-2  # of which a twentieth are interrupts: one in 2000 s
    fleet = PretendedFleet(alone(sky=over, acceleration=1.0), 0)
    ends_right(fleet)
    times = checkpoints(fleet)
    assert longest_gap([each for each in times if 6000.0 <= each <= 12000.0]) < 300.0
    assert longest_gap([each for each in times if 60.0 < each < 6000.0]) > 1500.0


def test_the_last_state_is_stored_before_predicted_dusk() -> None:
    """Of one satellite that is alone, with half an hour of light in each hour; nothing it verified is done again."""
    one = sky(["#" * 30 + "." * 30])
    fleet = PretendedFleet(alone(sky=one, units=600, speedup=100.0), 0)
    ends_right(fleet)
    times = checkpoints(fleet)
    for dusk in (1800.0, 5400.0, 9000.0):
        last = max(each for each in times if each < dusk)
        assert fleet.plan.margin_s <= dusk - last <= fleet.plan.margin_s + 60.0
    assert fleet.state.counts["units_lost"] == 0


ALWAYS_LIT = ["#"] * 6


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(each, marks=pytest.mark.slow) for each in range(6, 60))]
)
def test_parts_end_right_under_everything_at_once(seed: int) -> None:
    troubles = Troubles(
        wrong_result=0.04, process_dies=0.01, coordinator_dies=0.001, carry_corrupts=0.1, load_fails=0.05,
        disk_full=0.1, zombie_speaks=0.7,
    )  # fmt: skip
    fleet = PretendedFleet(
        plan(sky=sky(ALWAYS_LIT), parts=2, copies=2, units=60, checkpoint_s=300.0), seed, troubles
    )
    ends_right(fleet)
    assert fleet.state.counts["unresolved"] > 0


def test_a_part_that_is_outvoted_is_never_sent() -> None:
    """With three copies; the pretended satellites check that what they are given to merge is right."""
    lit = sky(["#"] * 7)
    fleet = PretendedFleet(plan(sky=lit, parts=2, copies=3, units=60), 0, Troubles(wrong_result=0.1))
    ends_right(fleet)
    assert fleet.state.counts["outvoted"] > 5


def test_parts_exchange_what_they_contribute_over_their_links() -> None:
    fleet = PretendedFleet(plan(sky=sky(ALWAYS_LIT, rate=1e8), parts=2, copies=2, units=30), 0)
    ends_right(fleet)
    sent = [each for each in fleet.notes if each["what"] == "transfer" and each["part"] is not None]
    assert len(sent) == 30 * 4  # each of four members lacks the other part, in each of 30 rounds


def test_parts_survive_dusk_and_lost_satellites() -> None:
    lit = sky([*DAY_AND_NIGHT, *DAY_AND_NIGHT])
    strikes = (Strike("kill", unit=20), Strike("lose", unit=40), Strike("stop", unit=60, lasts=600.0))
    fleet = PretendedFleet(plan(sky=lit, parts=2, copies=2, units=120, strikes=strikes), 0)
    ends_right(fleet)
    assert fleet.state.counts["eclipses"] > 0
    assert fleet.state.counts["kills"] == 2


@pytest.mark.parametrize("seed", range(5))
def test_faults_that_collapse_to_the_same_nans_are_not_adopted(seed: int) -> None:
    fleet = PretendedFleet(plan(units=60, round_units=1), seed, Troubles(wrong_result=0.2, collapses=True))
    ends_right(fleet)
    assert fleet.state.counts["infinite"] > 0


def test_a_job_that_diverges_by_itself_ends_as_undisturbed() -> None:
    class Diverging(PretendedFleet):
        def _say(
            self, delay: float, kind: str, satellite: int | None, epoch: int | None, **data: Any
        ) -> None:
            super()._say(
                delay, kind, satellite, epoch, **({**data, "finite": False} if "finite" in data else data)
            )

    fleet = Diverging(plan(units=5, round_units=1, faults=None), 0)
    ends_right(fleet)
    assert fleet.state.counts["infinite"] == 25


def test_a_satellite_whose_process_never_comes_up_is_given_up_and_the_reason_told() -> None:
    class Stillborn(PretendedFleet):
        def _say(
            self, delay: float, kind: str, satellite: int | None, epoch: int | None, **data: Any
        ) -> None:
            kind, data = ("gone", {"reason": "no torch", "own": True}) if kind == "up" else (kind, data)
            super()._say(delay, kind, satellite, epoch, **data)

    fleet = Stillborn(plan(), 0)
    assert fleet.run().failed == "every satellite is lost: no torch"
    assert sum(each["what"] == "process lost" for each in fleet.notes) == 15


BRIGHT = ["#"]


@pytest.mark.parametrize("seed", range(10))
def test_a_coordinator_that_comes_back_waits_for_those_who_have_the_state(seed: int) -> None:
    fleet = PretendedFleet(plan(sky=sky(BRIGHT * 5), checkpoint_s=300.0), seed)
    fleet.run(until=200)
    stored = max(done for seat in fleet.state.seats for done in seat.stored)
    assert stored > 150
    fleet._restart(fleet.state.now)
    ends_right(fleet)
    assert fleet.state.counts["units_lost"] <= 200 + 100 - stored


def test_all_satellites_killed_at_once_lose_no_more_than_since_the_last_checkpoint() -> None:
    strikes = tuple(Strike("kill", satellite=each, unit=200) for each in range(5))
    fleet = PretendedFleet(plan(sky=sky(BRIGHT * 5), checkpoint_s=300.0, strikes=strikes), 0)
    ends_right(fleet)
    assert fleet.state.counts["units_lost"] < 100
    assert any(each["what"] == "waits" and each["why"] == "WaitingForSatellites" for each in fleet.notes)


def test_a_part_of_which_every_copy_is_lost_begins_again_with_the_others() -> None:
    """Both copies of the part that satellite 0 has; nothing was stored."""
    fleet = PretendedFleet(plan(sky=sky(BRIGHT * 7), parts=2, copies=2, units=60, checkpoint_s=1e9), 0)
    fleet.run(until=20)
    part = fleet.state.seats[fleet.state.members[0]].part
    for satellite in fleet.state.members:
        if fleet.state.seats[satellite].part == part:
            fleet._die(satellite, fleet.state.seats[satellite].epoch, 0.0)
    ends_right(fleet)
    assert fleet.state.counts["units_lost"] >= 15


def test_satellites_that_are_left_share_the_parts_anew() -> None:
    """Of two parts with three copies each two of the same are lost: three and one are left, two and two are enough."""
    fleet = PretendedFleet(plan(sky=sky(BRIGHT * 6), parts=2, copies=3, units=60), 0)
    fleet.run(until=10)
    gone = [each for each, seat in enumerate(fleet.state.seats) if seat.part == 1][:2]
    fleet.plan = replace(fleet.plan, strikes=tuple(Strike("lose", satellite=each, unit=20) for each in gone))
    ends_right(fleet)


@pytest.mark.parametrize("harm", ["never_writes", "never_reads"])
def test_a_satellite_that_can_take_no_state_does_not_hold_up_the_others(harm: str) -> None:
    """Satellite 3 takes the place of one that is lost."""
    strikes = (Strike("lose", satellite=0, unit=20),)
    asked = plan(sky=sky(BRIGHT * 4), strikes=strikes, units=100)
    fleet = PretendedFleet(asked, 0, Troubles(**{harm: frozenset({3})}))
    ends_right(fleet)
    assert fleet.state.counts["transfers"] + fleet.state.counts["transfers_failed"] < 60


def test_a_file_that_is_whole_and_of_another_state_is_not_asked_for_again() -> None:
    strikes = (Strike("lose", satellite=0, unit=20), Strike("lose", satellite=1, unit=40))
    asked = plan(sky=sky(BRIGHT * 5), strikes=strikes, units=80)
    fleet = PretendedFleet(asked, 0, Troubles(other_state=True))
    ends_right(fleet)
    assert fleet.happened["other states"] == 1
    assert fleet.state.counts["transfers"] + fleet.state.counts["transfers_failed"] < 30


def test_a_transfer_of_which_nothing_is_heard_is_given_up() -> None:
    asked = plan(sky=sky(BRIGHT * 4), units=200, copies=1, protect="bounded", speedup=5.0)
    fleet = PretendedFleet(asked, 0, Troubles(never_carries=True))
    ends_right(fleet)
    assert fleet.happened["lost carries"] == 1
    assert any(each.get("reason") == "nothing was heard of it" for each in fleet.notes)


def test_a_process_that_never_ends_a_round_is_killed() -> None:
    asked = plan(sky=sky(BRIGHT * 4), units=60, speedup=5.0)
    fleet = PretendedFleet(asked, 0, Troubles(never_ends=frozenset({1})))
    fleet.plan.sky.lit[1, 200:] = False  # it is not placed for ever
    ends_right(fleet)
    assert fleet.state.counts["overdue"] > 0


def test_an_answer_to_an_earlier_command_changes_nothing() -> None:
    fleet = PretendedFleet(plan(sky=sky(BRIGHT * 3), units=60), 0)
    fleet.run(until=20)
    seat = fleet.state.seats[0]
    state, _ = step(
        fleet.plan,
        fleet.state,
        Event(
            "ready", fleet.state.now, 0, seat.epoch, {"done": 5, "digest": right(5), "asked": seat.asked - 1}
        ),
    )
    assert state.seats[0].have == seat.have
    assert state.counts["late_answers"] == 1


def test_a_unit_of_half_the_light_is_begun() -> None:
    fleet = PretendedFleet(plan(sky=sky(DAY_AND_NIGHT), units=6), 0)
    fleet.state.unit_s = 1200.0  # of 2280 s of light
    state = fleet.run()
    assert state.finished


def test_a_stall_of_the_machine_is_not_taken_for_long_units() -> None:
    fleet = PretendedFleet(plan(sky=sky(DAY_AND_NIGHT), units=100), 0)
    fleet.run(until=30)
    before = fleet.state.unit_s
    current = fleet.state.round
    member = next(each for each, seat in enumerate(fleet.state.seats) if seat.task == "running")
    assert current is not None
    late = {"round": current.number, "digest": right(current.until), "asked": fleet.state.seats[member].asked}
    event = Event("ended", fleet.state.now + 4000.0, member, fleet.state.seats[member].epoch, late)
    state, _ = step(fleet.plan, fleet.state, event)
    assert before < state.unit_s <= 1.6 * before


def test_parts_are_placed_where_links_join_them() -> None:
    """Satellites 0 and 1 have no way to the others, of which four are enough."""
    apart = tuple((one, other) for one in (0, 1) for other in (2, 3, 4, 5))
    fleet = PretendedFleet(plan(sky=sky(BRIGHT * 6, broken=apart), parts=2, copies=2, units=30), 0)
    ends_right(fleet)


def test_deaths_alone_are_no_faults_that_were_found() -> None:
    fleet = PretendedFleet(plan(units=150), 1, Troubles(process_dies=0.08))
    ends_right(fleet)
    assert fleet.happened["deaths"] > 5
    assert fleet.state.counts["detected"] == fleet.state.counts["redone"] == 0


def test_the_end_of_the_stretch_is_no_dusk() -> None:
    over = sky(BRIGHT * 3)
    state = PretendedFleet(
        plan(sky=over, units=9_000, round_units=100, faults=None, deadline=over.end), 0
    ).run()
    assert state.verified > 7_000
    assert "the time that was given is over" in state.failed
    assert state.counts["eclipses"] == 0


def test_a_satellite_that_is_killed_while_it_starts_is_not_given_up() -> None:
    strikes = tuple(Strike("kill", satellite=0, time=0.1 + 305.0 * each) for each in range(4))
    fleet = PretendedFleet(plan(sky=sky(BRIGHT * 4), strikes=strikes, units=200), 0)
    ends_right(fleet)
    assert not fleet.state.seats[0].lost


@pytest.mark.parametrize("seed", range(8))
def test_nans_are_not_adopted_once_some_copy_knew_better(seed: int) -> None:
    """Two copies of which each execution ends in NaN with one in three: both do in one round of nine."""
    asked = plan(sky=sky(BRIGHT * 4), copies=2, units=20, round_units=1, faults=None)
    state = PretendedFleet(asked, seed, Troubles(wrong_result=0.33, collapses=True)).run()
    wrong = [done for done, digests in state.digests.items() if digests != (right(done),)]
    assert not wrong


def test_a_satellite_with_other_kernels_is_left_out() -> None:
    class Other(PretendedFleet):
        def _say(
            self, delay: float, kind: str, satellite: int | None, epoch: int | None, **data: Any
        ) -> None:
            pins = {"pins": "other" if satellite == 2 else "usual"} if kind == "up" else {}
            super()._say(delay, kind, satellite, epoch, **data, **pins)

    fleet = Other(plan(sky=sky(BRIGHT * 4), units=60), 0)
    ends_right(fleet)
    assert [seat.lost for seat in fleet.state.seats].count(True) == 1


def replayed(fleet: PretendedFleet) -> list[int]:
    """The first units of rounds that more than one satellite executed."""
    return [each["first"] for each in fleet.notes if each["what"] == "verified" and len(each["by"]) > 1]


def watched(**changes: Any) -> RunPlan:
    """One copy that verifies itself, of which one unit in 50 is executed elsewhere too."""
    given: dict[str, Any] = {"sky": sky(BRIGHT * 5), "copies": 1, "protect": "bounded", "replay_units": 50}
    return plan(**{**given, "faults": None, **changes})


def test_one_unit_in_n_is_executed_on_another_satellite_too() -> None:
    fleet = PretendedFleet(watched(), 0)
    ends_right(fleet)
    units = replayed(fleet)
    assert units[0] <= 60  # the first that is up begins alone
    assert np.diff(units).tolist() == [50] * (len(units) - 1)
    assert fleet.state.counts["replays"] == len(units) >= 5
    assert fleet.state.counts["replays_differed"] == 0
    for each in fleet.notes:
        if each["what"] == "verified" and len(each["by"]) > 1:
            assert each["done"] == each["first"] + 1


@pytest.mark.parametrize("seed", range(5))
def test_a_satellite_with_a_defect_is_found_by_a_third_and_given_up(seed: int) -> None:
    """Satellite 0, which is placed first wherever several have the same light ahead."""
    fleet = PretendedFleet(watched(), seed, Troubles(defective=frozenset({0})))
    state = fleet.run()
    assert state.finished
    assert [seat.lost for seat in state.seats] == [True, False, False, False, False]
    assert state.counts["defective"] == 1
    (note,) = [each for each in fleet.notes if each["what"] == "given up"]
    assert note["satellite"] == 0
    wrong = _alone(fleet, 0)
    assert note["units_in_doubt"] == state.counts["units_in_doubt"] == sum(wrong) <= 60


def _alone(fleet: PretendedFleet, satellite: int) -> list[int]:
    return [
        each["done"] - each["first"]
        for each in fleet.notes
        if each["what"] == "verified" and each["by"] == [satellite]
    ]


@pytest.mark.parametrize("seed", range(5))
def test_an_upset_that_the_checks_let_pass_is_outvoted_and_nobody_given_up(seed: int) -> None:
    """Each execution in 30 is wrong in another way."""
    fleet = PretendedFleet(watched(units=1500, replay_units=10), seed, Troubles(wrong_result=1 / 30))
    state = fleet.run()
    assert state.finished
    assert state.counts["replays_differed"] > 3
    assert state.counts["defective"] == 0
    assert not any(seat.lost for seat in state.seats)


def test_where_no_two_agree_the_job_goes_on_without_a_verdict() -> None:
    fleet = PretendedFleet(watched(), 0, Troubles(wrong_result=1.0))
    state = fleet.run()
    assert state.finished
    assert state.counts["replays"] == 0
    assert state.counts["replays_undecided"] >= 5
    assert state.counts["defective"] == 0


def test_a_satellite_that_is_alone_or_cannot_be_reached_is_not_waited_for() -> None:
    one = PretendedFleet(watched(sky=sky(BRIGHT), units=100), 0)
    ends_right(one)
    apart = PretendedFleet(watched(sky=sky(BRIGHT * 2, broken=((0, 1),)), units=200, replay_units=20), 0)
    ends_right(apart)
    assert one.state.counts["replays"] == 0
    assert len(replayed(apart)) <= 1  # of the first state, which everybody makes
    assert apart.state.now < 1.5 * (200 * 10.5)


@pytest.mark.parametrize("seed", range(10))
def test_replays_survive_dusk_deaths_and_full_disks(seed: int) -> None:
    troubles = Troubles(process_dies=0.05, coordinator_dies=0.001, carry_corrupts=0.1, disk_full=0.1)
    fleet = PretendedFleet(watched(sky=sky(DAY_AND_NIGHT), replay_units=15), seed, troubles)
    ends_right(fleet)
    assert fleet.state.counts["replays"] >= 5
    assert fleet.state.counts["replays_differed"] == fleet.state.counts["defective"] == 0


def test_exact_and_parts_have_no_replays() -> None:
    assert not plan().replays
    assert not plan(protect="none", copies=1).replays
    assert not plan(protect="bounded", copies=1, parts=3).replays
    assert watched().replays
