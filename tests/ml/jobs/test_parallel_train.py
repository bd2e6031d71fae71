"""`gpt-parallel`: what replicas contribute together is what one program does with all their batches."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from skyhall.errors import ValueProblem
from skyhall.integrity import StepGuard
from skyhall.integrity.container import pack, unpack
from skyhall.jobs.gpt import loss_of
from skyhall.jobs.parallel_train import GPTParallel, GPTParallelParameters
from skyhall.jobs.train import GPTTrain, GPTTrainParameters

pytestmark = pytest.mark.ml


def made(replicas: int, steps: int = 8) -> GPTParallel:
    return GPTParallel(GPTParallelParameters(size="tiny", steps=steps, replicas=replicas))


def bits(job: GPTTrain) -> bytes:
    return bytes(pack(job.save(job.units)))[-32:]


def test_one_replica_is_plain_training_bit_for_bit() -> None:
    plain, parallel = GPTTrain(GPTTrainParameters(size="tiny", steps=8)), made(1)
    for number in range(8):
        plain.keep(number, plain.unit(number))
        parallel.keep(number, parallel.unit(number))
    assert bits(plain) == bits(parallel)


def test_the_mean_gradient_is_that_of_all_batches_as_one() -> None:
    job = made(3)
    came = [job.contribute(0, part) for part in range(3)]
    mean = [torch.stack([each[str(place)] for each in came]).mean(0) for place in range(len(came[0]) - 1)]
    config = job._config
    draws = [job._text.batch(part, rows=config.rows, block=config.block, seed=1) for part in range(3)]
    inputs, targets = (torch.cat([draw[which] for draw in draws]) for which in (0, 1))
    loss_of(job.model, inputs, targets).backward()
    for ours, weight in zip(mean, job.model.parameters(), strict=True):
        assert weight.grad is not None
        # Sums of single precision in another order.
        torch.testing.assert_close(ours, weight.grad, rtol=1e-4, atol=1e-6)


def test_satellites_that_exchange_gradients_end_with_the_bits_of_one_program() -> None:
    alone, apart = made(2, 4), [made(2, 4), made(2, 4)]
    for number in range(4):
        alone.keep(number, alone.unit(number))
        came = {part: unpack(bytes(pack(job.contribute(number, part)))) for part, job in enumerate(apart)}
        for job in apart:
            job.take(number, came, guarded=False)
    assert bits(apart[0]) == bits(apart[1]) == bits(alone)


def test_a_wrong_gradient_of_a_single_copy_is_left_out() -> None:
    job = made(4, 2)
    came = {part: job.contribute(0, part) for part in range(4)}
    came[2]["3"] = came[2]["3"] * 2.0**64
    right = made(4, 2)
    right.take(0, {part: given for part, given in came.items() if part != 2}, guarded=True)
    job.take(0, came, guarded=True)
    assert bits(job) == bits(right)


def test_a_guard_changes_no_bit_and_repairs_the_state() -> None:
    plain, guarded = made(3, 4), made(3, 4)
    guarded.guard = StepGuard(guarded.model, guarded.optimizer)
    guarded.guard.accept()
    for number in range(4):
        plain.keep(number, plain.unit(number))
        if number == 2:
            with torch.no_grad():
                guarded.model.tokens.weight[3, 5] *= -1.0
        guarded.keep(number, guarded.unit(number))
    assert bits(plain) == bits(guarded)
    assert guarded.guard.report.detected["state"] == 1


def test_no_replicas_are_refused() -> None:
    with pytest.raises(ValueProblem, match="0 replicas train nothing"):
        GPTParallel.of({"replicas": "0"})
