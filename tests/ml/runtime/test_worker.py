"""A satellite's worker within this process: what it answers, and what it refuses."""

from __future__ import annotations

import errno
import queue
from pathlib import Path
from typing import Any

import pytest

from skyhall.runtime.engines.engine import WorkerSpec
from skyhall.runtime.storage import checkpoint_name, sent, stored

pytest.importorskip("torch")

import torch

from skyhall.runtime.worker import Worker

pytestmark = pytest.mark.ml
TINY = {"size": "tiny", "steps": "12"}


class OneByOne(queue.Queue[Any]):
    """An inbox in which the next command is not seen before it is taken."""

    def __init__(self, commands: tuple[dict[str, Any], ...]) -> None:
        super().__init__()
        self._commands = list(commands)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return self._commands.pop(0)


class Talk:
    """A worker and what it said; commands are done one after another."""

    def __init__(
        self, folder: Path, protect: str = "exact", epoch: int = 1, *, kind: str = "gpt-train", **given: str
    ) -> None:
        self.folder = folder
        parameters = {**TINY, **given} if kind == "gpt-train" else given
        self._spec = WorkerSpec(kind, parameters, protect, str(folder), 0, epoch, seed=1)
        self.said: list[dict[str, Any]] = []
        self.worker = Worker(self._spec, self.said.append, queue.Queue())

    def __call__(self, *commands: dict[str, Any]) -> list[dict[str, Any]]:
        before = len(self.said)
        self.worker.inbox = OneByOne((*commands, {"kind": "exit"}))
        self.worker.run()
        return [said for said in self.said[before:] if said["kind"] != "up"]


def go(first: int, until: int, upsets: float = 0.0, number: int = 1) -> dict[str, Any]:
    return {
        "kind": "go", "round": number, "first": first, "until": until, "upsets_per_unit": upsets, "level": "abft",
    }  # fmt: skip


FRESH = {"kind": "load", "source": "fresh", "done": 0}


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Digests of the undisturbed run."""
    said = Talk(tmp_path_factory.mktemp("quiet"))(FRESH, go(0, 4), go(4, 8), go(8, 12))
    return {
        0: said[0]["digest"],
        **{4 * place: each["digest"] for place, each in enumerate(said[1:], start=1)},
    }


def test_the_digest_does_not_depend_on_how_the_units_are_parted(
    tmp_path: Path, digests: dict[int, str]
) -> None:
    said = Talk(tmp_path)(FRESH, go(0, 1), go(1, 8))
    assert said[-1]["digest"] == digests[8]


def test_a_state_that_was_stored_is_the_one_that_comes_back(tmp_path: Path, digests: dict[int, str]) -> None:
    first = Talk(tmp_path)(FRESH, go(0, 4), {"kind": "save", "done": 4})
    assert first[-1]["digest"] == digests[4]
    assert stored(tmp_path) == [4]
    again = Talk(tmp_path, epoch=2)({"kind": "load", "source": "file", "done": 4}, go(4, 8))
    assert [each["digest"] for each in again] == [digests[4], digests[8]]


@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_a_harmed_checkpoint_is_refused(tmp_path: Path, harm: str) -> None:
    talk = Talk(tmp_path)
    talk(FRESH, go(0, 4), {"kind": "save", "done": 4})
    path = tmp_path / checkpoint_name(4)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(data if harm == "flip" else data[: len(data) // 2])
        assert sent(tmp_path, path.name)[1] == "the file is not what was written"
    said = talk({"kind": "load", "source": "file", "done": 4})
    assert [(each["kind"], each["what"], each["done"]) for each in said] == [("failed", "load", 4)]


def test_a_full_disk_is_said_and_the_checkpoint_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = Talk(tmp_path)
    talk(FRESH, go(0, 4), {"kind": "save", "done": 4}, go(4, 8))
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        real(path, bytes(data)[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    said = talk({"kind": "save", "done": 8})
    monkeypatch.undo()
    assert said[0]["kind"] == "failed"
    assert "no space left" in said[0]["reason"]
    assert [each.name for each in tmp_path.iterdir()] == ["step-000000004.checkpoint"]
    assert talk({"kind": "save", "done": 8})[0]["kind"] == "saved"


def test_going_back_gives_the_state_that_the_round_began_with(
    tmp_path: Path, digests: dict[int, str]
) -> None:
    said = Talk(tmp_path)(FRESH, go(0, 4), go(4, 8), {"kind": "back", "done": 4}, go(4, 8))
    assert [each["digest"] for each in said[2:]] == [digests[8], digests[4], digests[8]]


def test_a_state_of_another_time_is_not_gone_on_from(tmp_path: Path) -> None:
    said = Talk(tmp_path)(FRESH, go(4, 8), {"kind": "back", "done": 8}, {"kind": "save", "done": 8})
    assert [each["kind"] for each in said] == ["ready", "failed", "failed", "failed"]


def test_upsets_change_the_digest_at_exact_and_are_other_ones_each_time(
    tmp_path: Path, digests: dict[int, str]
) -> None:
    said = Talk(tmp_path)(FRESH, go(0, 4, upsets=3.0), {"kind": "back", "done": 0}, go(0, 4, upsets=3.0))
    first, again = said[1], said[3]
    assert first["injected"] > 3
    assert len({first["digest"], again["digest"], digests[4]}) == 3


def test_bounded_finds_and_repairs_what_hits_the_state(tmp_path: Path) -> None:
    said = Talk(tmp_path, "bounded", steps="40")(FRESH, go(0, 40, upsets=1.0))
    ended = said[-1]
    assert ended["error"] == ""
    assert ended["injected"] > 20
    # At rest every flip is found; in kernels those that matter.
    assert ended["detected"] > 0.5 * ended["injected"]
    assert ended["corrected"] + ended["redone"] > 0
    assert len(ended["alarms"]) == min(20, ended["detected"])
    assert {each["action"] for each in ended["alarms"]} <= {"corrected", "confirmed", "redone", "restored"}


def test_a_satellite_that_is_called_off_says_nothing_of_the_round(
    tmp_path: Path, digests: dict[int, str]
) -> None:
    talk = Talk(tmp_path)
    talk(FRESH)
    talk.worker.inbox = queue.Queue()
    for command in (go(0, 4), {"kind": "rest"}, {"kind": "exit"}):
        talk.worker.inbox.put(command)
    talk.worker.run()
    assert [each["kind"] for each in talk.said] == ["up", "ready", "up"]
    assert talk(FRESH, go(0, 4))[-1]["digest"] == digests[4]


def test_an_error_of_a_unit_is_an_execution_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skyhall.jobs.train import GPTTrain

    def broken(job: GPTTrain, number: int) -> None:
        raise IndexError("index 7 is out of range")

    monkeypatch.setattr(GPTTrain, "unit", broken)
    said = Talk(tmp_path)(FRESH, go(0, 4))
    assert (said[-1]["kind"], said[-1]["digest"]) == ("ended", "")
    assert "IndexError: index 7" in said[-1]["error"]


@pytest.mark.parametrize("kind", ["gpt-serve", "fire-watch", "ship-watch", "image-calibrate", "kernels"])
def test_a_quiet_inference_is_finite_all_the_way(tmp_path: Path, kind: str) -> None:
    parameters = {"size": "tiny"} if kind == "gpt-serve" else {}
    said = Talk(tmp_path, kind=kind, **parameters)(FRESH, go(0, 1))
    assert said[-1]["error"] == ""
    assert said[-1]["finite"]


def test_nans_that_end_as_tokens_are_told(tmp_path: Path) -> None:
    """All logits of a row may be NaN wherever the fault was: its tokens are 0 and its state is finite."""
    talk = Talk(tmp_path, kind="gpt-serve", size="tiny")
    talk(FRESH)
    job = talk.worker._job
    assert job is not None
    with torch.no_grad():
        job.model.norm.weight.fill_(float("inf"))
    ended = talk(go(0, 1))[-1]
    assert not ended["finite"]
