"""`ServeGuard`: answers are the clean ones whatever is hit; NaN of the data, and defects that stay, are told apart."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from skyhall.integrity.bits import flip
from skyhall.integrity.faults import Fault, FaultList, FaultModel
from skyhall.integrity.injection import inject
from skyhall.integrity.serving import ServeGuard
from skyhall.integrity.step import Unrepaired

pytestmark = pytest.mark.ml


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 64)).eval().requires_grad_(False)


X = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("level", ["none", "sums", "abft", "full"])
def test_a_clean_pass_keeps_its_bits_and_raises_no_alarm(model: nn.Module, level: str) -> None:
    guard = ServeGuard(model, level=level)
    for _ in range(12):
        assert torch.equal(guard.run(lambda: model(X)), model(X))
    assert not guard.report.detected
    assert guard.report.redone == 0


def test_a_weight_that_flips_between_two_answers_is_put_back(model: nn.Module) -> None:
    expected = model(X)
    guard = ServeGuard(model, level="sums")
    flip(model[0].weight, [77], 1)
    assert torch.equal(guard.run(lambda: model(X)), expected)
    assert guard.report.corrected == {"state": 1}


def test_answers_under_fire_are_the_clean_ones(model: nn.Module) -> None:
    expected = model(X)
    guard = ServeGuard(model, level="full")
    fire = FaultModel(targets=("weights", "activations"), bits="exponent", count=200)
    with inject(model, faults=fire, steps=40, seed=2) as injector:

        def forward() -> torch.Tensor:
            with injector.computing():
                out: torch.Tensor = model(X)
                return out

        for step in range(40):
            injector.begin(step)
            assert torch.equal(guard.run(forward), expected)
    assert len(injector.hits) == 200
    assert sum(guard.report.detected.values()) >= 40


def test_nan_that_comes_again_with_the_same_bits_is_the_data_s(model: nn.Module) -> None:
    data = X.clone()
    data[3, 3] = math.nan
    guard = ServeGuard(model, level="sums")
    assert torch.isnan(guard.run(lambda: model(data))[3]).all()
    assert guard.report.confirmed == 1
    assert guard.report.redone == 1


def test_nan_that_does_not_come_again_was_a_fault(model: nn.Module) -> None:
    guard = ServeGuard(model, level="sums")
    calls = []

    def forward() -> torch.Tensor:
        calls.append(0)
        out: torch.Tensor = model(X)
        return out if len(calls) > 1 else out * math.nan

    assert torch.equal(guard.run(forward), model(X))
    assert guard.report.detected == {"guard": 1}
    assert guard.report.redone == 1


def test_an_error_that_does_not_come_again_was_a_fault_and_one_that_does_is_the_program_s(
    model: nn.Module,
) -> None:
    guard = ServeGuard(model)
    calls = []

    def once() -> torch.Tensor:
        calls.append(0)
        if len(calls) == 1:
            raise IndexError("index out of range")
        out: torch.Tensor = model(X)
        return out

    assert torch.equal(guard.run(once), model(X))
    assert guard.report.detected == {"error": 1}
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        guard.run(lambda: model(torch.ones(3, 5)))


def test_a_unit_that_stays_broken_is_unrepaired(model: nn.Module) -> None:
    stuck = Fault(
        0, "activations", "aten.addmm.default", "fp32", "stuck-at-1", (64, 64), (1, 2), (1, 1), 1 << 30
    )
    guard = ServeGuard(model, level="abft")
    with inject(model, faults=FaultList((stuck,))) as injector:
        injector.begin(0)

        def forward() -> torch.Tensor:
            with injector.computing():
                out: torch.Tensor = model(X)
                return out

        with pytest.raises(Unrepaired, match="3 executions"):
            guard.run(forward)
    assert guard.report.uncorrected


def test_new_weights_are_accepted_when_that_is_said(model: nn.Module) -> None:
    guard = ServeGuard(model)
    model[0].weight.mul_(2.0)
    guard.accept()
    expected = model(X)
    assert torch.equal(guard.run(lambda: model(X)), expected)
    assert not guard.report.detected
