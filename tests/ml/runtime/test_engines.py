"""Engines: the same tests on each. Processes start, answer, hang and die alike, and a run ends bit for bit the same."""

from __future__ import annotations

import hashlib
import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.runtime.engines.engine import Engine, Said, WorkerSpec
from skyhall.runtime.engines.local import LocalEngine
from skyhall.runtime.mission import Mission
from skyhall.runtime.reference import undisturbed
from skyhall.runtime.run import RunOptions, _engine
from skyhall.runtime.sky import Link, Sky
from skyhall.runtime.state import RunPlan, RunState, Strike
from skyhall.runtime.storage import checkpoint_name
from skyhall.runtime.worker import Worker

pytestmark = pytest.mark.ml

STEPS = 12
NAMES = ("sat-0", "sat-1", "sat-2", "sat-3")
PATIENCE_S = 120.0  # of a test, on a busy machine
LOAD = {"kind": "load", "source": "fresh", "done": 0}
GO = {"kind": "go", "round": 1, "first": 0, "until": STEPS, "upsets_per_unit": 0.0, "level": "abft"}
# Said, not left to Ray. On a busy machine a second is nothing: with 0.5 s x 3 the head itself was declared dead.
HEALTH = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 5000,
    "health_check_failure_threshold": 5,
}

Opened = Callable[..., "Heard"]


def spec_of(folder: Path, satellite: int = 0, epoch: int = 1) -> WorkerSpec:
    parameters = {"size": "tiny", "steps": str(STEPS)}
    return WorkerSpec(
        "gpt-train", parameters, "exact", str(folder / f"s{satellite}"), satellite, epoch, seed=0
    )


class Heard:
    """An engine, and what it said that no test has asked for yet."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._said: list[Said] = []

    def next(self, kind: str, satellite: int, epoch: int | None = 1) -> Mapping[str, Any]:
        """Wait for what a satellite says next of a kind."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for said in self._said:
                if (said.kind, said.satellite, said.epoch) == (kind, satellite, epoch):
                    self._said.remove(said)
                    return said.data
            self._said += self.engine.hear(0.1)
        raise AssertionError(f"no '{kind}' of satellite {satellite} in epoch {epoch}, but {self._said}")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """A Ray cluster of one node that is all four satellites."""
    pytest.importorskip("skyhall.runtime.engines.ray")  # first: it sets what Ray reads when it is imported
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "resources": dict.fromkeys(NAMES, 1), "_system_config": HEALTH}
    started = Cluster(initialize_head=True, head_node_args=head)
    yield started
    started.shutdown()


@pytest.fixture(params=["local", "ray"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """What opens an engine of either kind, whose storage is below the test's folder."""
    engines: list[Engine] = []

    def spec(satellite: int, epoch: int) -> WorkerSpec:
        return spec_of(tmp_path, satellite, epoch)

    def open_engine(**options: Any) -> Heard:
        engine: Engine
        if request.param == "local":
            engine = LocalEngine(spec, **options)
        else:
            address = request.getfixturevalue("cluster").address
            from skyhall.runtime.engines.ray import RayEngine

            engine = RayEngine(spec, NAMES, address=address, **options)
        engines.append(engine)
        return Heard(engine)

    yield open_engine
    for each in engines:
        each.close()


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Digests of the undisturbed run, of the one part that its units have."""
    digests: list[list[str]] = undisturbed(spec_of(tmp_path_factory.mktemp("quiet")), lambda share: None)[
        "digests"
    ]
    return digests


def stored(folder: Path, satellite: int, done: int) -> bytes:
    """Store what has the seal of a checkpoint; larger than what Ray sends within a message."""
    body = np.random.default_rng(done).bytes(300_000)
    sealed = body + hashlib.sha256(body).digest()
    path = folder / f"s{satellite}" / checkpoint_name(done)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sealed)
    return sealed


def by_itself(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what a worker of this process answers, by kind."""
    answers: dict[str, dict[str, Any]] = {}
    inbox: queue.Queue[Mapping[str, Any]] = queue.Queue()

    def answer(said: dict[str, Any]) -> None:
        answers[said["kind"]] = said
        if said["kind"] == "ended":  # before, it would call the round off
            inbox.put({"kind": "exit"})

    inbox.put(LOAD)
    inbox.put(GO)
    Worker(spec_of(folder), answer, inbox).run()
    return answers


def test_two_lives_of_a_satellite_obey_in_order_and_compute_what_one_process_computes(
    opened: Opened, tmp_path: Path
) -> None:
    alone = by_itself(tmp_path / "alone")
    heard = opened()
    for epoch in (1, 2):
        heard.engine.start(0, epoch)
    for epoch in (1, 2):
        assert heard.next("up", 0, epoch)["kept"] == []
    for epoch in (1, 2):
        for number in range(100):
            heard.engine.tell(0, epoch, {"kind": "back", "done": number})
        heard.engine.tell(0, epoch, LOAD)
        heard.engine.tell(0, epoch, GO)
    for epoch in (1, 2):
        assert [heard.next("failed", 0, epoch)["done"] for _ in range(100)] == list(range(100))
        assert heard.next("ready", 0, epoch)["digest"] == alone["ready"]["digest"]
        assert heard.next("ended", 0, epoch)["digest"] == alone["ended"]["digest"] != ""


def test_a_killed_process_is_gone_and_told_nothing(opened: Opened) -> None:
    heard = opened()
    heard.engine.start(0, 1)
    heard.engine.kill(0, 1)
    assert heard.next("gone", 0)["reason"]
    heard.engine.tell(0, 1, LOAD)
    heard.engine.kill(0, 1)
    heard.engine.stop(0, 1, 1.0)
    heard.engine.kill(3, 7)  # never was
    assert heard.engine.hear(0.2) == []


def test_one_that_hangs_is_gone_when_its_lease_ends_and_wakes_in_its_old_epoch(opened: Opened) -> None:
    heard = opened(lease=2.0)
    heard.engine.start(1, 1)
    heard.next("up", 1)
    heard.engine.stop(1, 1, 3.0)
    heard.engine.tell(1, 1, LOAD)
    assert "lease" in heard.next("gone", 1)["reason"]
    heard.next("ready", 1, epoch=1)


def test_a_checkpoint_is_carried_whole(opened: Opened, tmp_path: Path) -> None:
    sealed = stored(tmp_path, 0, 7)
    heard = opened()
    heard.engine.carry(1, 0, 2, checkpoint_name(7))
    arrived = heard.next("carried", 2, None)
    assert arrived == {
        "transfer": 1, "ok": True, "digest": sealed[-32:].hex(), "size": len(sealed), "kept": [7]
    }  # fmt: skip
    assert (
        (tmp_path / "s2" / checkpoint_name(7)).read_bytes()
        == heard.engine.fetch(2, checkpoint_name(7))
        == sealed
    )


def test_a_corrupted_file_is_not_carried(opened: Opened, tmp_path: Path) -> None:
    sealed = bytearray(stored(tmp_path, 0, 7))
    sealed[1000] ^= 4
    (tmp_path / "s0" / checkpoint_name(7)).write_bytes(sealed)
    heard = opened()
    heard.engine.carry(1, 0, 2, checkpoint_name(7))
    refused = heard.next("carried", 2, None)
    assert (refused["ok"], refused["at_source"]) == (False, True)
    heard.engine.carry(2, 0, 2, checkpoint_name(8))
    assert heard.next("carried", 2, None) == {
        "transfer": 2, "ok": False, "reason": "no such file or directory", "at_source": True
    }  # fmt: skip
    assert not (tmp_path / "s2").exists()


def test_bytes_that_change_on_their_way_are_refused_where_they_arrive(opened: Opened, tmp_path: Path) -> None:
    stored(tmp_path, 0, 7)
    heard = opened(carried=lambda sealed: b"x" + sealed[1:])
    heard.engine.carry(1, 0, 2, checkpoint_name(7))
    refused = heard.next("carried", 2, None)
    assert not refused["ok"]
    assert "at_source" not in refused
    assert not (tmp_path / "s2" / checkpoint_name(7)).exists()


def test_storage_is_wiped_before_the_next_life_begins(opened: Opened, tmp_path: Path) -> None:
    stored(tmp_path, 0, 7)
    heard = opened()
    heard.engine.wipe(0)
    heard.engine.start(0, 1)
    assert heard.next("up", 0)["kept"] == []
    with pytest.raises(OSError, match="No such file"):
        heard.engine.fetch(0, checkpoint_name(7))


def plan(names: tuple[str, ...], *strikes: Strike) -> RunPlan:
    """Three copies in light that never ends, any two satellites a constant link apart."""
    lit = np.ones((len(names), 60), dtype=np.bool_)
    sky = Sky(
        names,
        0.0,
        60.0,
        lit,
        np.zeros(lit.shape),
        ~lit,
        0.0,
        1000.0,
        lambda one, other, time: Link(1e9, 0.01),
    )
    return RunPlan(
        sky, STEPS, "exact", copies=3, speedup=120.0, strikes=strikes, checkpoint_s=60.0, round_units=2
    )


def proved(state: RunState, quiet: list[list[str]], folder: Path) -> None:
    assert state.digests == {done: tuple(quiet[done]) for done in range(0, STEPS + 1, 2)}
    assert [(folder / "result.checkpoint").read_bytes()[-32:].hex()] == quiet[-1]


def test_a_run_through_a_kill_ends_bit_for_bit_undisturbed(
    opened: Opened, quiet: list[list[str]], tmp_path: Path
) -> None:
    stored(tmp_path, 0, 999)  # left by an earlier run in the same folder
    state = Mission(plan(NAMES, Strike("kill", unit=4)), opened().engine, tmp_path).run()
    assert (state.counts["kills"], state.counts["processes_lost"]) == (1, 1)
    proved(state, quiet, tmp_path)


@pytest.mark.slow
def test_a_run_through_the_loss_of_a_node_ends_bit_for_bit_undisturbed(
    cluster: Any, quiet: list[list[str]], tmp_path: Path
) -> None:
    from skyhall.runtime.engines.ray import RayEngine

    node = cluster.add_node(num_cpus=1, resources={"far": 1})
    names = ("far", "sat-1", "sat-2", "sat-3")

    def watch(plan: RunPlan, state: RunState) -> None:
        if state.verified >= 4 and node in cluster.worker_nodes:
            assert 0 in state.members
            # With its processes, which would go on answering for a second or two.
            raylet = node.all_processes["raylet"][0].process.pid
            for child in Path(f"/proc/{raylet}/task/{raylet}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
            cluster.remove_node(node, allow_graceful=False)

    engine = RayEngine(lambda *who: spec_of(tmp_path, *who), names, address=cluster.address)
    state = Mission(plan(names), engine, tmp_path, watch).run()
    assert node not in cluster.worker_nodes
    assert state.counts["processes_lost"] == 1
    proved(state, quiet, tmp_path)


def test_a_cluster_that_is_started_here_is_quiet_and_ended(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("skyhall.runtime.engines.ray")
    stored(tmp_path, 0, 7)
    made = _engine(RunOptions(engine="ray"), lambda *who: spec_of(tmp_path, *who), NAMES)
    try:
        made.carry(1, 0, 1, checkpoint_name(7))
        assert Heard(made).next("carried", 1, None)["ok"]
    finally:
        made.close()
    made.close()
    assert capfd.readouterr() == ("", "")


def test_a_satellite_without_a_node_is_refused_by_name(cluster: Any, tmp_path: Path) -> None:
    from skyhall.runtime.engines.ray import RayEngine

    with pytest.raises(ValueProblem, match=r"no node of the cluster is sat-8, sat-9\n.*\"sat-8\": 1"):
        RayEngine(lambda *who: spec_of(tmp_path, *who), ("sat-0", "sat-8", "sat-9"), address=cluster.address)


def test_a_node_with_another_torch_is_refused(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    from skyhall.runtime.engines import ray as engine

    there = {**engine._own_versions(), "torch": "1.0"}
    monkeypatch.setattr(engine, "_versions", ray.remote(num_cpus=0)(lambda: there))
    with pytest.raises(ValueProblem, match=r"the node of sat-0 has torch 1\.0\n.*here is Python"):
        engine.RayEngine(lambda *who: spec_of(tmp_path, *who), NAMES, address=cluster.address)


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "skyhall.runtime.engines.ray", raising=False)
    with pytest.raises(ValueProblem, match=r"skyhall\[ray\]"):
        _engine(RunOptions(engine="ray"), lambda *who: spec_of(tmp_path, *who), NAMES)
