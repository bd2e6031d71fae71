from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._pytree import tree_leaves

from skyhall.integrity import StepGuard, products, protect

pytestmark = pytest.mark.ml


def square() -> Tensor:
    return torch.randn(20, 20, generator=torch.Generator().manual_seed(1))


def batch_norm(a: Tensor) -> Any:
    layer = nn.BatchNorm1d(20)
    result = layer(a.clone().requires_grad_())
    result.square().sum().backward()
    return result, layer.running_mean, layer.running_var, layer.num_batches_tracked, layer.weight.grad


def recurrent(a: Tensor) -> Any:
    torch.manual_seed(0)
    layer = nn.LSTM(20, 30)
    result, _ = layer(a[:, None])
    result.sum().backward()
    return result, layer.weight_ih_l0.grad


def encoder(a: Tensor) -> Any:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(20, 2, 40, batch_first=True).eval()
    with torch.no_grad():
        return layer(a[None])


def fused_update(a: Tensor) -> Any:
    parameter = nn.Parameter(a.clone())
    optimizer = torch.optim.Adam([parameter], fused=True)
    for _ in range(3):
        parameter.grad = a * 2.0
        optimizer.step()
    return parameter.detach()


def written_by_another_name(a: Tensor) -> Tensor:
    b = a.clone()
    b[:, 0].add_(b[:, 1])
    b.mul_(b)
    return b


def complex_products(a: Tensor) -> Any:
    b = torch.complex(a, a + 1.0)
    scaled = torch.addmm(b, b, b, alpha=2.0j, beta=1.0 - 1.0j)
    return (
        torch.view_as_real(scaled),
        torch.view_as_real(b @ b),
        torch.view_as_real(torch.bmm(b[None], b[None])),
        (b @ b.mH).abs(),
    )


def out_of_no_size(a: Tensor) -> Tensor:
    return torch.add(a, 1.0, out=torch.empty(0))


def out_of_the_right_size(a: Tensor) -> Tensor:
    room = torch.empty(20, 20)
    assert torch.mm(a, a, out=room) is room
    return room


def with_gradient(function: Callable[[Tensor], Tensor], a: Tensor) -> Any:
    b = (a * 3.0).requires_grad_()
    function(b).square().sum().backward()
    return b.grad


def products_of_integers(a: Tensor) -> Any:
    b = (a * 100.0).to(torch.int64)
    return b @ b, torch.addmm(b, b, b, alpha=3, beta=2), torch.baddbmm(b[None], b[None], b[None])


def zeros_without_memory(a: Tensor) -> Any:
    b = a.clone().requires_grad_()
    torch.sgn(b).sum().backward()
    return b.grad


OPERATIONS: list[Callable[[Tensor], Any]] = [
    batch_norm,
    lambda a: nn.InstanceNorm1d(20, track_running_stats=True)(a[None]),
    lambda a: functional.rrelu(a, training=True),
    out_of_no_size,
    out_of_the_right_size,
    lambda a: torch.linalg.solve(a, a + 1.0),
    lambda a: (a.to_sparse() @ a, a.to_sparse().coalesce().to_dense()),
    encoder,
    recurrent,
    complex_products,
    written_by_another_name,
    zeros_without_memory,
    lambda a: with_gradient(functional.silu, a),
    lambda a: with_gradient(functional.mish, a),
    lambda a: torch.linalg.qr(a[:, :7]),
    lambda a: torch.linalg.svd(a[:7]),
    torch.pinverse,
    lambda a: torch.linalg.qr(a[:, :0], mode="complete"),
    products_of_integers,
    fused_update,
    lambda a: torch.quantize_per_tensor(a, 0.1, 0, torch.qint8).dequantize(),
    lambda a: functional.ctc_loss(
        a.log_softmax(-1)[:, None].expand(20, 2, 20).clone(),
        torch.tensor([[1, 2, 3], [4, 5, 0]]),
        torch.tensor([20, 20]),
        torch.tensor([3, 2]),
    ),
]


@pytest.mark.parametrize("level", ["abft", "full"])
@pytest.mark.parametrize("number", range(len(OPERATIONS)))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_ordinary_operators_give_their_own_results_without_an_alarm(number: int, level: str) -> None:
    torch.manual_seed(7)
    clean = tree_leaves(OPERATIONS[number](square()))
    torch.manual_seed(7)
    with protect(level=level) as guard:
        watched = tree_leaves(OPERATIONS[number](square()))
    assert len(clean) == len(watched)
    assert all(torch.equal(one, other) for one, other in zip(clean, watched, strict=True))
    assert guard.verdict()
    assert guard.report.detected == {}


def test_what_changes_arguments_and_returns_more_is_repaired_in_both() -> None:
    clean = batch_norm(square())
    for place in range(0, 20, 3):
        struck: list[str] = []

        def strike(name: str, result: Tensor, place: int = place, struck: list[str] = struck) -> None:
            if "native_batch_norm" in name and result.numel() == 20 and len(struck) < 1 + place % 2:
                struck.append(name)
                result.view(torch.int32)[place] ^= 1 << 12

        products.kernel_faults = strike
        try:
            with protect(level="full") as guard:
                found = batch_norm(square())
        finally:
            products.kernel_faults = None
        assert struck
        assert all(torch.equal(one, other) for one, other in zip(clean, found, strict=True))
        assert guard.verdict()
        assert guard.report.corrected == {"operator": 1}


@pytest.mark.parametrize("level", ["abft", "full"])
def test_a_recurrent_layer_trains_and_is_counted_with_its_products(level: str) -> None:
    torch.manual_seed(0)
    model = nn.LSTM(32, 64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    guard = StepGuard(model, optimizer, level=level)
    data = torch.randn(10, 8, 32)

    def step() -> float:
        optimizer.zero_grad()
        loss = model(data)[0].square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(3):
        guard.run(step)
    assert guard.report.detected == {}
    assert guard.report.uncovered["mkldnn_rnn_layer"] > 0
    # Forward once and backward twice: each of 80 rows meets every weight.
    products_alone = 3 * 3 * 2 * 80 * (4 * 64 * (32 + 64))
    assert products_alone <= guard.report.uncovered_flops < 1.2 * products_alone
    assert guard.report.uncovered_share["flops"] > 0.9


def test_an_encoder_that_runs_as_one_kernel_counts_its_arithmetic() -> None:
    with protect() as guard:
        encoder(square())
    rows, width = 20, 20
    weights = 4 * width * width + 2 * 40 * width
    assert guard.report.uncovered_flops >= 2 * rows * weights + 4 * rows * rows * width


def test_a_complex_weight_trains_under_the_guard() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(40, 40, dtype=torch.complex64))
    model = nn.ParameterList([weight])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    guard = StepGuard(model, optimizer)
    data = torch.randn(30, 40)

    def step() -> float:
        optimizer.zero_grad()
        loss = (torch.fft.fft(data) @ weight).abs().square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    losses = [guard.run(step) for _ in range(3)]
    assert losses[2] < losses[0]
    assert guard.report.detected == {}
    with torch.no_grad():
        torch.view_as_real(weight).view(torch.int32)[3, 5, 1] ^= 1 << 29
    guard.run(step)
    assert guard.report.corrected == {"state": 1}
