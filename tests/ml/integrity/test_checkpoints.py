"""Checkpoints: canonical bytes, refused when a bit is wrong, and whole whatever happens while they are written."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from skyhall.integrity import checkpoints
from skyhall.integrity.checkpoints import Checkpoints, capture, load, restore, save
from skyhall.integrity.container import MAGIC, pack, unpack
from skyhall.integrity.errors import CheckpointError
from skyhall.jobs import gpt
from skyhall.jobs.text import standard_library_text

pytestmark = pytest.mark.ml

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16]
DTYPES += [torch.int8, torch.uint8, torch.bool]


def same(a: Any, b: Any) -> bool:
    """Whether two trees are equal, tensors bit by bit (NaN included)."""
    if isinstance(a, torch.Tensor):
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and a.reshape(-1).view(torch.uint8).tolist() == b.reshape(-1).view(torch.uint8).tolist()
        )
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes() and a.shape == b.shape
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or a != a)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 4), max_size=3))
    count = int(np.prod(shape))
    raw = draw(st.binary(min_size=count * dtype.itemsize, max_size=count * dtype.itemsize))
    if dtype == torch.bool:
        raw = bytes(byte & 1 for byte in raw)
    held = torch.frombuffer(bytearray(raw), dtype=torch.uint8) if raw else torch.empty(0, dtype=torch.uint8)
    return (held.view(dtype) if count else torch.empty(0, dtype=dtype)).reshape(shape)


plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=5)
)
trees = st.recursive(
    st.one_of(plain, tensors()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=4), st.integers(0, 9)), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(tree=trees)
def test_what_is_read_is_what_was_written(tree: Any) -> None:
    assert same(unpack(pack(tree)), tree)


@given(tree=trees, data=st.data())
def test_any_flipped_bit_and_any_cut_is_refused(tree: Any, data: st.DataObject) -> None:
    whole = pack(tree)
    hit = bytearray(whole)
    hit[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CheckpointError):
        unpack(bytes(hit))
    with pytest.raises(CheckpointError):
        unpack(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_the_order_of_insertion_leaves_no_trace() -> None:
    a, b = torch.ones(3), torch.zeros(2)
    assert pack({"x": a, "y": {1: b, 0: a}}) == pack({"y": {0: a, 1: b}, "x": a})


def test_layout_of_memory_leaves_no_trace() -> None:
    matrix = torch.arange(12.0).reshape(3, 4)
    assert pack(matrix.t()) == pack(matrix.t().contiguous())


def test_the_bytes_are_the_documented_ones() -> None:
    data = pack({"w": torch.tensor([1.0, 2.0])})
    header = b'{"tensors":[{"bytes":8,"dtype":"float32","offset":0,"shape":[2]}],'
    header += b'"values":{"dict":[["w",{"tensor":0}]]}}'
    assert data.startswith(MAGIC + len(header).to_bytes(8, "little") + header)
    assert data[192:200] == bytes.fromhex("0000803f00000040")
    assert len(data) == 192 + 64 + 32


def test_what_has_no_place_in_a_file_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"a\.b\[1\] is a object"):
        pack({"a": {"b": [1, object()]}})
    with pytest.raises(CheckpointError, match="complex64"):
        pack(torch.zeros(1, dtype=torch.complex64))
    with pytest.raises(CheckpointError, match="neither text nor whole number"):
        pack({1.5: 2})


def test_a_run_goes_on_from_a_checkpoint_as_if_nothing_had_happened(tmp_path: Path) -> None:
    text = standard_library_text(60_000)
    config = replace(gpt.SIZES["tiny"], layers=1, width=16, block=8, rows=4, vocabulary=len(text.alphabet))
    model, optimizer, _ = gpt.train(text, config, 5, seed=0)
    own = torch.Generator().manual_seed(3)
    counted = np.random.default_rng(4)
    random.seed(1)
    torch.rand(3, generator=own)
    kept = {"own": own, "counted": counted}
    saved = save(tmp_path / "five", capture(model, optimizer, position={"step": 5}, generators=kept))
    assert saved.size == (tmp_path / "five").stat().st_size

    def go_on(
        model: nn.Module, optimizer: torch.optim.Optimizer, own: torch.Generator, counted: Any
    ) -> list[Any]:
        drawn = [random.random(), np.random.rand()]  # noqa: NPY002  # the global state is state too
        drawn += [torch.rand(1).item(), torch.rand(1, generator=own).item()]
        drawn += [counted.normal()]
        for step, batch in enumerate(gpt.batches(text, config, range(5, 9), 0), start=5):
            drawn += [float(gpt.train_step(model, optimizer, batch, gpt.learning_rate(step, config)))]
        return [drawn, capture(model, optimizer)]

    expected = go_on(model, optimizer, own, counted)
    fresh = gpt.build(config, 99)
    moments = gpt.adamw(fresh, config)
    others: dict[str, Any] = {"own": torch.Generator(), "counted": np.random.default_rng()}
    assert restore(load(tmp_path / "five"), fresh, moments, generators=others) == {"step": 5}
    found = go_on(fresh, moments, others["own"], others["counted"])
    assert same(found, expected)
    assert pack(found[1]) == pack(expected[1])


def test_another_model_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a", capture(nn.Linear(2, 2)))
    with pytest.raises(CheckpointError, match="another model"):
        restore(load(tmp_path / "a"), nn.Linear(3, 3))
    held = nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match="holds no optimiser"):
        restore(load(tmp_path / "a"), held, torch.optim.SGD(held.parameters()))
    with pytest.raises(CheckpointError, match="no generator 'own'"):
        restore(load(tmp_path / "a"), held, generators={"own": torch.Generator()})


def state(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((500,), float(step))}


def test_the_newest_few_are_kept(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path, keep=3)
    assert held.newest() is None
    for step in range(6):
        held.write(step, state(step))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"step-00000000{step}.checkpoint" for step in (3, 4, 5)
    ]
    newest = held.newest()
    assert newest is not None
    assert (newest.step, newest.refused) == (5, ())
    with pytest.raises(CheckpointError, match="nothing to fall back on"):
        Checkpoints(tmp_path, keep=1)


def test_a_corrupted_file_is_passed_over_with_the_reason(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path, keep=4)
    paths = [held.write(step, state(step)).path for step in range(4)]
    flipped = bytearray(paths[3].read_bytes())
    flipped[300] ^= 4
    paths[3].write_bytes(flipped)
    paths[2].write_bytes(paths[2].read_bytes()[:1000])
    newest = held.newest()
    assert newest is not None
    assert newest.step == 1
    assert same(newest.state, state(1))
    (first, why), (second, cut) = newest.refused
    assert (first, second) == (paths[3], paths[2])
    assert why == "has bytes that differ from its SHA-256"
    assert cut.startswith("is truncated: 1,000 of 2,2")
    paths[1].write_bytes(b"")
    paths[0].write_bytes(b"skyhall-checkpoint 2\n" + bytes(100))
    with pytest.raises(CheckpointError, match=r"no checkpoint that verifies.*another version"):
        held.newest()


def test_a_full_disk_is_told_and_the_file_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Checkpoints(tmp_path)
    held.write(0, state(0))
    real = os.open

    def on_a_full_disk(path: Any, flags: int, mode: int = 0o777) -> int:
        return real("/dev/full" if str(path).endswith(".partial") else path, flags & ~os.O_TRUNC, mode)

    monkeypatch.setattr(checkpoints.os, "open", on_a_full_disk)
    with pytest.raises(CheckpointError, match="the disk is full") as error:
        held.write(1, state(1))
    assert "the file before is untouched" in str(error.value)
    monkeypatch.undo()
    newest = held.newest()
    assert newest is not None
    assert newest.step == 0
    assert len(list(tmp_path.iterdir())) == 1


# One process loads torch once and forks a writer for each moment; the writer kills itself there, as kill -9 does.
WRITER = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from skyhall.integrity import checkpoints
folder = sys.argv[1]
state = lambda step: {"step": step, "weights": torch.full((200_000,), float(step))}
held = checkpoints.Checkpoints(folder)
held.write(0, state(0))
real_write, real_fsync, real_replace = os.write, os.fsync, checkpoints.Path.replace
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def some(handle, data):
    real_write(handle, data[:100_000]); die()
def none(handle, data):
    die()
def after_sync(handle):
    real_fsync(handle); die()
def after_rename(path, target):
    real_replace(path, target); die()
moments = [("write", none), ("write", some), ("fsync", die), ("fsync", after_sync)]
moments += [("replace", die), ("replace", after_rename)]
for number, (name, instead) in enumerate(moments):
    child = os.fork()
    if child == 0:
        if name == "replace":
            checkpoints.Path.replace = instead
        else:
            setattr(checkpoints.os, name, instead)
        held.write(number + 1, state(number + 1))
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    newest = held.newest()
    expected = number + 1 if instead is after_rename else 0
    assert newest.step == expected and not newest.refused, (name, number, newest)
    assert newest.state["weights"][0] == expected
held.write(9, state(9))
assert not list(held.folder.glob(".*")), "files of the dead are removed"
print("survived", len(moments))
"""


def test_a_kill_at_any_moment_of_writing_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path / "run")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["survived", "6"]
