from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from skyhall.integrity import Copies, IntegrityError, Replay, Snapshot, Unrepaired
from skyhall.integrity.determinism import current_pins, nondeterminism, pinned, refuse_nondeterminism
from skyhall.integrity.digests import digest_of, majority
from skyhall.jobs.gpt import SIZES, adamw, build, train_step

pytestmark = pytest.mark.ml

CONFIG = SIZES["tiny"]


@pytest.fixture(autouse=True)
def deterministic() -> Iterator[None]:
    with pinned():
        yield


def batch(number: int) -> tuple[Tensor, Tensor]:
    tokens = torch.randint(
        0, CONFIG.vocabulary, (CONFIG.rows, CONFIG.block + 1), generator=torch.Generator().manual_seed(number)
    )
    return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


def job() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = build(CONFIG, 1)
    return model, adamw(model, CONFIG)


def clean_digest(steps: int) -> str:
    torch.manual_seed(9)
    model, optimizer = job()
    for number in range(steps):
        train_step(model, optimizer, batch(number), 1e-3)
    return Snapshot.take(model, optimizer).digest


class Struck:
    """A training step that flips one bit of a weight afterwards in the executions that are named."""

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, executions: dict[int, int]
    ) -> None:
        self.model, self.optimizer, self.executions = model, optimizer, executions
        self.count = self.number = 0

    def __call__(self) -> Tensor:
        loss = train_step(self.model, self.optimizer, batch(self.number), 1e-3)
        place = self.executions.get(self.count)
        if place is not None:
            self.model.norm.weight.detach().view(torch.int32)[place] ^= 1 << 3
        self.count += 1
        return loss


def run(copies: int, steps: int, executions: dict[int, int]) -> tuple[Copies, str]:
    torch.manual_seed(9)
    model, optimizer = job()
    guard = Copies(model, optimizer, copies=copies)
    step = Struck(model, optimizer, executions)
    for number in range(steps):
        step.number = number
        guard.run(step)
    assert Snapshot.take(model, optimizer).digest == guard.digest
    return guard, guard.digest


@pytest.mark.parametrize("copies", [2, 3])
def test_copies_end_with_the_bits_of_one_clean_run(copies: int) -> None:
    guard, digest = run(copies, 4, {})
    assert digest == clean_digest(4)
    assert guard.report.detected == {}


def test_of_three_copies_the_majority_is_adopted() -> None:
    for odd in range(3):
        guard, digest = run(3, 2, {3 + odd: 7})
        assert digest == clean_digest(2)
        assert guard.report.corrected == {"copy": 1}
        assert guard.report.redone == 0


def test_two_copies_that_differ_are_rolled_back() -> None:
    guard, digest = run(2, 2, {0: 7})
    assert digest == clean_digest(2)
    assert guard.report.redone == 1


def test_two_of_three_that_are_wrong_in_different_ways_are_never_voted_in() -> None:
    guard, digest = run(3, 2, {0: 7, 1: 9})
    assert digest == clean_digest(2)
    assert guard.report.redone == 1
    assert guard.report.corrected == {}


@pytest.mark.parametrize("copies", [2, 3])
def test_copies_that_different_faults_turned_into_the_same_nans_are_not_adopted(copies: int) -> None:
    torch.manual_seed(9)
    model, optimizer = job()
    executions = 0

    def step() -> Tensor:
        nonlocal executions
        executions += 1
        loss = train_step(model, optimizer, batch(0), 1e-3)
        if executions <= 2:
            with torch.no_grad():
                for weight in model.parameters():
                    weight.fill_(float("nan"))
        return loss

    guard = Copies(model, optimizer, copies=copies)
    guard.run(step)
    assert guard.digest == clean_digest(1)
    assert guard.report.detected["copy"] == guard.report.redone == 1


def test_a_job_that_diverges_by_itself_is_adopted_once_it_did_so_twice() -> None:
    model, optimizer = job()

    def step() -> Tensor:
        loss = train_step(model, optimizer, batch(0), 1e-3)
        with torch.no_grad():
            model.norm.weight.fill_(float("inf"))
        return loss

    guard = Copies(model, optimizer, copies=2)
    guard.run(step)
    assert bool(model.norm.weight.isinf().all())
    assert guard.report.confirmed == 1
    guard.run(step)  # from a state that is not finite, nothing is doubted
    assert guard.report.redone == 1


def test_no_majority_in_any_round_is_unrepaired_and_leaves_the_state() -> None:
    torch.manual_seed(9)
    model, optimizer = job()
    guard = Copies(model, optimizer, copies=3, attempts=2)
    before = guard.digest
    with pytest.raises(Unrepaired, match="no majority in 2 rounds"):
        guard.run(Struck(model, optimizer, {index: index for index in range(6)}))
    assert Snapshot.take(model, optimizer).digest == before


def test_a_hundred_flips_at_rest_between_steps_change_nothing() -> None:
    torch.manual_seed(9)
    model, optimizer = job()
    guard = Copies(model, optimizer, copies=2)
    generator = torch.Generator().manual_seed(4)
    for number in range(12):
        guard.run(lambda number=number: train_step(model, optimizer, batch(number), 1e-3))
        parts = [each.detach() for each in model.parameters()]
        for _ in range(9):
            which, place, bit = (
                int(torch.randint(each, (1,), generator=generator)) for each in (len(parts), 1 << 20, 31)
            )
            words = parts[which].view(torch.int32).view(-1)
            words[place % words.numel()] ^= 1 << bit
    guard.run(lambda: train_step(model, optimizer, batch(12), 1e-3))
    assert guard.digest == clean_digest(13)
    assert guard.report.corrected["state"] == 12


def test_a_kept_copy_that_was_hit_is_replaced_by_the_other() -> None:
    torch.manual_seed(9)
    model, optimizer = job()
    guard = Copies(model, optimizer)
    guard.run(lambda: train_step(model, optimizer, batch(0), 1e-3))
    guard._good.tensors["weights/norm.weight"].view(torch.int32)[3] ^= 1
    guard.run(lambda: train_step(model, optimizer, batch(1), 1e-3))
    assert guard.digest == clean_digest(2)


def test_both_kept_copies_hit_is_unrepaired() -> None:
    model, optimizer = job()
    guard = Copies(model, optimizer)
    for copy in (guard._good, guard._spare):
        copy.tensors["weights/norm.weight"].view(torch.int32)[3] ^= 1
    with pytest.raises(Unrepaired, match="both copies"):
        guard.run(lambda: train_step(model, optimizer, batch(0), 1e-3))


def scheduled(copies: int) -> tuple[list[float], Tensor]:
    torch.manual_seed(0)
    model = nn.Linear(8, 8)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guard = Copies(model, optimizer, copies=copies) if copies > 1 else None
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    data, rates = torch.randn(4, 8), []

    def step() -> None:
        optimizer.zero_grad()
        model(data).square().mean().backward()
        optimizer.step()

    for _ in range(4):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        step() if guard is None else guard.run(step)
        torch.randn(3)  # as the order of the data does
        scheduler.step()
    assert guard is None or guard.report.detected == {}
    return rates, model.weight.detach()


@pytest.mark.parametrize("copies", [2, 3])
def test_a_scheduler_between_steps_is_followed(copies: int) -> None:
    rates, weight = scheduled(1)
    assert rates == [1.0, 0.5, 0.25, 0.125]
    found = scheduled(copies)
    assert found[0] == rates
    assert torch.equal(found[1], weight)


def test_a_scheduler_inside_the_step_is_refused_by_name() -> None:
    model = nn.Linear(8, 8)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    guard = Copies(model, optimizer)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)

    def step() -> None:
        optimizer.zero_grad()
        model(torch.ones(4, 8)).square().mean().backward()
        optimizer.step()
        scheduler.step()

    with pytest.raises(IntegrityError, match=r"the optimiser's lr .* scheduler after run"):
        guard.run(step)
    assert guard.report.detected == {}
    assert optimizer.param_groups[0]["lr"] == 1.0


def test_a_state_changed_on_purpose_is_taken_if_it_is_accepted_and_refused_by_name_if_not() -> None:
    model, optimizer = job()
    guard = Copies(model, optimizer)
    guard.run(lambda: train_step(model, optimizer, batch(0), 1e-3))
    agreed = guard.digest
    other = build(CONFIG, 2)
    model.load_state_dict(other.state_dict())
    optimizer.state.clear()
    for told in ("came or went", "most elements of weights/"):
        with pytest.raises(IntegrityError, match=rf"{told}.*accept\(\)"):
            guard.run(lambda: train_step(model, optimizer, batch(1), 1e-3))
        guard.put_back()
        assert Snapshot.take(model, optimizer).digest == agreed
        model.load_state_dict(other.state_dict())
    assert guard.report.detected == {}
    guard.accept()
    guard.run(lambda: train_step(model, optimizer, batch(1), 1e-3))
    clean = build(CONFIG, 1)
    clean_optimizer = adamw(clean, CONFIG)
    train_step(clean, clean_optimizer, batch(0), 1e-3)
    clean.load_state_dict(other.state_dict())
    train_step(clean, clean_optimizer, batch(1), 1e-3)
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), clean.parameters(), strict=True))


def test_the_report_of_copies_claims_nothing_about_operators() -> None:
    guard, _ = run(2, 1, {})
    assert guard.report.level == "exact"
    assert guard.report.unseen == ""


def test_other_than_two_or_three_copies_are_refused() -> None:
    with pytest.raises(IntegrityError, match="2 or 3"):
        Copies(*job(), copies=1)


def test_a_thread_count_that_changes_under_the_job_is_refused_by_name() -> None:
    model, optimizer = job()
    guard = Copies(model, optimizer)
    torch.set_num_threads(2)
    with pytest.raises(IntegrityError, match="threads was 1, is 2"):
        guard.run(lambda: train_step(model, optimizer, batch(0), 1e-3))


def test_settings_that_forbid_equal_bits_are_refused_by_name() -> None:
    torch.use_deterministic_algorithms(False)
    with pytest.raises(IntegrityError, match="use_deterministic_algorithms is off"):
        Copies(*job())
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert any("only warns" in each for each in nondeterminism())
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = True
    with pytest.raises(IntegrityError, match=r"cudnn\.benchmark"):
        refuse_nondeterminism()
    torch.backends.cudnn.benchmark = False
    refuse_nondeterminism(job()[0])


def test_a_module_with_a_generator_of_its_own_is_refused_by_name() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    model[0].generator = torch.Generator()
    with pytest.raises(IntegrityError, match="module 0 draws"):
        refuse_nondeterminism(model)


def test_pins_are_recorded_and_set_back() -> None:
    torch.use_deterministic_algorithms(False)
    with pinned(2) as pins:
        assert (pins.threads, pins.deterministic) == (2, True)
        assert pins.as_dict()["torch"] == torch.__version__
    assert torch.get_num_threads() == 1
    assert not torch.are_deterministic_algorithms_enabled()
    assert current_pins().differences(pins) == ["threads was 1, is 2", "deterministic was False, is True"]


def test_one_step_in_three_is_replayed_elsewhere() -> None:
    model, optimizer = job()
    other, other_optimizer = job()

    def elsewhere(before: Snapshot, number: Any) -> str:
        before.restore(other, other_optimizer)
        train_step(other, other_optimizer, batch(number), 1e-3)
        return Snapshot.take(other, other_optimizer).digest

    replay = Replay(model, optimizer, every=3, elsewhere=elsewhere)
    for number in range(7):
        _, agrees = replay.run(
            lambda number=number: train_step(model, optimizer, batch(number), 1e-3), number
        )
        assert agrees
    assert replay.report.checked == {"replays": 3}

    def defective() -> Tensor:
        loss = train_step(model, optimizer, batch(9), 1e-3)
        model.norm.weight.detach()[0] += 1e-3
        return loss

    replay = Replay(model, optimizer, every=1, elsewhere=elsewhere)
    assert replay.run(defective, 9)[1] is False
    assert replay.report.uncorrected == {"copy": 1}


def test_a_digest_depends_on_names_types_shapes_and_bits_alone() -> None:
    one = torch.randn(3, 4)
    base = digest_of({"a": one, "b": one})
    assert base == digest_of({"b": one.clone(), "a": one.t().contiguous().t()})
    assert base != digest_of({"a": one, "c": one})
    assert base != digest_of({"a": one.view(4, 3), "b": one})
    assert digest_of({"a": torch.tensor(0.0)}) != digest_of({"a": torch.tensor(-0.0)})


@pytest.mark.parametrize(
    ("digests", "chosen"),
    [(["a", "a", "b"], "a"), (["a", "b"], None), (["a", "b", "c"], None), (["a", "a"], "a"), ([], None)],
)
def test_a_majority_is_more_than_half(digests: list[str], chosen: str | None) -> None:
    assert majority(digests) == chosen
