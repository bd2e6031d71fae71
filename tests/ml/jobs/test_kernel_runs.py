"""Kernels as a job: the same bits in any order, wrong results seen, flips repaired."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from skyhall.errors import ValueProblem
from skyhall.integrity import FaultModel, ServeGuard, inject
from skyhall.jobs.job import make_job
from skyhall.jobs.kernel_runs import KernelRuns, KernelRunsParameters
from skyhall.jobs.kernels import KERNELS

pytestmark = pytest.mark.ml


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def done(job: KernelRuns, *numbers: int) -> KernelRuns:
    for number in numbers:
        job.keep(number, job.unit(number))
    return job


@pytest.mark.parametrize("name", KERNELS)
def test_executions_in_any_order_give_the_same_digest_and_agree_with_the_reference(name: str) -> None:
    asked = KernelRunsParameters(kernel=name, size=64, units=3)
    first, second = done(KernelRuns(asked), 0, 1, 2), done(KernelRuns(asked), 2, 0, 1)
    assert first.digest() == second.digest()
    told = first.outcome()
    assert told == second.outcome()
    assert told["passed"]
    assert told["executions"] == 3
    assert len(set(first.kept["checksum"].tolist())) == 3


def test_a_wrong_sample_does_not_pass_and_what_was_not_done_does_not_count() -> None:
    job = done(KernelRuns(KernelRunsParameters(kernel="fft", size=64, units=4)), 1)
    assert job.outcome()["passed"]
    assert job.outcome()["executions"] == 1
    job.kept["sample"][1, 9] += 1e-3
    assert not job.outcome()["passed"]
    job.kept["sample"][1, 9] = float("nan")
    assert not job.outcome()["passed"]


@pytest.mark.parametrize(("units", "compared"), [(1, 1), (8, 8), (9, 5), (100, 8)])
def test_at_most_eight_executions_are_compared(units: int, compared: int) -> None:
    job = KernelRuns(KernelRunsParameters(kernel="relu", size=8, units=units))
    assert job.outcome()["compared"] == 0
    told = done(job, *range(units)).outcome()
    assert told["compared"] == compared
    assert told["executions"] == units


def test_an_own_size_is_taken_where_none_is_given() -> None:
    assert (
        make_job("kernels", {"kernel": "softmax", "units": "1"}).outcome()["size"] == KERNELS["softmax"].size
    )


@pytest.mark.parametrize("name", ["matmul", "fft", "wavelet", "integer-wavelet", "image-calibrate"])
def test_flips_in_kernels_are_repaired_to_the_digest_of_the_quiet_run(name: str) -> None:
    asked = KernelRunsParameters(kernel=name, size=64, units=4)
    undisturbed, bare, guarded = (KernelRuns(asked) for _ in range(3))
    done(undisturbed, 0, 1, 2, 3)
    guard = ServeGuard(guarded.model, level="full")
    faults = FaultModel(targets=("activations",), count=6, bits="high")
    with inject(guarded.model, faults=faults, steps=4, seed=2) as injector:

        def unit(number: int) -> object:
            with injector.computing():
                return guarded.unit(number)

        for number in range(4):
            injector.begin(number)
            guarded.keep(number, guard.run(partial(unit, number)))
    assert len(injector.hits) == 6
    assert sum(guard.report.detected.values()) > 0
    with inject(bare.model, faults=injector.recorded()) as same:
        for number in range(4):
            same.begin(number)
            done(bare, number)
    assert guarded.digest() == undisturbed.digest() != bare.digest()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("kernel", "ftt", "did you mean 'fft'"),
        ("size", "100", "a power of two"),
        ("units", "0", "at least 1"),
        ("seed", "-3", "0 or more"),
    ],
)
def test_a_wrong_parameter_is_refused(name: str, value: str, told: str) -> None:
    with pytest.raises(ValueProblem, match=told):
        make_job("kernels", {name: value})
