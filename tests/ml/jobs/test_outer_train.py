"""`gpt-diloco`: with one replica and one step it is plain training; it learns; a wrong replica changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from skyhall.errors import ValueProblem
from skyhall.integrity import Copies, FaultModel, StepGuard, inject, load, pinned, save
from skyhall.jobs.job import make_job
from skyhall.jobs.outer import Contribution, Unresolved, contribution_digest
from skyhall.jobs.outer_train import GPTDiLoCo, Shard

pytestmark = pytest.mark.ml

SMALL = {"size": "tiny", "steps": "3", "inner": "2", "replicas": "3"}


@pytest.fixture(autouse=True)
def pins() -> Iterator[None]:
    with pinned(threads=1):
        yield


@pytest.fixture(scope="module")
def made(short_text: str) -> Callable[..., GPTDiLoCo]:
    def make(**texts: str) -> GPTDiLoCo:
        job = make_job("gpt-diloco", {**SMALL, "text": short_text, **texts})
        assert isinstance(job, GPTDiLoCo)
        return job

    return make


def done(job: GPTDiLoCo) -> GPTDiLoCo:
    for number in range(job.units):
        job.keep(number, job.unit(number))
    return job


def shared(job: GPTDiLoCo) -> list[Tensor]:
    return [weight.detach().clone() for weight in job.shared.parameters()]


def contribution(replica: int, *executions: Shard) -> Contribution:
    digests = tuple(contribution_digest(each.gradient) for each in executions)
    return Contribution(replica, digests, executions[0].gradient)


def test_one_replica_with_one_inner_step_and_no_momentum_is_plain_training_within_rounding(
    made: Callable[..., GPTDiLoCo], short_text: str
) -> None:
    # w - (w - w') is w' where w - w' is exact: by Sterbenz's lemma where w' lies between w / 2 and 2 w. Elsewhere it is
    # off by the rounding of the difference and of the result, at most an ulp of the larger one. AdamW carries that on,
    # so that the steps after the first are compared with a tolerance.
    one = {"replicas": "1", "inner": "1", "outer_rate": "1", "outer_momentum": "0", "steps": "8"}
    job, plain = made(**one), make_job("gpt-train", {"size": "tiny", "steps": "8", "text": short_text})
    before = shared(job)
    assert torch.equal(job.unit(0)[0], plain.unit(0))
    exact = 0.0
    for old, ours, new in zip(before, shared(job), plain.model.parameters(), strict=True):
        apart = (ours - new).abs()
        assert bool((apart <= 2.0**-23 * torch.maximum(old.abs(), new.abs())).all())
        kept = (new / old >= 0.5) & (new / old <= 2.0)
        assert not bool(apart[kept].any())
        exact += float((apart == 0.0).double().mean()) / len(before)
    assert exact > 0.9
    for number in range(1, 8):
        torch.testing.assert_close(job.unit(number)[0], plain.unit(number), rtol=1e-5, atol=0.0)
    for ours, new in zip(shared(job), plain.model.parameters(), strict=True):
        torch.testing.assert_close(ours, new, rtol=0.0, atol=1e-5)


def test_replicas_learn_together(made: Callable[..., GPTDiLoCo]) -> None:
    job = done(made(steps="8", inner="10", replicas="2"))
    loss = job.kept["loss"].mean(1)
    assert loss[0] > 4.0 > 3.3 > loss[-1]
    assert job.outcome()["validation_loss"] < 3.3


def test_replicas_see_other_data_and_start_from_the_same_weights(made: Callable[..., GPTDiLoCo]) -> None:
    job = made()
    first, second = job.shard(0, 0), job.shard(0, 1)
    assert not torch.equal(first.gradient[0], second.gradient[0])
    job.merge(0, [contribution(each, part) for each, part in enumerate((first, second))], guards=None)
    start = shared(job)
    job.shard(1, 0)
    assert all(torch.equal(a, b) for a, b in zip(start, shared(job), strict=True))


def test_replicas_apart_give_the_bits_of_replicas_together(made: Callable[..., GPTDiLoCo]) -> None:
    together = made()
    apart = [made() for _ in range(3)]  # one a satellite
    for number in range(3):
        together.unit(number)
        parts = {replica: apart[replica].shard(number, replica) for replica in (2, 0, 1)}
        came = [contribution(replica, part) for replica, part in parts.items()]
        for job in apart:
            job.merge(number, came)
    for job in apart:
        assert all(torch.equal(a, b) for a, b in zip(shared(job), shared(together), strict=True))


def test_a_wrong_replica_is_outvoted_and_one_without_a_majority_is_left_out(
    made: Callable[..., GPTDiLoCo],
) -> None:
    outvoted, missing, quiet = made(), made(), made()
    parts = [quiet.shard(0, replica) for replica in range(3)]
    bad = Shard(parts[1].loss, tuple(part * 2.0 for part in parts[1].gradient))
    worse = Shard(parts[1].loss, tuple(part * 4.0 for part in parts[1].gradient))
    right = [contribution(each, part, part, part) for each, part in enumerate(parts)]
    quiet.merge(0, right)
    found = outvoted.merge(0, [right[0], contribution(1, parts[1], bad, parts[1]), right[2]])
    assert not found.left_out
    assert outvoted.digest() != made().digest()
    assert all(torch.equal(a, b) for a, b in zip(shared(outvoted), shared(quiet), strict=True))
    found = missing.merge(0, [right[0], contribution(1, parts[1], bad, worse), right[2]])
    assert [replica for replica, _ in found.left_out] == [1]
    other = made()
    other.merge(0, [right[0], right[2]])
    assert all(torch.equal(a, b) for a, b in zip(shared(missing), shared(other), strict=True))


def test_without_a_quorum_the_shared_model_stays_as_it_is(made: Callable[..., GPTDiLoCo]) -> None:
    job = made()
    parts = [job.shard(0, replica) for replica in range(3)]
    before = job.digest()
    with pytest.raises(Unresolved, match="1 contributions are verified, 2 are needed"):
        job.merge(0, [contribution(0, parts[0], parts[0])])
    assert job.digest() == before


def test_a_saved_state_goes_on_elsewhere_bit_for_bit(made: Callable[..., GPTDiLoCo], tmp_path: Path) -> None:
    job, other = made(), done(made())
    for number in range(2):
        job.keep(number, job.unit(number))
    save(tmp_path / "state", job.save(2))
    assert other.load(load(tmp_path / "state")) == 2
    assert other.digest() == job.digest()
    for each in (job, other):
        each.keep(2, each.unit(2))
    assert other.digest() == job.digest() == done(made()).digest()


def test_under_fire_copies_of_a_round_end_bit_for_bit_like_quiet_training(
    made: Callable[..., GPTDiLoCo],
) -> None:
    job, quiet = made(replicas="2"), done(made(replicas="2"))
    copies = Copies(job.model, job.optimizer)
    fire = FaultModel(
        targets=("weights", "activations", "gradients", "optimizer"), bits="top-exponent", count=24
    )
    with inject(job.model, job.optimizer, faults=fire, steps=3, seed=1) as injector:

        def unit() -> Tensor:
            with injector.computing():
                return job.unit(number)

        for number in range(3):
            injector.begin(number)
            job.keep(number, copies.run(unit))
    assert {hit.fault.target for hit in injector.hits} == set(fire.targets)
    assert job.digest() == quiet.digest()


def test_a_guard_repairs_the_state_that_flips_between_rounds(made: Callable[..., GPTDiLoCo]) -> None:
    job, quiet = made(replicas="2"), done(made(replicas="2"))
    job.guard = StepGuard(job.model, job.optimizer)
    job.guard.accept()
    fire = FaultModel(targets=("weights", "optimizer"), bits="top-exponent", count=9)
    with inject(job.model, job.optimizer, faults=fire, steps=3, seed=1) as injector:
        for number in range(3):
            injector.begin(number)
            with injector.computing():
                job.keep(number, job.unit(number))
    assert len(injector.hits) == 9
    assert job.guard.report.detected == {"state": 9}
    assert job.digest() == quiet.digest()


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        ({"size": "huge"}, "no size 'huge'"),
        ({"replicas": "0"}, "replicas=0 trains nothing"),
        ({"inner": "0"}, "inner=0 trains nothing"),
        ({"outer_rate": "0"}, "no outer rate"),
        ({"outer_momentum": "1"}, "no momentum"),
    ],
)
def test_what_cannot_be_trained_is_said(
    made: Callable[..., GPTDiLoCo], texts: dict[str, str], what: str
) -> None:
    with pytest.raises(ValueProblem, match=what):
        made(**texts)
