from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from skyhall.integrity import products, protect
from skyhall.jobs.gpt import SIZES, build, loss_of

pytestmark = [pytest.mark.ml, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

CONFIG = SIZES["tiny"]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def batch() -> tuple[Tensor, Tensor]:
    tokens = torch.randint(
        0, CONFIG.vocabulary, (CONFIG.rows, CONFIG.block + 1), generator=torch.Generator().manual_seed(1)
    )
    return tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


def gradients(model: nn.Module, parameters: nn.Module) -> list[Tensor]:
    parameters.zero_grad(set_to_none=True)
    loss = loss_of(model, *batch())
    loss.backward()
    return [loss.detach(), *(each.grad.clone() for each in parameters.parameters())]


def equal(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


class Network(nn.Module):
    """Convolution, explicit attention by matmul, and a linear layer with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 32, 3, padding=1)
        self.second = nn.Conv2d(32, 64, 3, stride=2)
        self.out = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = torch.relu(self.second(torch.relu(self.first(image)))).flatten(2).mT
        mixed = torch.softmax(x @ x.mT / 8.0, -1) @ x
        return self.out(mixed.mean(1))


def test_a_protected_model_has_the_bits_of_the_plain_one() -> None:
    model = build(CONFIG, 1)
    protected = protect(model)
    assert equal(gradients(model, model), gradients(protected, model))
    assert protected.verdict()
    assert protected.report.checked["aten.mm.default"] == 3 * (4 * CONFIG.layers + 1)
    assert protected.report.checked["aten._scaled_dot_product_flash_attention_for_cpu_backward.default"] == 2


def test_convolutions_and_matmuls_are_led_to_checks_too() -> None:
    torch.manual_seed(0)
    model = Network()
    image = torch.randn(4, 3, 17, 17)
    protected = protect(model)
    found = []
    for each in (model, protected):
        model.zero_grad()
        each(image).square().sum().backward()
        found.append([parameter.grad.clone() for parameter in model.parameters()])
    assert equal(*found)
    checked = protected.report.checked
    assert checked["aten.convolution.default"] == checked["aten.convolution_backward.default"] == 2
    assert checked["aten.bmm.default"] == 6


def test_it_compiles_without_graph_breaks_and_repairs_what_it_runs() -> None:
    model = build(CONFIG, 1)
    protected = protect(model)
    compiled = torch.compile(protected, fullgraph=True)
    clean = gradients(compiled, model)
    assert protected.verdict()
    checked = protected.report.checked["aten.mm.default"]
    assert checked == 3 * (4 * CONFIG.layers + 1)
    for place in range(1, 60, 7):
        calls = []

        def strike(name: str, result: Tensor, calls: list[str] = calls, place: int = place) -> None:
            if name == "aten.mm.default":
                calls.append(name)
                if len(calls) == place:
                    result.view(-1)[place] = torch.inf

        products.kernel_faults = strike
        try:
            assert equal(gradients(compiled, model), clean)
        finally:
            products.kernel_faults = None
    assert protected.report.corrected["product"] == protected.report.detected["product"] > 0


def test_a_compiled_model_inside_the_block_is_warned_of() -> None:
    model = torch.compile(nn.Linear(4, 4), backend="eager")
    with protect(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model(torch.ones(2, 4))
    assert any("runs eagerly" in str(each.message) for each in said)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(torch.ones(2, 4))  # outside the block there is nothing to warn of


def test_what_the_rest_of_the_graph_does_is_said_to_be_unseen() -> None:
    assert "outside" in protect(nn.Linear(2, 2)).report.unseen
