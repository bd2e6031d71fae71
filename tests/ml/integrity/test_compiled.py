from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from skyhall.integrity import IntegrityError, products, protect
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


class Tied(nn.Module):
    """A weight that is used twice, a convolution, matmul and attention, and a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(40, 40)
        self.filter = nn.Conv1d(3, 3, 5, padding=2)
        self.out = nn.Linear(40, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = self.filter(self.first(torch.relu(self.first(x))))
        heads = x.view(-1, 3, 4, 10).mT.contiguous()
        mixed = functional.scaled_dot_product_attention(heads, heads, heads)
        return self.out((x.mT @ x) @ mixed.flatten(2).mT[..., :1].expand(-1, 40, 40).contiguous() * 1e-3)


@pytest.mark.parametrize("inside", [False, True])
def test_mixed_precision_has_the_bits_of_the_plain_model(inside: bool) -> None:
    torch.manual_seed(0)
    model = Tied()
    x = torch.randn(8, 3, 40)
    protected = protect(model)
    found = []
    for each in (model, protected):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            result = each(x)
            if inside:
                result.float().square().sum().backward()
        if not inside:
            result.float().square().sum().backward()
        assert result.dtype == torch.bfloat16
        found.append([result.detach(), *(parameter.grad.clone() for parameter in model.parameters())])
    assert equal(*found)
    assert protected.verdict()
    assert protected.report.detected == {}


def test_mixed_precision_compiles() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 8))
    protected = protect(model)
    compiled = torch.compile(protected, fullgraph=True)
    x = torch.randn(32, 40)
    found = []
    for each in (protected, compiled):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            result = each(x)
        result.float().square().sum().backward()
        found.append([result.detach(), *(parameter.grad.clone() for parameter in model.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.05)
    assert protected.report.detected == {}


class Twice(nn.Module):
    """What can be differentiated twice: linear layers, a convolution and matmul."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(40, 40)
        self.filter = nn.Conv1d(3, 3, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.filter(self.first(x)))
        return torch.tanh(x.mT @ x)


def test_second_derivatives_are_those_of_the_plain_model() -> None:
    torch.manual_seed(0)
    model = Twice()
    x = torch.randn(8, 3, 40)
    found = []
    for each in (model, protect(model)):
        model.zero_grad()
        source = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(each(source).square().sum(), source, create_graph=True)
        slope.square().sum().backward()
        found.append([slope.detach(), *(parameter.grad.clone() for parameter in model.parameters())])
    assert torch.equal(found[0][0], found[1][0])
    for one, other in zip(
        *found, strict=True
    ):  # torch adds the terms of second derivatives in an order of its own
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * float(one.abs().max()))


def test_a_second_derivative_of_attention_is_refused_by_name() -> None:
    torch.manual_seed(0)
    heads = torch.randn(1, 2, 16, 8, requires_grad=True)

    class Attention(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.scaled_dot_product_attention(x, x, x)

    result = protect(Attention())(heads).square().sum()
    (slope,) = torch.autograd.grad(result, heads, create_graph=True)
    with pytest.raises(IntegrityError, match=r"attention protected by .* has no second derivative"):
        slope.square().sum().backward()


@pytest.mark.parametrize(
    "operation",
    [
        lambda a: torch.view_as_real(functional.linear(torch.complex(a, a), torch.complex(a, -a))),
        lambda a: torch.view_as_real(torch.complex(a, a) @ torch.complex(a, 2.0 * a)),
        lambda a: functional.linear(a, a[0]),
        lambda a: torch.bmm(a[None], mat2=a[None]),
        lambda a: torch.matmul(a, other=a),
        lambda a: a.detach().to_sparse() @ a,
    ],
)
def test_unusual_products_give_what_torch_gives(operation: Callable[[Tensor], Tensor]) -> None:
    class Module(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return operation(x)

    a = torch.randn(20, 20, generator=torch.Generator().manual_seed(1))
    found = []
    for module in (Module(), protect(Module())):
        source = a.clone().requires_grad_()
        result = module(source)
        result.square().sum().backward()
        found.append([result.detach(), source.grad])
    assert equal(*found)


def test_a_product_into_given_memory_is_left_to_torch() -> None:
    class Module(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            room = torch.empty(20, 20)
            assert torch.mm(x, x, out=room) is room
            return room

    a = torch.randn(20, 20)
    assert torch.equal(protect(Module())(a), a @ a)
