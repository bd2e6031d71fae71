"""The promise: whatever is flipped on the way, `exact` ends bit for bit like the undisturbed run, `bounded` near it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from skyhall.integrity.determinism import pinned
from skyhall.integrity.exact import Copies
from skyhall.integrity.faults import FaultModel
from skyhall.integrity.injection import inject
from skyhall.integrity.step import StepGuard
from skyhall.jobs import gpt
from skyhall.jobs.text import Text, standard_library_text

pytestmark = pytest.mark.ml

STEPS = 30
SHAPES = {"single": 0.6, "adjacent": 0.2, "row": 0.1, "tile": 0.1}
TARGETS = ("weights", "optimizer", "batch", "activations", "gradients", "updates")
# What a step is run through: takes the step and returns its loss.
Runner = Callable[[Callable[[], torch.Tensor]], torch.Tensor]
Result = tuple[list[float], list[torch.Tensor], int]


@pytest.fixture(scope="module")
def text() -> Text:
    return standard_library_text(100_000)


def train(text: Text, protected: Callable[[Any, Any], Runner], faults: FaultModel) -> Result:
    """Train under fire; return losses, final weights and moments, and how many faults hit."""
    config = replace(
        gpt.SIZES["tiny"], width=32, block=16, rows=4, warmup=5, steps=STEPS, vocabulary=len(text.alphabet)
    )
    torch.manual_seed(0)
    model = gpt.build(config, 0)
    optimizer = gpt.adamw(model, config)
    run = protected(model, optimizer)
    losses = []
    with inject(model, optimizer, faults=faults, steps=STEPS, seed=11) as injector:
        for number, batch in enumerate(gpt.batches(text, config, range(STEPS), 0)):
            injector.begin(number)

            def step(number: int = number, batch: Any = batch) -> torch.Tensor:
                with injector.computing():
                    # A copy of the job reads its data itself; a wrong character is one of the alphabet all the same.
                    hit = tuple(part.clamp(0, config.vocabulary - 1) for part in injector.batch(*batch))
                    rate = gpt.learning_rate(number, config)
                    return gpt.train_step(model, optimizer, (hit[0], hit[1]), rate, config.clip)

            losses.append(float(run(step)))
    state = [*model.parameters()]
    state += [value for kept in optimizer.state.values() for value in kept.values()]
    return losses, [value.detach().clone() for value in state], len(injector.hits)


def plainly(model: Any, optimizer: Any) -> Runner:
    return lambda step: step()


def same(one: Result, other: Result) -> bool:
    return one[0] == other[0] and all(
        torch.equal(a.view(torch.uint8), b.view(torch.uint8))
        for a, b in zip((x.reshape(-1) for x in one[1]), (x.reshape(-1) for x in other[1]), strict=True)
    )


QUIET = FaultModel(count=0)


@pytest.mark.parametrize("copies", [2, 3])
def test_exact_ends_bit_for_bit_like_the_quiet_run_through_thousands_of_faults(
    text: Text, copies: int
) -> None:
    fire = FaultModel(targets=TARGETS, shapes=SHAPES, count=2000)
    with pinned():
        quiet = train(text, plainly, QUIET)
        guards: list[Copies] = []

        def protected(model: Any, optimizer: Any) -> Runner:
            guards.append(Copies(model, optimizer, copies=copies, attempts=4))
            return guards[0].run

        found = train(text, protected, fire)
        assert found[2] > 1900
        assert same(found, quiet)
    report = guards[0].report
    assert report.detected["state"] >= STEPS // 2
    assert report.detected["copy"] >= STEPS - 2


def test_bounded_ends_near_the_quiet_run_where_the_unprotected_one_is_lost(text: Text) -> None:
    fire = FaultModel(targets=TARGETS[:2] + TARGETS[3:], count=300)
    quiet, hurt = train(text, plainly, QUIET), train(text, plainly, fire)

    def protected(model: Any, optimizer: Any) -> Runner:
        guard = StepGuard(model, optimizer, level="full")
        guard.accept()
        return guard.run

    found = train(text, protected, fire)
    assert found[2] == 300
    assert found[0][-1] == pytest.approx(quiet[0][-1], rel=0.01)
    assert hurt[0][-1] != pytest.approx(quiet[0][-1], rel=0.01)
