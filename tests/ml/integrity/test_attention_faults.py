"""Attention under fire: long sequences, both directions, two formats, every bit from the upper half."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from skyhall.integrity import StepGuard, products, protect
from skyhall.integrity.attention_operators import ATTENTION_OPERATORS
from skyhall.integrity.ledger import Ledger

pytestmark = pytest.mark.ml

LEVELS = ("abft", "full")
# Which result of which kernel: O, dQ, dK, dV.
PLACES = {"O": (False, 0), "dQ": (True, 0), "dK": (True, 1), "dV": (True, 2)}
BITS = {torch.float32: range(16, 32), torch.bfloat16: range(8, 16)}


def tensors(rows: int, dtype: Any) -> list[Tensor]:
    generator = torch.Generator().manual_seed(rows)
    return [torch.randn(1, 2, rows, 16, generator=generator).to(dtype) for _ in range(4)]


def attended(given: list[Tensor], causal: bool = True) -> list[Tensor]:
    query, key, value = (each.clone().requires_grad_() for each in given[:3])
    out = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
    out.backward(given[3])
    grads = [each.grad for each in (query, key, value)]
    return [out.detach(), *(each for each in grads if each is not None)]


def bits(tensor: Tensor) -> Tensor:
    return tensor.contiguous().view(torch.int16 if tensor.element_size() == 2 else torch.int32)


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(bits(a), bits(b)) for a, b in zip(one, other, strict=True))


@contextmanager
def struck(place: str, change: Callable[[Tensor], None]) -> Iterator[list[bool]]:
    """Change one result of the first execution of its kernel."""
    backward, number = PLACES[place]
    seen: list[int] = []
    done: list[bool] = []

    def strike(name: str, result: Tensor) -> None:
        if "attention" in name and ("backward" in name) == backward:
            seen.append(1)
            if len(seen) == number + 1:
                change(result)
                done.append(True)

    products.kernel_faults = strike
    try:
        yield done
    finally:
        products.kernel_faults = None


def flip(where: int, bit: int) -> Callable[[Tensor], None]:
    def change(result: Tensor) -> None:
        size = 8 * result.element_size()
        words = result.view(torch.int16 if size == 16 else torch.int32)
        index = torch.unravel_index(torch.tensor(where % result.numel()), result.shape)
        words[tuple(int(each) for each in index)] ^= 1 << bit if bit < size - 1 else -(1 << (size - 1))

    return change


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dtype", list(BITS), ids=str)
@pytest.mark.parametrize("place", list(PLACES))
def test_every_high_bit_of_every_result_is_found_and_repaired(place: str, dtype: Any, level: str) -> None:
    identities = dtype == torch.float32 and place != "O"
    missed = 0
    for rows in (256, 320):
        given = tensors(rows, dtype)
        clean = attended(given)
        mean = float(clean[list(PLACES).index(place)].abs().float().mean())
        for bit in BITS[dtype]:
            with struck(place, flip(7919 * (bit + 1), bit)) as done, protect(level=level) as guard:
                found = attended(given)
            assert done
            if identities and not guard.report.detected:
                off = max(float((a - b).abs().max()) for a, b in zip(clean, found, strict=True))
                assert off < 0.01 * mean, (rows, bit)
                missed += 1
                continue
            assert same(clean, found), (rows, bit)
            assert guard.report.corrected == {"attention": 1}, (rows, bit)
            assert guard.verdict()
    assert missed <= 4


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0, 1e4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("place", list(PLACES))
def test_an_error_in_a_long_sequence_is_found_whatever_its_size(place: str, dtype: Any, size: float) -> None:
    given = tensors(1024, dtype)
    clean = attended(given)
    deviation = float(clean[list(PLACES).index(place)].float().std())

    def change(result: Tensor) -> None:
        result[0, 1, 512, 3] += size * deviation

    with struck(place, change) as done, protect() as guard:
        found = attended(given)
    assert done
    assert same(clean, found)
    assert guard.report.corrected == {"attention": 1}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("causal", [True, False])
def test_clean_attention_keeps_its_bits_without_an_alarm(causal: bool, dtype: Any) -> None:
    for rows in (1, 17, 256, 300):
        given = tensors(rows, dtype)
        for level in LEVELS:
            with protect(level=level) as guard:
                found = attended(given, causal)
            clean = attended(given, causal)
            assert all(torch.equal(a, b) for a, b in zip(clean, found, strict=True))
            assert guard.report.detected == {}
            assert guard.report.unchecked == {}


class Dropping:
    """A stand-in for a GPU's kernel that drops weights: same schema, each execution draws anew."""

    def __init__(self) -> None:
        self._schema = torch.ops.aten._scaled_dot_product_efficient_attention.default._schema
        self._opname = "_scaled_dot_product_efficient_attention"
        self.calls = 0

    def __call__(self, query: Tensor, *_: Any, **__: Any) -> tuple[Tensor, ...]:
        self.calls += 1
        return torch.rand_like(query), query.new_zeros(query.shape[:-1]), torch.zeros(()), torch.zeros(())


class Repeating(Dropping):
    """The same without dropout."""

    def __call__(self, query: Tensor, *_: Any, **__: Any) -> tuple[Tensor, ...]:
        self.calls += 1
        return query * 2.0, query.new_zeros(query.shape[:-1]), torch.zeros(()), torch.zeros(())


def test_a_forward_kernel_with_dropout_is_counted_as_uncovered() -> None:
    handler = ATTENTION_OPERATORS[torch.ops.aten._scaled_dot_product_efficient_attention.default]
    query, key, value, _ = tensors(32, torch.float32)
    func, ledger = Dropping(), Ledger()
    handler(ledger, func, (query, key, value, None, True, 0.1), {})
    assert func.calls == 1
    assert ledger.report.checked == {}
    assert ledger.report.uncovered["_scaled_dot_product_efficient_attention"] > 0
    assert ledger.report.uncovered_flops >= 4 * 2 * 32 * 32 * 16
    handler(ledger, Repeating(), (query, key, value, None, True, 0.0), {})
    assert sum(ledger.report.checked.values()) == 1


class Attending(torch.nn.Module):
    """Four projections around attention."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = torch.nn.Linear(32, 96, bias=False)
        self.out = torch.nn.Linear(32, 32, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.parts(x).view(*x.shape[:2], 3, 2, 16).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*parts, is_causal=True)
        return self.out(mixed.transpose(1, 2).flatten(2))


def guarded() -> tuple[Attending, StepGuard, Callable[[], None]]:
    torch.manual_seed(1)
    model = Attending()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(2, 128, 32)

    def step() -> None:
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()

    return model, StepGuard(model, optimizer), step


@pytest.mark.parametrize("bit", range(20, 32))
@pytest.mark.parametrize("which", [0, 1])
def test_a_wrong_forward_pass_breaks_the_identities_of_its_backward_pass(which: int, bit: int) -> None:
    """O and the logsumexp: the step that they belong to is done again."""
    expected, guard, step = guarded()
    for _ in range(12):
        guard.run(step)
    model, guard, step = guarded()
    for _ in range(11):
        guard.run(step)
    seen: list[str] = []
    change = 0.0

    def strike(name: str, result: Tensor) -> None:
        nonlocal change
        if "attention" in name and "backward" not in name:
            if len(seen) == which:
                before = result.clone()
                flip(1234 + bit, bit)(result)
                change = float((result - before).abs().max() / before.abs().mean())
            seen.append(name)

    products.kernel_faults = strike
    try:
        guard.run(step)
    finally:
        products.kernel_faults = None
    if not guard.report.detected:
        assert change < 0.05
        return
    assert guard.report.redone >= 1
    assert guard.report.uncorrected == {}
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), expected.parameters(), strict=True))


def test_attention_that_no_backward_pass_follows_is_executed_again_at_the_verdict() -> None:
    model, guard, _ = guarded()
    x = torch.randn(2, 64, 32)
    results: list[Tensor] = []

    def step() -> None:
        results.append(model(x).detach())

    guard.run(step)
    assert guard.report.detected == {}
    seen: list[str] = []

    def strike(name: str, result: Tensor) -> None:
        if "attention" in name and not seen:
            seen.append(name)
            result[0, 1, 30, 2] += 1e-4

    products.kernel_faults = strike
    try:
        guard.run(step)
    finally:
        products.kernel_faults = None
    assert seen
    assert guard.report.detected == {"attention": 1}
    assert guard.report.redone == 1
    assert torch.equal(results[0], results[-1])
    assert not torch.equal(results[0], results[1])


def test_a_forward_pass_is_executed_once_in_a_guarded_step_and_twice_without_one() -> None:
    calls: list[str] = []

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if "flash_attention" in str(func):
                calls.append(str(func))
            return func(*args, **(kwargs or {}))

    model, guard, step = guarded()
    with Counting():
        guard.run(step)
    assert len(calls) == 2
    calls.clear()
    with Counting(), protect(), torch.no_grad():
        model(torch.randn(1, 64, 32))
    assert len(calls) == 2
