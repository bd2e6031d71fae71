"""Products with weights in a step's guard: one read of each matrix, and what changes between two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from skyhall.integrity import StepGuard, Unrepaired, products, weight_products
from skyhall.integrity.singular import SingularValues

pytestmark = pytest.mark.ml


class Across(nn.Module):
    """x @ W + b with W (in, out), as GPT-2's published weights lie."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, out) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight)


class Tied(nn.Module):
    """One layer that a step uses three times."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(torch.tanh(self.layer(torch.tanh(self.layer(x)))))


class Checkpointed(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Any:
        return checkpoint(self.inner, x, use_reentrant=False)


MODELS: dict[str, Callable[[], nn.Module]] = {
    "without bias": lambda: nn.Sequential(
        nn.Linear(48, 160, bias=False), nn.GELU(), nn.Linear(160, 48, bias=False)
    ),
    "with bias": lambda: nn.Sequential(nn.Linear(48, 160), nn.GELU(), nn.Linear(160, 48)),
    "across": lambda: nn.Sequential(Across(48, 160), nn.GELU(), Across(160, 48)),
    "tied": lambda: Tied(48),
    "checkpointed": lambda: Checkpointed(
        nn.Sequential(nn.Linear(48, 160, bias=False), nn.GELU(), nn.Linear(160, 48))
    ),
}


def job(name: str, hook: Callable[[int], None] | None = None) -> tuple[nn.Module, Any, Callable[[], float]]:
    torch.manual_seed(3)
    model = MODELS[name]()
    optimizer = torch.optim.AdamW(model.parameters())
    x = torch.randn(96, 48, generator=torch.Generator().manual_seed(4))

    def step() -> float:
        optimizer.zero_grad()
        out = model(x)
        if hook is not None:
            hook(1)
        loss = functional.mse_loss(out, x)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return model, optimizer, step


def weights(model: nn.Module) -> list[Tensor]:
    return [each.detach().clone() for each in model.parameters()]


def clean(name: str, steps: int) -> list[Tensor]:
    model, _, step = job(name)
    for _ in range(steps):
        step()
    return weights(model)


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", list(MODELS))
def test_clean_steps_keep_their_bits_without_an_alarm(name: str) -> None:
    model, optimizer, step = job(name)
    guard = StepGuard(model, optimizer)
    for _ in range(40):
        guard.run(step)
    assert guard.report.detected == {}
    assert guard.report.confirmed == 0
    assert same(weights(model), clean(name, 40))
    assert guard.ledger.notes.forward == []


@pytest.mark.parametrize("name", ["without bias", "with bias"])
def test_the_gradients_read_what_the_forward_pass_noted(name: str, monkeypatch: Any) -> None:
    reads: list[str] = []
    for which in ("forward_rows", "backward_rows", "differences", "mv_and_norms"):
        inner = getattr(weight_products, which)

        def counted(*given: Any, inner: Any = inner, which: str = which) -> Any:
            reads.append(which)
            return inner(*given)

        monkeypatch.setattr(weight_products, which, counted)
    model, optimizer, step = job(name)
    StepGuard(model, optimizer).run(step)
    assert sorted(reads) == ["backward_rows"] * 4 + ["forward_rows"] * 2  # two of weights


@pytest.mark.parametrize("name", list(MODELS))
def test_a_wrong_element_in_any_product_of_a_step_is_repaired(name: str) -> None:
    expected = clean(name, 4)
    seen = 0

    def count(kernel: str, _: Tensor) -> None:
        nonlocal seen
        seen += "mm" in kernel

    products.kernel_faults = count
    try:
        model, optimizer, step = job(name)
        StepGuard(model, optimizer).run(step)
    finally:
        products.kernel_faults = None
    assert seen >= 5
    for number in range(seen):
        model, optimizer, step = job(name)
        guard = StepGuard(model, optimizer)
        guard.run(step)
        met = 0

        def strike(kernel: str, result: Tensor, number: int = number) -> None:
            nonlocal met
            if "mm" in kernel:
                if met == number:
                    result.view(-1)[result.numel() // 3] += 0.1 * float(result.abs().max())
                met += 1

        products.kernel_faults = strike
        try:
            guard.run(step)
        finally:
            products.kernel_faults = None
        guard.run(step)
        guard.run(step)
        assert guard.report.corrected == {"product": 1}, number
        assert same(weights(model), expected), number


@pytest.mark.parametrize("bit", [26, 30])
@pytest.mark.parametrize("name", ["without bias", "with bias", "across"])
def test_an_input_that_changes_before_its_gradient_is_computed_has_the_step_done_again(
    name: str, bit: int
) -> None:
    expected = clean(name, 3)
    held: list[Tensor] = []
    struck = 1

    def strike(_: int) -> None:
        nonlocal struck
        if held and not struck:
            struck = 1
            held[0].numpy().view(np.int32)[5, 7] ^= 1 << bit  # out of torch's sight

    model, optimizer, step = job(name, strike)
    layer = [each for each in model.modules() if isinstance(each, nn.Linear | Across)][1]
    hook = layer.register_forward_pre_hook(lambda _, given: held.insert(0, given[0].detach()))
    guard = StepGuard(model, optimizer)
    for _ in range(2):
        guard.run(step)
    held.clear()
    struck = 0
    guard.run(step)
    hook.remove()
    assert struck == 1
    assert guard.report.detected.get("activation") == 1, guard.report.alarms
    assert guard.report.redone >= 1
    assert same(weights(model), expected)


def test_a_frozen_weight_and_an_input_without_gradient_are_checked_too() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 64), nn.Tanh(), nn.Linear(64, 32))
    model[0].weight.requires_grad_(requires_grad=False)
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], lr=0.1)
    x = torch.randn(80, 32)

    def step() -> None:
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    guard = StepGuard(model, optimizer)
    for _ in range(5):
        guard.run(step)
    assert guard.report.detected == {}
    assert sum(guard.report.checked.values()) >= 15


def test_a_bound_is_computed_again_only_when_it_is_old_or_a_residual_exceeds_it(monkeypatch: Any) -> None:
    calls = 0
    estimate = SingularValues.estimate

    def counted(self: SingularValues, matrix: Tensor, **given: Any) -> Tensor:
        nonlocal calls
        calls += 1
        return estimate(self, matrix, **given)

    monkeypatch.setattr(SingularValues, "estimate", counted)
    model, optimizer, step = job("without bias")
    guard = StepGuard(model, optimizer)
    for _ in range(64):
        guard.run(step)
    assert calls == 2
    for _ in range(4):
        guard.run(step)
    assert calls == 4
    with torch.no_grad():
        for each in model.parameters():
            each.mul_(1e4)  # beyond what an old bound allows for
    guard.ledger.singular.forget = lambda: None  # type: ignore[method-assign]
    guard.accept()
    guard.run(step)
    assert calls == 6  # by residuals; the ranges that a thousandfold input exceeds are confirmed
    assert guard.report.corrected == {}
    assert guard.report.uncorrected == {}


@pytest.mark.parametrize("kind", ["ones", "one row", "three quarters alike"])
def test_rows_that_repeat_raise_no_alarm_that_stays(kind: str) -> None:
    """Equal rows make equal rounding errors, which random signs of the columns do not part."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(128, 256), nn.GELU(), nn.Linear(256, 128))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.ones(2048, 128) if kind == "ones" else torch.randn(1, 128).repeat(2048, 1)
    if kind == "three quarters alike":
        x[:512] = torch.randn(512, 128)

    def step() -> None:
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    guard = StepGuard(model, optimizer)
    for _ in range(12):
        guard.run(step)
    assert "activation" not in guard.report.detected
    assert guard.report.corrected == {}
    assert guard.report.redone == 0


def test_a_bound_follows_a_weight_that_shrinks() -> None:
    torch.manual_seed(0)
    model = nn.Linear(256, 256, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0, weight_decay=0.999)
    x = torch.randn(128, 256)

    def step() -> None:
        optimizer.zero_grad()
        (model(x).square().mean() * 1e-6).backward()
        optimizer.step()

    guard = StepGuard(model, optimizer)
    guard.run(step)

    def strike(kernel: str, result: Tensor) -> None:
        if "mm" in kernel and result.shape == (128, 256):
            result[5, 7] += 0.03 * float(result.abs().mean())

    products.kernel_faults = strike
    try:
        with pytest.raises(Unrepaired):
            guard.run(step)
    finally:
        products.kernel_faults = None
    assert guard.report.detected["product"] >= 1


def test_a_step_that_raised_leaves_nothing_to_the_next() -> None:
    model, optimizer, step = job("without bias")
    guard = StepGuard(model, optimizer)
    guard.run(step)

    def failing() -> None:
        model(torch.randn(96, 48))
        raise ValueError("the program's own")

    with pytest.raises(ValueError, match="own"):
        guard.run(failing)
    assert guard.ledger.notes.forward == []
    assert not guard.ledger.unread
    assert not guard.ledger.paused
