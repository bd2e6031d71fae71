"""Runs of real processes: dusk, kills, hangs, flips, harmed files and messages; the end is the undisturbed run's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skyhall.constants import DAY
from skyhall.runtime.engines.engine import Said, WorkerSpec
from skyhall.runtime.engines.local import LocalEngine
from skyhall.runtime.evidence import BOUNDED_ERROR
from skyhall.runtime.journal import read_journal
from skyhall.runtime.state import RunPlan, RunState, Strike
from skyhall.runtime.storage import checkpoint_name, stored
from skyhall.work.job_file import JobFile

pytest.importorskip("torch")

from tests.ml.runtime.by_hand import PARAMETERS, TO_BE_KILLED, Looks, engine_of, flown, plan
from tests.runtime.pretended import sky

from skyhall.integrity.container import pack, unpack
from skyhall.integrity.determinism import pinned
from skyhall.jobs.job import make_job
from skyhall.runtime.run import RunOptions, run_job
from skyhall.runtime.worker import first_state

pytestmark = pytest.mark.ml
ROOT = Path(__file__).resolve().parents[3]


def quiet_run(steps: int) -> tuple[list[str], dict[str, Any]]:
    """Digests of the first state and after each unit, and the outcome, in this process, where nothing happens."""
    with pinned(1):
        job, sealed = first_state("gpt-train", {**PARAMETERS, "steps": str(steps)})
        digests = [sealed[-32:].hex()]
        for number in range(steps):
            job.keep(number, job.unit(number))
            digests.append(bytes(pack(job.save(number + 1))[-32:]).hex())
        return digests, dict(job.outcome())


def outcome_of(folder: Path, steps: int) -> dict[str, Any]:
    """What the job says with the final state that a run left."""
    with pinned(1):
        job = make_job("gpt-train", {**PARAMETERS, "steps": str(steps)})
        job.load(unpack((folder / "result.checkpoint").read_bytes()))
        return dict(job.outcome())


@pytest.fixture(scope="module")
def quiet() -> tuple[list[str], dict[str, Any]]:
    return quiet_run(40)


def ends_like(state: RunState, digests: list[str]) -> None:
    assert state.finished
    assert state.verified == len(digests) - 1
    assert {done: digest for done, digest in state.digests.items() if (digests[done],) != digest} == {}


def notes(folder: Path, what: str) -> list[dict[str, Any]]:
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [note for note in map(json.loads, lines) if note["what"] == what]


def killed_after(ended: int, folder: Path, patience: float = 120.0) -> bool:
    """Begin or resume a run in a process of its own; SIGKILL it when so many executions have ended anew."""
    journal = folder / "journal.jsonl"

    def count() -> int:
        return journal.read_bytes().count(b'"kind": "ended"') if journal.exists() else 0

    before, began = count(), time.monotonic()
    coordinator = subprocess.Popen([sys.executable, "-m", "tests.ml.runtime.by_hand", str(folder)], cwd=ROOT)
    try:
        while coordinator.poll() is None and count() < before + ended:
            assert time.monotonic() < began + patience
            time.sleep(0.01)
    finally:
        coordinator.kill()
    return coordinator.wait() == -signal.SIGKILL


# Exact: one run in which much happens, looked at from several sides.


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunState]:
    """At exact: dusk after dusk, a kill, some twenty upsets, and the first two messages corrupted on the way."""
    folder = tmp_path_factory.mktemp("runs") / "eventful"
    asked = plan(faults=20.0, strikes=(Strike("kill", unit=15),))
    sent = iter(range(1000))

    def on_the_way(sealed: bytes) -> bytes:
        at = len(sealed) // 3
        return sealed if next(sent) >= 2 else sealed[:at] + bytes([sealed[at] ^ 4]) + sealed[at + 1 :]

    return folder, flown(asked, folder, engine_of(asked, folder, carried=on_the_way))


def test_exact_ends_bit_for_bit_like_the_undisturbed_run(
    eventful: tuple[Path, RunState], quiet: tuple[list[str], dict[str, Any]]
) -> None:
    folder, state = eventful
    ends_like(state, quiet[0])
    assert (folder / "result.checkpoint").read_bytes()[-32:].hex() == quiet[0][-1]
    assert outcome_of(folder, 40) == quiet[1]


def test_dusk_a_kill_and_upsets_came_and_are_in_the_record(eventful: tuple[Path, RunState]) -> None:
    folder, state = eventful
    assert state.counts["eclipses"] >= 1
    assert len(notes(folder, "dusk")) == state.counts["eclipses"]
    assert state.counts["kills"] == len(notes(folder, "kill")) == 1
    assert any(note["reason"] == "exit code -9" for note in notes(folder, "process lost"))
    # Some twenty are expected, fewer where rounds with many were cut off by dusk: none in a million runs.
    assert state.counts["injected"] >= 3
    # A round that was lost with a satellite is done again, and no fault that was found.
    assert 0 < state.counts["detected"] <= len(notes(folder, "outvoted")) + len(notes(folder, "unresolved"))


def test_no_copy_computed_in_the_dark_and_no_two_on_one_satellite(eventful: tuple[Path, RunState]) -> None:
    folder, _ = eventful
    lit = plan().sky.is_lit
    for note in notes(folder, "verified"):
        assert len(set(note["by"])) == len(note["by"]) >= 2
        # A verdict waits for the slowest copy: on a busy machine some seconds, which are minutes of simulated time.
        before = [note["time"] - late for late in (0.0, 60.0, 120.0, 300.0)]
        assert all(any(lit(each, time) for time in before) for each in note["by"])


def test_a_message_corrupted_on_the_way_is_refused_and_sent_again(eventful: tuple[Path, RunState]) -> None:
    folder, state = eventful
    failed = notes(folder, "transfer failed")
    assert [each["reason"] for each in failed].count(
        "the bytes that arrived are not those that were sent"
    ) == 2
    assert state.counts["transfers"] >= 2


def test_the_journal_alone_gives_the_end_again(eventful: tuple[Path, RunState]) -> None:
    from skyhall.runtime.coordinator import begin, step

    folder, state = eventful
    asked = plan(faults=20.0, strikes=(Strike("kill", unit=15),))
    replayed = begin(asked)
    for event in read_journal(folder / "journal.jsonl"):
        replayed, _ = step(asked, replayed, event)
    assert replayed == state


# One trouble each.


def test_bounded_with_upsets_and_a_kill_ends_within_its_promise(
    tmp_path: Path, quiet: tuple[list[str], dict[str, Any]]
) -> None:
    two = sky(["##########......", "......##########"], slot=10.0)
    kill = Strike("kill", unit=15)
    asked = plan(sky=two, protect="bounded", copies=1, faults=20.0, strikes=(kill,), round_units=4)
    state = flown(asked, tmp_path)
    assert state.finished
    assert state.counts["injected"] >= 4  # of some twenty that are expected
    assert state.counts["kills"] == 1
    assert state.counts["corrected"] + state.counts["redone"] > 0
    assert outcome_of(tmp_path, 40)["validation_loss"] == pytest.approx(
        quiet[1]["validation_loss"], rel=BOUNDED_ERROR
    )


def test_bounded_gives_the_same_bits_on_another_satellite(
    tmp_path: Path, quiet: tuple[list[str], dict[str, Any]]
) -> None:
    asked = plan(sky=sky(["#"] * 3), protect="bounded", copies=1, replay_units=8)
    state = flown(asked, tmp_path)
    ends_like(state, quiet[0])
    assert state.counts["replays"] >= 4
    assert state.counts["replays_differed"] == 0


def test_a_satellite_that_computes_wrong_without_an_alarm_is_given_up(tmp_path: Path) -> None:
    """Satellite 0 looks at other scenes than it should, in which every sum is right."""
    asked = plan(sky=sky(["#"] * 4), units=30, protect="bounded", copies=1, replay_units=8)

    def spec(satellite: int, epoch: int) -> WorkerSpec:
        scenes = {"scenes": "30", "size": "64", "fires": "3", "seed": "2" if satellite == 0 else "1"}
        storage = str(tmp_path / asked.sky.names[satellite])
        return WorkerSpec("fire-watch", scenes, "bounded", storage, satellite, epoch, seed=7)

    state = flown(asked, tmp_path, LocalEngine(spec))
    assert state.finished
    assert [seat.lost for seat in state.seats] == [True, False, False, False]
    assert state.counts["defective"] == 1
    (note,) = notes(tmp_path, "given up")
    assert note["satellite"] == 0
    assert not notes(tmp_path, "alarm")


class WakesTooLate(LocalEngine):
    """A process that hangs wakes as soon as it was given up."""

    def hear(self, seconds: float) -> list[Said]:
        said = super().hear(seconds)
        for each in said:
            if each.kind == "gone" and each.epoch is not None:
                child = self._children[each.satellite, each.epoch].process
                if child.poll() is None:
                    child.send_signal(signal.SIGCONT)
        return said


def test_a_zombie_that_wakes_after_its_lease_is_refused(
    tmp_path: Path, quiet: tuple[list[str], dict[str, Any]]
) -> None:
    stop = Strike("stop", unit=6, lasts=1e6)
    asked = plan(sky=sky(["#"] * 3), copies=2, strikes=(stop,), round_units=1)
    state = flown(asked, tmp_path, engine_of(asked, tmp_path, WakesTooLate, lease=3.0))
    ends_like(state, quiet[0])
    assert state.counts["stops"] == 1
    assert any(each["reason"] == "its lease ran out" for each in notes(tmp_path, "process lost"))
    refused = notes(tmp_path, "refused")
    assert refused
    assert all(each["epoch"] < each["now"] for each in refused)


def test_harmed_checkpoints_are_refused_and_the_run_goes_on_from_another(
    tmp_path: Path, quiet: tuple[list[str], dict[str, Any]]
) -> None:
    harmed: list[int] = []

    def harm(asked: RunPlan, state: RunState) -> None:
        """Flip a bit of every copy of the newest checkpoint, once, when the one that computes was killed."""
        if state.counts["kills"] and not harmed:
            folders = [tmp_path / name for name in asked.sky.names]
            newest = max((done for folder in folders for done in stored(folder)), default=0)
            assert newest > 0
            for folder in folders:
                path = folder / checkpoint_name(newest)
                if path.exists():
                    raw = bytearray(path.read_bytes())
                    raw[len(raw) // 2] ^= 1
                    path.write_bytes(raw)
            harmed.append(newest)

    asked = plan(
        sky=sky(["#"] * 2), protect="bounded", copies=1, strikes=(Strike("kill", unit=20),), round_units=2,
        checkpoint_s=8.0,
    )  # fmt: skip
    state = flown(asked, tmp_path, watch=harm)
    ends_like(state, quiet[0])
    refused = notes(tmp_path, "load failed")
    assert {each["done"] for each in refused} == set(harmed)
    assert state.counts["units_lost"] > 0


def test_a_coordinator_killed_in_mid_run_is_resumed_to_the_same_end(
    tmp_path: Path, quiet: tuple[list[str], dict[str, Any]]
) -> None:
    assert killed_after(30, tmp_path)
    done = notes(tmp_path, "verified")[-1]["done"]
    assert 0 < done < 40
    state = flown(TO_BE_KILLED, tmp_path)
    ends_like(state, quiet[0])
    assert state.counts["coordinator_restarts"] == 1


def test_a_clock_that_is_set_back_does_not_turn_the_run_back(
    tmp_path: Path, quiet: tuple[list[str], dict[str, Any]]
) -> None:
    looks = Looks()
    asked = plan(sky=sky(["#"] * 2), copies=2, faults=5.0)
    times: list[float] = []
    state = flown(
        asked,
        tmp_path,
        watch=lambda asked, state: times.append(state.now),
        clock=lambda: looks() - (3.0 if 4.0 < looks() < 6.0 else 0.0),
    )
    ends_like(state, quiet[0])
    assert times == sorted(times)


# The long ones.


class Striking(LocalEngine):
    """Kills processes at random moments, whatever they do then, and says so to nobody."""

    kills = 0
    rng = np.random.default_rng(0)
    _next = 0.0

    def hear(self, seconds: float) -> list[Said]:
        now = time.monotonic()
        living = [each for each in self._children.values() if each.process.poll() is None]
        if living and now >= self._next:
            if self._next:
                living[int(self.rng.integers(len(living)))].process.kill()
                Striking.kills += 1
            self._next = now + float(self.rng.exponential(1.0))
        return super().hear(seconds)


@pytest.mark.slow
def test_a_hundred_kills_of_workers_at_random_moments_change_nothing(tmp_path: Path) -> None:
    digests, _ = quiet_run(400)
    for number in range(20):
        folder = tmp_path / str(number)
        state = flown(plan(units=400), folder, engine_of(plan(units=400), folder, Striking))
        ends_like(state, digests)
        if Striking.kills >= 100:
            break
    assert Striking.kills >= 100


@pytest.mark.slow
def test_twenty_kills_of_the_coordinator_at_random_moments_change_nothing(tmp_path: Path) -> None:
    digests, _ = quiet_run(40)
    rng = np.random.default_rng(1)
    kills = 0
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        while kills < 20 and killed_after(int(rng.integers(0, 30)), folder):
            kills += 1
        ends_like(flown(TO_BE_KILLED, folder), digests)
        if kills >= 20:
            break
    assert kills == 20


SHAKESPEARE = ROOT.parent / "shared" / "data" / "tinyshakespeare.txt"
SHORT = {"size": "tiny", "steps": "400"}
LONG = {"size": "0.8m", "steps": "2000", "text": str(SHAKESPEARE)}


@pytest.mark.slow
@pytest.mark.parametrize("protect", ["exact", "bounded"])
@pytest.mark.parametrize("parameters", [SHORT, LONG], ids=["standard library", "Shakespeare"])
def test_training_ends_as_promised_through_eclipses_kills_and_a_thousand_flips(
    tmp_path: Path, protect: str, parameters: dict[str, str]
) -> None:
    """The acceptance run, on the default scenario; 2,000 steps on Shakespeare reach 1.85 to 1.95 (published: 1.88)."""
    if "text" in parameters and not SHAKESPEARE.exists():
        pytest.skip("the text is not here")
    job = JobFile(name="acceptance", kind="gpt-train", parameters=parameters, protect=protect)
    # The quicker the execution, the quicker the Sun that brings three eclipses.
    speedup = 100.0 if parameters is LONG else 300.0 if protect == "exact" else 600.0
    options = RunOptions(faults=1200.0, kills=("2",), speedup=speedup, duration=4 * DAY, seed=1)
    evidence = run_job(job, options=options, folder=tmp_path)
    counts = evidence.state.counts
    assert counts["eclipses"] >= 3
    assert counts["kills"] == 2
    assert counts["injected"] >= 1000
    assert evidence.kept
    if protect == "exact":
        assert evidence.identical
    if parameters is LONG:
        assert 1.85 <= evidence.outcome["validation_loss"] <= 1.95
