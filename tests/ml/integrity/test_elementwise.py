from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from skyhall.integrity import passes, products, protect
from skyhall.integrity.elementwise import agreement

pytestmark = pytest.mark.ml

aten = torch.ops.aten
Case = tuple[Any, tuple[Any, ...], dict[str, Any]]


@pytest.fixture(params=[1, 3])
def threads(request: Any, monkeypatch: Any) -> int:
    torch.set_num_threads(request.param)
    monkeypatch.setattr(passes, "_WORTH_A_THREAD", 64)  # so that small matrices are parted too
    return request.param


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


KINDS: dict[str, Callable[[Tensor], Tensor]] = {
    "normal": lambda x: x,
    "positive": lambda x: x.abs() + 0.5,
    "wide": lambda x: x * 50.0,
    "narrow": lambda x: x * 1e-6,
    "far from zero": lambda x: x + 30.0,
    "scaled rows": lambda x: x * torch.logspace(-3, 3, len(x))[:, None],
    "one outlier": lambda x: torch.where(torch.arange(x.shape[1]) == 3, x * 100.0, x),
    "zeros": torch.zeros_like,
}


def gelu(x: Tensor) -> Case:
    return aten.gelu.default, (x,), {}


def gelu_backward(x: Tensor) -> Case:
    return aten.gelu_backward.default, (drawn(*x.shape, seed=7), x), {}


def add(x: Tensor) -> Case:
    return aten.add.Tensor, (x, drawn(*x.shape, seed=7)), {}


def clone_of_heads(x: Tensor) -> Case:
    heads = x.view(2, -1, 3, x.shape[1] // 3).permute(2, 0, 1, 3)
    return aten.clone.default, (heads,), {"memory_format": torch.contiguous_format}


def stack(x: Tensor) -> Case:
    return aten.stack.default, ([x, drawn(*x.shape, seed=7)], 1), {}


def norm(x: Tensor) -> Case:
    width = x.shape[1]
    gain, shift = drawn(width, seed=7) + 1.0, drawn(width, seed=8)
    return aten.native_layer_norm.default, (x, [width], gain, shift, 1e-5), {}


def plain_norm(x: Tensor) -> Case:
    return aten.native_layer_norm.default, (x, [x.shape[1]], None, None, 1e-5), {}


def norm_backward(x: Tensor) -> Case:
    func, (_, shape, gain, shift, eps), _ = norm(x)
    _, mean, rstd = func(x, shape, gain, shift, eps)
    given = (drawn(*x.shape, seed=9), x, shape, mean, rstd, gain, shift, [True, True, True])
    return aten.native_layer_norm_backward.default, given, {}


def plain_norm_backward(x: Tensor) -> Case:
    func, given, _ = plain_norm(x)
    _, mean, rstd = func(*given)
    arguments = (drawn(*x.shape, seed=9), x, given[1], mean, rstd, None, None, [True, False, False])
    return aten.native_layer_norm_backward.default, arguments, {}


OPERATORS = [
    gelu, gelu_backward, add, clone_of_heads, stack, norm, plain_norm, norm_backward, plain_norm_backward,
]  # fmt: skip


def agrees(case: Case, result: Any) -> bool | None:
    func, args, kwargs = case
    found = agreement(func, args, kwargs)
    assert found is not None
    return found(result)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_a_correct_result_is_within_its_limits(operator: Any, kind: str, threads: int) -> None:
    for shape in ((2, 6), (34, 39), (130, 384)):
        case = operator(KINDS[kind](drawn(*shape)))
        func, args, kwargs = case
        assert agrees(case, func(*args, **kwargs))


@pytest.mark.parametrize("factor", [1.0 + 1e-4, 0.0, -1.0, 2.0**40, math.nan, math.inf])
@pytest.mark.parametrize("operator", OPERATORS)
def test_one_wrong_element_of_any_result_is_told(operator: Any, factor: float, threads: int) -> None:
    case = operator(drawn(66, 39))
    func, args, kwargs = case
    whole = func(*args, **kwargs)
    parts = [each for each in (whole if isinstance(whole, tuple) else (whole,)) if each is not None]
    for part in parts:
        # Of the largest in size, which no limit that is relative to the row or column makes small.
        place = part.abs().flatten().argmax()
        right = part.flatten()[place].clone()
        with torch.no_grad():
            part.view(-1)[place] = right * factor
        assert not agrees(case, whole)
        with torch.no_grad():
            part.view(-1)[place] = right
    assert agrees(case, whole)


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_passes_is_small_beside_the_result(operator: Any) -> None:
    """No more than 10⁻⁴ of a result's mean element passes, wherever it stands."""
    case = operator(drawn(40, 39))
    func, args, kwargs = case
    whole = func(*args, **kwargs)
    for part in whole if isinstance(whole, tuple) else (whole,):
        if part is None:
            continue
        flat, off = part.view(-1), 1e-4 * float(part.abs().mean())
        for place in range(0, flat.numel(), 7):
            right = flat[place].clone()
            flat[place] = right + off
            assert not agrees(case, whole)
            flat[place] = right
    assert agrees(case, whole)


def test_the_error_function_and_the_density_are_what_the_loops_say() -> None:
    x = torch.linspace(-12.0, 12.0, 200_001)
    exact = torch.nn.functional.gelu(x.double())
    assert agrees(gelu(x), exact.float())
    assert not agrees(gelu(x), (exact + 8e-6 * x.abs()).float())
    grad = torch.ones_like(x)
    case = (aten.gelu_backward.default, (grad, x), {})
    slope = 0.5 * (1.0 + torch.erf(x.double() / math.sqrt(2.0)))
    slope = slope + x.double() * torch.exp(-x.double().square() / 2.0) / math.sqrt(2.0 * math.pi)
    assert agrees(case, slope.float())
    assert not agrees(case, (slope + 2e-5).float())


@pytest.mark.parametrize(
    "case",
    [
        (aten.gelu.default, (drawn(4, 4),), {"approximate": "tanh"}),
        (aten.gelu.default, (drawn(4, 4).double(),), {}),
        (aten.gelu.default, (drawn(4, 4).t()[:2],), {}),
        (aten.gelu.default, (drawn(0, 4),), {}),
        (aten.add.Tensor, (drawn(4, 4), drawn(4)), {}),
        (aten.add.Tensor, (drawn(4, 4), drawn(4, 4)), {"alpha": 2}),
        (aten.add.Tensor, (drawn(4, 4), 1.0), {}),
        (aten.relu.default, (drawn(4, 4),), {}),
    ],
    ids=str,
)
def test_what_no_pass_is_for_is_left_to_two_executions(case: Case) -> None:
    assert agreement(*case) is None


@pytest.mark.parametrize(
    "copy",
    [
        lambda x: (x.t(), x.t().clone(memory_format=torch.contiguous_format)),  # no row lies whole in memory
        lambda x: (x.double(), x.double().clone()),
        lambda x: (x[:0], x[:0].clone()),
    ],
)
def test_copies_that_no_pass_can_read_are_not_judged(copy: Any) -> None:
    source, made = copy(drawn(6, 8))
    assert agrees((aten.clone.default, (source,), {}), made) is None
    assert agrees((aten.stack.default, ([source],), {}), made[None]) is None


def test_a_doubt_that_a_second_execution_does_away_with_is_confirmed() -> None:
    x = drawn(8, 8)
    x[3, 3] = math.nan
    with protect(level="full") as guard:
        found = torch.nn.functional.gelu(x)
    assert guard.verdict()
    assert torch.equal(found.isnan(), x.isnan())
    assert guard.report.confirmed == 1
    assert not guard.report.detected


def test_a_wrong_kernel_is_repaired_and_a_right_one_runs_once(monkeypatch: Any) -> None:
    x = drawn(64, 39)
    for operator in OPERATORS:
        func, args, kwargs = operator(x)
        clean = func(*args, **kwargs)
        runs: list[str] = []

        def hit(name: str, raw: Tensor, runs: list[str] = runs) -> None:
            runs.append(name)
            if len(runs) == 1:
                raw.view(-1)[5] += 0.25

        monkeypatch.setattr(products, "kernel_faults", hit)
        with protect(level="full") as guard:
            found = func(*args, **kwargs)
        assert guard.verdict()
        assert guard.report.corrected == {"operator": 1}
        for one, other in zip(_tensors(found), _tensors(clean), strict=True):
            assert torch.equal(one, other)
        assert guard.report.uncovered_share["flops"] == 0.0


def _tensors(result: Any) -> list[Tensor]:
    return [each for each in (result if isinstance(result, tuple) else (result,)) if each is not None]


def _differs_when_hit(monkeypatch: Any, case: Case, place: int, value: float, which: int = 0) -> bool:
    """Return whether one wrong element of one result is left."""
    func, args, kwargs = case
    clean = _tensors(func(*args, **kwargs))
    seen: list[str] = []

    def hit(name: str, raw: Tensor) -> None:
        if len(seen) == which:
            raw.view(-1)[place] = value
        seen.append(name)

    monkeypatch.setattr(products, "kernel_faults", hit)
    with protect(level="full"):
        found = _tensors(func(*args, **kwargs))
    monkeypatch.setattr(products, "kernel_faults", None)
    return not all(
        torch.equal(one.view(torch.int32), other.view(torch.int32))
        for one, other in zip(found, clean, strict=True)
    )


def test_limits_that_are_not_finite_let_nothing_pass(monkeypatch: Any) -> None:
    x, g = drawn(4, 8), drawn(4, 8, seed=1)
    far, flow, shift = x.clone(), g.clone(), torch.zeros(8)
    far[0, 3] = flow[0, 3] = math.inf
    shift[3] = -math.inf
    for case in (
        (aten.gelu.default, (far,), {}),
        (aten.gelu_backward.default, (flow, x), {}),
        (aten.native_layer_norm.default, (x[:1], [8], None, shift, 1e-5), {}),
    ):
        assert not _differs_when_hit(monkeypatch, case, 3, 5.0)
    func, given, _ = norm_backward(x)
    steep = (func, (g * 1e20, *given[1:]), {})  # finite, but its squares are not
    for which in range(3):
        assert not _differs_when_hit(monkeypatch, steep, 3, 5.0, which)


def test_one_row_without_spread_leaves_the_others_limits_as_they_are(monkeypatch: Any) -> None:
    x = drawn(2048, 64)
    x[0] = 1000.0
    case = norm_backward(x)
    func, args, _ = case
    _, by_gain, by_shift = func(*args)
    assert not _differs_when_hit(monkeypatch, case, 3, float(by_gain[3]) + 400.0, 1)
    assert not _differs_when_hit(monkeypatch, case, 3, float(by_shift[3]) + 0.01, 2)
    far = norm_backward(drawn(64, 64) + 100.0)
    func, args, _ = far
    assert not _differs_when_hit(monkeypatch, far, 3, float(func(*args)[0].view(-1)[3]) + 0.002, 0)


@pytest.mark.parametrize("eps", [1e-5, 1e39])
def test_what_is_not_finite_is_no_warning(eps: float, threads: int) -> None:
    x, g = drawn(64, 8), torch.ones(64, 8)
    g[0, 3], g[40, 3] = math.inf, -math.inf
    layer = torch.nn.LayerNorm(8, eps=eps)
    with protect(level="full") as guard:
        layer(x.requires_grad_()).backward(g)
    assert guard.verdict()


def test_arguments_of_two_shapes_are_left_to_two_executions(monkeypatch: Any) -> None:
    case = (aten.gelu_backward.default, (drawn(5), drawn(1)), {})
    assert agreement(*case) is None
    assert not _differs_when_hit(monkeypatch, case, 3, 1e6)


class Wrapped(Tensor):
    """A tensor that stands for another one."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> Wrapped:
        made = Tensor._make_wrapper_subclass(cls, inner.shape, strides=inner.stride(), dtype=inner.dtype)
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        taken = [each.inner if isinstance(each, cls) else each for each in args]
        found = func(*taken, **(kwargs or {}))
        return cls(found) if isinstance(found, Tensor) and found.dtype == torch.float32 else found


def test_tensors_that_stand_for_others_are_left_to_torch() -> None:
    x = drawn(4, 8)
    for operation in (torch.nn.functional.gelu, lambda t: t + t, torch.clone):
        with protect(level="full"):
            found = operation(Wrapped(x))
        assert torch.equal(found.inner, operation(x))


def test_a_norm_of_ragged_rows_runs() -> None:
    ragged = torch.nested.nested_tensor([drawn(2, 8), drawn(3, 8)], layout=torch.jagged)
    layer = torch.nn.LayerNorm(8)
    with protect(level="full"):
        found = layer(ragged)
    assert torch.equal(found.values(), layer(ragged).values())
