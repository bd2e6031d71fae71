"""The guard's own numbers: bounds that bound, and faults in them that neither hide faults nor spoil right results."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from skyhall.integrity import products, protect
from skyhall.integrity.ledger import Ledger
from skyhall.integrity.serving import ServeGuard
from skyhall.integrity.singular import SingularValues

pytestmark = pytest.mark.ml


def bound_of(weight: nn.Parameter, bounds: SingularValues) -> float:
    bound = bounds.bound(weight, torch.float32)
    assert bound is not None
    return float(bound)


def exact(matrix: Tensor) -> float:
    return float(torch.linalg.matrix_norm(matrix.detach().double(), 2))


def matrices() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    normal = torch.randn(96, 160, generator=generator)
    orthogonal = torch.linalg.qr(torch.randn(128, 128, generator=generator))[0]
    return {
        "normal": normal,
        "tall": normal.t().contiguous(),
        "rank one": normal[:, :1] @ normal[:1],
        "identity": torch.eye(128),
        "orthogonal": orthogonal,
        "one entry": torch.zeros(64, 64).index_put_((torch.tensor(5), torch.tensor(7)), torch.tensor(3.0)),
        "hidden direction": orthogonal * 0.01 + 50.0 * torch.outer(orthogonal[0], orthogonal[1]),
        "positive": normal.abs() + 1.0,
        "large": normal * 1e15,
        "small": normal * 1e-15,
        "vanishing": normal * 1e-30,
        "zero": torch.zeros(64, 48),
    }


@pytest.mark.parametrize(("sharp", "most"), [(False, 2.6), (True, 1.45)])
@pytest.mark.parametrize("kind", list(matrices()))
def test_the_bound_is_one_for_every_matrix_and_draw(kind: str, sharp: bool, most: float) -> None:
    matrix = matrices()[kind]
    least = exact(matrix)
    floor = math.sqrt(matrix.numel() * torch.finfo(torch.float32).tiny)
    for seed in range(20):
        bound = float(SingularValues(seed).estimate(matrix, sharp=sharp))
        assert least <= bound <= most * least + 1.1 * floor


def test_the_bound_holds_where_a_new_block_grows_beside_the_old_directions() -> None:
    """A power iteration that goes on from the last singular vector stays blind to a block orthogonal to it."""
    weight = nn.Parameter(torch.zeros(128, 64))
    with torch.no_grad():
        weight[:64] = torch.diag(torch.linspace(1.0, 0.01, 64))
    bounds = SingularValues(1)
    for _ in range(40):
        assert exact(weight) <= bound_of(weight, bounds)
        with torch.no_grad():
            weight.mul_(1.0001)
    with torch.no_grad():
        weight[40:80, 40:] += 50.0 * torch.randn(40, 24, generator=torch.Generator().manual_seed(2))
    assert exact(weight) <= bound_of(weight, bounds) <= 2.6 * exact(weight)


def test_a_weight_that_grew_a_block_raises_no_alarm() -> None:
    layer, x = nn.Linear(64, 128, bias=False), torch.randn(50, 64)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[:64] = torch.diag(torch.linspace(1.0, 0.01, 64))
    guard = protect()
    for number in range(40):
        with guard:
            layer(x).sum().backward()
        assert guard.verdict(), number
        with torch.no_grad():
            layer.weight.mul_(1.0001)
            if number == 20:
                layer.weight[40:80, 40:] += torch.randn(40, 24) * 50
    assert guard.report.detected == {}


def scaled(by: float) -> Callable[[Ledger], None]:
    def change(ledger: Ledger) -> None:
        for kept in ledger.singular._weights.values():
            kept.bound.mul_(by)

    return change


def scaled_twin(by: float) -> Callable[[Ledger], None]:
    def change(ledger: Ledger) -> None:
        for kept in ledger.singular._weights.values():
            kept.twin.mul_(by)

    return change


def scaled_both(by: float) -> Callable[[Ledger], None]:
    def change(ledger: Ledger) -> None:
        scaled(by)(ledger)
        scaled_twin(by)(ledger)

    return change


def poisoned(by: float) -> Callable[[Ledger], None]:
    def change(ledger: Ledger) -> None:
        for pool in ledger.sketches._pools.values():
            pool.fill_(by)

    return change


UPSETS = {
    "bound up": scaled(2.0**64),
    "bound down": scaled(2.0**-20),
    "bound NaN": scaled(math.nan),
    "twin up": scaled_twin(2.0**64),
    "twin NaN": scaled_twin(math.nan),
    "both down": scaled_both(2.0**-20),
    "both NaN": scaled_both(math.nan),
    "pool NaN": poisoned(math.nan),
    "pool infinite": poisoned(math.inf),
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("upset", list(UPSETS))
def test_a_fault_in_the_guards_memory_hides_no_fault_and_spoils_nothing(upset: str, training: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64)).requires_grad_(training)
    x = torch.randn(128, 64)
    expected = model(x).detach()

    def forward() -> Tensor:
        with torch.set_grad_enabled(training):
            return model(x).detach()

    for hit in (False, True):
        guard = protect(seed=3)
        with guard:
            forward()
        guard.verdict()
        UPSETS[upset](guard.ledger)
        for _ in range(3):
            left = [1]

            def strike(name: str, result: Tensor, left: list[int] = left) -> None:
                if left:
                    left.clear()
                    result.view(torch.int32)[3, 5] ^= 1 << 28

            products.kernel_faults = strike if hit else None
            try:
                with guard:
                    found = forward()
            finally:
                products.kernel_faults = None
            assert torch.equal(found, expected)
            assert guard.verdict()
        report = guard.report
        assert report.uncorrected == {}
        assert report.corrected.get("product", 0) == (3 if hit else 0)
        assert hit or sum(report.detected.values()) >= 1  # the upset itself is told


@pytest.mark.parametrize("upset", list(UPSETS))
def test_right_answers_do_not_end_unrepaired(upset: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64)).eval().requires_grad_(False)
    x = torch.randn(128, 64)
    serve = ServeGuard(model)
    expected = serve.run(lambda: model(x))
    UPSETS[upset](serve.ledger)
    for _ in range(2):
        assert torch.equal(serve.run(lambda: model(x)), expected)
    assert sum(serve.report.detected.values()) >= 1


def test_a_sketch_that_lost_its_entries_is_not_trusted_and_drawn_again() -> None:
    a, b = torch.randn(200, 300), torch.randn(300, 250)
    guard = protect()
    with guard:
        _ = a @ b
    assert guard.verdict()
    for pool in guard.ledger.sketches._pools.values():
        pool.zero_()  # sums that see nothing, and agree with everything
    with guard:
        _ = a @ b
    assert not guard.verdict()
    with guard:
        _ = a @ b
    assert guard.verdict()


def test_what_a_checksum_cannot_judge_is_run_twice() -> None:
    a, b = torch.randn(100, 300), torch.randn(300, 250)
    a[7, 3] = math.nan
    with torch.no_grad():
        clean = a @ b

        for row in (7, 8):  # the row that holds NaN, and one that the checksum can judge
            left = [row]

            def strike(name: str, result: Tensor, left: list[int] = left) -> None:
                if left:
                    result[left.pop(), 5] = 2.0

            products.kernel_faults = strike
            try:
                with protect() as guard:
                    found = a @ b
            finally:
                products.kernel_faults = None
            assert not left
            assert torch.equal(found.nan_to_num(), clean.nan_to_num())
            assert torch.equal(found.isnan(), clean.isnan())
            assert guard.report.corrected == {"product": 1}
            assert guard.report.unchecked == {"aten.mm.default": 1}
