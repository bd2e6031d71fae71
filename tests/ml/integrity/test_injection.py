"""Injection: the asked bits of the asked targets change, the log says so, and a replay gives the same bits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from skyhall.integrity.entry import protect
from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.faults import SHAPES, Fault, FaultList, FaultModel, Site
from skyhall.integrity.injection import Injector, inject, strike
from skyhall.jobs import gpt
from skyhall.jobs.text import Text, standard_library_text

pytestmark = pytest.mark.ml

STEPS = 6
CONFIG = replace(gpt.SIZES["tiny"], layers=1, width=16, block=8, rows=4, warmup=1, vocabulary=96)


@pytest.fixture(scope="module")
def text() -> Text:
    return standard_library_text(60_000)


def run(text: Text, faults: FaultList | FaultModel, **options: object) -> tuple[Injector, bytes]:
    """Train the smallest GPT for a few steps under faults; return the injector and the bits at the end."""
    torch.manual_seed(0)
    config = replace(CONFIG, vocabulary=len(text.alphabet))
    model = gpt.build(config, 0)
    optimizer = gpt.adamw(model, config)
    with inject(model, optimizer, faults=faults, **options) as injector:  # type: ignore[arg-type]
        for step, batch in enumerate(gpt.batches(text, CONFIG, range(STEPS), 0)):
            injector.begin(step)
            inputs, targets = (part.clamp(0, config.vocabulary - 1) for part in injector.batch(*batch))
            gpt.train_step(model, optimizer, (inputs, targets), gpt.learning_rate(step, CONFIG))
    state = [value for _, _, value in injector._state()]
    return injector, b"".join(value.detach().contiguous().numpy().tobytes() for value in state)


QUIET = FaultList(())
ALL = ("weights", "optimizer", "rng", "batch", "activations", "gradients", "updates")


def test_a_rate_that_changes_from_step_to_step_gives_each_step_its_own() -> None:
    model = FaultModel(targets=("weights",), rate_per_bit_hour=1e-3, hours_per_step=1.0)
    relative = np.array([0.0, 4.0, 1.0] * 200)
    drawn = model.draw(
        [Site("weights", "w", "fp32", (100,))], len(relative), np.random.default_rng(0), relative=relative
    )
    each = np.bincount([fault.step for fault in drawn], minlength=len(relative)).reshape(200, 3).sum(axis=0)
    assert each[0] == 0
    assert each[1:] == pytest.approx([200 * 12.8, 200 * 3.2], rel=0.1)


def test_no_faults_change_nothing(text: Text) -> None:
    injector, bits = run(text, QUIET)
    assert not injector.hits
    assert bits == run(text, QUIET)[1]
    torch.manual_seed(0)
    model, optimizer, _ = gpt.train(text, CONFIG, STEPS, 0)
    plain = Injector(model, optimizer, QUIET)
    assert bits == b"".join(value.detach().contiguous().numpy().tobytes() for _, _, value in plain._state())


@pytest.mark.parametrize("target", ALL)
def test_each_target_is_hit_as_often_as_asked_and_replays_bit_for_bit(
    text: Text, target: str, tmp_path: Path
) -> None:
    log = tmp_path / "faults.jsonl"
    model = FaultModel(targets=(target,), count=9, shapes={"single": 0.5, "adjacent": 0.3, "row": 0.2})
    injector, bits = run(text, model, steps=STEPS, seed=4, log=log)
    assert injector.planned == len(injector.hits) == 9
    assert {hit.fault.target for hit in injector.hits} == {target}
    assert bits != run(text, QUIET)[1]
    replayed, same = run(text, FaultList.read(log))
    assert same == bits
    assert replayed.hits == injector.hits
    assert run(text, injector.recorded())[1] == bits
    assert run(text, model, steps=STEPS, seed=4)[1] == bits
    assert run(text, model, steps=STEPS, seed=5)[1] != bits


def test_all_targets_share_a_count(text: Text) -> None:
    injector, _ = run(text, FaultModel(targets=ALL, count=140), steps=STEPS, seed=1)
    assert len(injector.hits) == 140
    assert {hit.fault.target for hit in injector.hits} == set(ALL)


def test_the_log_says_what_the_word_was_and_became(text: Text, tmp_path: Path) -> None:
    log = tmp_path / "faults.jsonl"
    run(text, FaultModel(targets=("weights", "activations"), bits="exponent", count=8), steps=STEPS, log=log)
    header, *lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert header["format"] == "skyhall-faults 1"
    assert header["seed"] == 0
    assert header["model"]["bits"] == "exponent"
    assert len(lines) == 8
    for line in lines:
        assert int(line["before"], 16) ^ int(line["after"], 16) == int(line["mask"], 16)
        assert int(line["mask"], 16) & 0x7F800000 == int(line["mask"], 16)


def test_a_rate_gives_poisson_many_events() -> None:
    sites = [Site("weights", "w", "fp32", (100, 100)), Site("optimizer", "m", "bf16", (50,))]
    bits = 100 * 100 * 32 + 50 * 16
    model = FaultModel(
        targets=("weights", "optimizer"), rate_per_bit_hour=1e-6, hours_per_step=0.5, acceleration=10.0
    )
    assert model.expected(sites) == pytest.approx(bits * 1e-6 * 0.5 * 10.0)
    drawn = model.draw(sites, 4000, np.random.default_rng(0))
    mean = model.expected(sites) * 4000
    assert len(drawn) == pytest.approx(mean, abs=4 * mean**0.5)
    counts = np.bincount([fault.step for fault in drawn], minlength=4000)
    assert counts.var() == pytest.approx(counts.mean(), rel=0.1)
    share = sum(fault.target == "optimizer" for fault in drawn) / len(drawn)
    assert share == pytest.approx(800 / bits, abs=0.002)


def test_a_rate_hits_a_running_program(text: Text) -> None:
    model = FaultModel(targets=ALL, rate_per_bit_hour=1e-6, hours_per_step=1.0)
    injector, bits = run(text, model, seed=2)
    assert len(injector.hits) == injector.planned > 0
    assert run(text, model, seed=2)[1] == bits


def test_every_bit_is_as_likely() -> None:
    model = FaultModel(targets=("weights",), count=32_000)
    drawn = model.draw([Site("weights", "w", "fp32", (7, 3))], 10, np.random.default_rng(0))
    per_bit = np.bincount([fault.mask.bit_length() - 1 for fault in drawn], minlength=32)
    assert per_bit.min() > 1000 - 4 * 1000**0.5
    assert per_bit.max() < 1000 + 4 * 1000**0.5
    assert len({fault.index for fault in drawn}) == 21


@pytest.mark.parametrize(
    ("shape", "elements", "bits"),
    [("single", 1, 1), ("adjacent", 1, 3), ("row", 32, 1), ("tile", 64, 1), ("stuck-at-1", 1, 1)],
)
def test_a_shape_reaches_what_its_name_says(shape: str, elements: int, bits: int) -> None:
    model = FaultModel(targets=("weights",), count=200, shapes={shape: 1.0}, adjacent=3)
    for fault in model.draw([Site("weights", "w", "fp16", (4, 16, 64))], 1, np.random.default_rng(1)):
        tensor = torch.zeros(4, 16, 64, dtype=torch.float16)
        strike(tensor, fault)
        raw = tensor.view(torch.int16)
        assert int((raw != 0).sum()) == elements
        assert {int(value).bit_count() for value in (raw[raw != 0].to(torch.int32) & 0xFFFF).tolist()} == {
            bits
        }
        if shape == "tile":
            assert len(torch.nonzero(raw)[:, 0].unique()) == 1
            assert len(torch.nonzero(raw)[:, 1].unique()) == len(torch.nonzero(raw)[:, 2].unique()) == 8


def test_a_row_ends_with_the_tensor() -> None:
    model = FaultModel(targets=("weights",), count=50, shapes={"row": 1.0})
    drawn = model.draw([Site("weights", "w", "fp32", (40,))], 1, np.random.default_rng(0))
    assert {fault.extent for fault in drawn} == {(32,), (8,)}


def test_a_stuck_cell_takes_hold_again_after_every_write() -> None:
    model = nn.Linear(4, 4)
    fault = Fault(0, "weights", "weight", "fp32", "stuck-at-1", (4, 4), (1, 2), (1, 1), 1 << 31)
    with inject(model, faults=FaultList((fault,))) as injector:
        for step in range(3):
            with torch.no_grad():
                model.weight.fill_(1.0)
            injector.begin(step)
            assert model.weight[1, 2].item() == -1.0
            assert int((model.weight == 1.0).sum()) == 15
    assert len(injector.hits) == 1


def test_a_stuck_line_of_a_unit_hits_every_result_of_its_kernel() -> None:
    fault = Fault(
        1, "activations", "aten.mm.default", "fp32", "stuck-at-1", (4, 4), (1, 2), (1, 1), 1 << 31, 0
    )
    ones = torch.ones(4, 4)
    with inject(None, faults=FaultList((fault,))) as injector:
        for step in range(3):
            injector.begin(step)
            for _ in range(2):
                product = ones @ ones
                assert product[1, 2].item() == (4.0 if step < 1 else -4.0)
                assert (ones + ones)[1, 2].item() == 2.0


def test_a_transient_hits_one_result_once() -> None:
    fault = Fault(0, "activations", "aten.mm.default", "fp32", "single", (4, 4), (1, 2), (1, 1), 1 << 31, 1)
    ones = torch.ones(4, 4)
    with inject(None, faults=FaultList((fault,))) as injector:
        injector.begin(0)
        results = [(ones @ ones)[1, 2].item() for _ in range(3)]
        injector.begin(1)
        results += [(ones @ ones)[1, 2].item() for _ in range(3)]
    assert results == [4.0, -4.0, 4.0, 4.0, 4.0, 4.0]


def test_phases_are_told_apart(text: Text) -> None:
    injector, _ = run(text, QUIET)
    with_names = {(site.target, site.name) for site in injector.kernels.sites}
    assert ("activations", "aten.embedding.default") in with_names
    assert ("gradients", "aten.embedding_dense_backward.default") in with_names
    assert ("updates", "aten.addcdiv_.default") in with_names
    assert not any(name.startswith(("aten.view", "aten.t.", "profiler")) for _, name in with_names)
    for target in ("activations", "gradients", "updates"):
        places = [site.place for site in injector.kernels.sites if site.target == target]
        assert places == list(range(len(places)))


def test_messages_are_hit_on_their_way_and_the_sender_keeps_its_own() -> None:
    model = FaultModel(targets=("messages",), count=2, shapes={"tile": 1.0})
    gradient = torch.ones(16, 16)
    with inject(None, faults=model, steps=1) as injector:
        injector.begin(0)
        received = injector.message("gradient", gradient)
    assert torch.equal(gradient, torch.ones(16, 16))
    assert not torch.equal(received, gradient)
    with inject(None, faults=injector.recorded()) as replay:
        replay.begin(0)
        assert torch.equal(replay.message("gradient", gradient), received)


def test_checkpoint_bytes_are_hit_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_bytes(bytes(1000))
    with inject(None, faults=FaultModel(targets=("checkpoint",), count=1), steps=1, seed=3) as injector:
        injector.begin(0)
        injector.checkpoint(file)
    assert sum(byte.bit_count() for byte in file.read_bytes()) == 1
    assert len(file.read_bytes()) == 1000


def test_the_generator_draws_other_numbers_afterwards() -> None:
    torch.manual_seed(1)
    expected = torch.rand(700)
    torch.manual_seed(1)
    with inject(None, faults=FaultModel(targets=("rng",), count=1), steps=1) as injector:
        injector.begin(0)
    assert not torch.equal(torch.rand(700), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.int8, torch.uint8])
def test_weights_of_every_dtype_are_hit(dtype: torch.dtype) -> None:
    model = nn.Module()
    model.register_buffer("held", torch.zeros(8, 8).to(dtype))
    with inject(model, faults=FaultModel(targets=("weights",), count=1, bits="low"), steps=1) as injector:
        injector.begin(0)
    raw = model.held.view(torch.uint8)
    assert sum(int(value).bit_count() for value in raw.reshape(-1).tolist()) == 1


def test_the_hooks_are_gone_afterwards() -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters())
    with inject(model, optimizer, faults=QUIET):
        pass
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks


def _asked(make: Callable[[], object]) -> str:
    with pytest.raises(IntegrityError) as error:
        make()
    return str(error.value)


def test_wrong_requests_say_what_is_right(tmp_path: Path) -> None:
    assert "did you mean 'weights'" in _asked(lambda: FaultModel(targets=("wieghts",), count=1))
    assert "did you mean 'single'" in _asked(lambda: FaultModel(shapes={"singel": 1.0}, count=1))
    assert "exactly one" in _asked(FaultModel)
    assert "exactly one" in _asked(lambda: FaultModel(count=1, rate_per_bit_hour=1.0))
    assert "hours_per_step" in _asked(lambda: FaultModel(rate_per_bit_hour=1.0))
    assert "at least 0" in _asked(lambda: FaultModel(count=-1))
    assert "needs `steps`" in _asked(lambda: Injector(None, None, FaultModel(count=1)))
    site = Site("weights", "w", "int8", (4,))
    asked = FaultModel(targets=("weights",), bits="exponent", count=1)
    assert "no bits 'exponent'" in _asked(lambda: asked.draw([site], 1, np.random.default_rng(0)))
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"format": "skyhall-faults 1"}\n{"step": 0}\n', encoding="utf-8")
    assert f"{bad}:2 is no fault" in _asked(lambda: FaultList.read(bad))
    bad.write_text("hello\n", encoding="utf-8")
    assert "is no list of faults" in _asked(lambda: FaultList.read(bad))


def test_a_list_of_another_program_is_refused() -> None:
    fault = Fault(0, "weights", "weight", "fp32", "single", (5, 5), (0, 0), (1, 1), 1)
    for wrong in (fault, replace(fault, name="gone"), replace(fault, within=(4, 4), dtype="bf16")):
        refused = pytest.raises(IntegrityError, match="another program")
        with inject(nn.Linear(4, 4), faults=FaultList((wrong,))) as injector, refused:
            injector.begin(0)


def test_a_list_of_another_kernel_is_refused_when_it_runs() -> None:
    fault = Fault(0, "activations", "aten.mm.default", "fp32", "single", (4, 4), (1, 2), (1, 1), 1, 0)
    refused = pytest.raises(
        IntegrityError, match=r"hits aten.mm.default as activations 0, where aten.add.Tensor runs"
    )
    ones = torch.ones(4, 4)
    with inject(None, faults=FaultList((fault,))) as injector:
        injector.begin(0)
        with refused:
            _ = ones + ones


def test_a_unit_that_sticks_hits_the_kernel_that_is_run_again_too() -> None:
    fault = Fault(
        0, "activations", "aten.mm.default", "fp32", "stuck-at-1", (64, 64), (1, 2), (1, 1), 1 << 29, 0
    )
    ones = torch.ones(64, 64)
    guard = protect(level="abft")
    with guard, inject(None, faults=FaultList((fault,))) as injector:
        injector.begin(0)
        product = ones @ ones
    verdict = guard.verdict()
    assert product[1, 2].item() > 64.0
    assert not verdict
    assert guard.report.uncorrected


def test_what_a_protection_computes_is_neither_counted_nor_hit() -> None:
    ones = torch.ones(64, 64)

    def places(level: str, outside: bool) -> list[tuple[str, int]]:
        with inject(None, faults=QUIET) as injector:
            injector.begin(0)
            if outside:  # entered within, so that the injector must be entered once more
                with protect(level=level), injector.computing():
                    _ = (ones @ ones).exp() @ ones
            else:
                _ = (ones @ ones).exp() @ ones
            injector.begin(1)
            return [(site.name, site.place) for site in injector.kernels.sites]

    plain = places("none", outside=False)
    assert [name for name, _ in plain] == ["aten.mm.default", "aten.exp.default", "aten.mm.default"]
    assert places("full", outside=True) == plain


def test_a_list_keeps_every_shape_through_its_file(tmp_path: Path) -> None:
    model = FaultModel(targets=("weights",), count=60, shapes=dict.fromkeys(SHAPES, 1.0))
    drawn = model.draw([Site("weights", "w", "fp32", (64, 64))], 5, np.random.default_rng(0))
    assert FaultList.read(drawn.write(tmp_path / "list.jsonl")).faults == drawn.faults


def test_more_faults_than_a_list_can_hold_are_refused_before_they_are_drawn() -> None:
    from skyhall.integrity.faults import MOST_FAULTS

    with pytest.raises(IntegrityError, match=r"1,000,000,000,000 faults are too many .* at most 1,000,000"):
        FaultModel(count=10**12)
    FaultModel(count=MOST_FAULTS)
    site = Site("weights", "w", "fp32", (100, 100))
    often = FaultModel(targets=("weights",), rate_per_bit_hour=1.0, hours_per_step=1.0)
    with pytest.raises(IntegrityError, match="too many"):
        often.draw([site], 10, np.random.default_rng(0))
