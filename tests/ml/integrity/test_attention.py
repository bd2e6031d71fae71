from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from skyhall.integrity.attention import backward_check, identity_ratios
from skyhall.integrity.guards import Ceiling
from skyhall.integrity.sketches import Sketches

pytestmark = pytest.mark.ml

_aten = torch.ops.aten
forward = _aten._scaled_dot_product_flash_attention_for_cpu
backward = _aten._scaled_dot_product_flash_attention_for_cpu_backward


def tensors(kind: str, rows: int, width: int, seed: int, dtype: Any = torch.float32) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    query, key, value, grad = (torch.randn(2, 3, rows, width, generator=generator) for _ in range(4))
    if kind == "peaked":
        query, key = query * 10.0, key * 5.0
    if kind == "positive":
        query, key, value, grad = (each.abs() + 0.5 for each in (query, key, value, grad))
    if kind == "sink":
        key[:, :, 0], query = 3.0, query.abs()
    if kind == "scaled":
        grad, value = grad * torch.logspace(-3, 1, rows)[:, None], value * torch.logspace(-2, 2, width)
    return [each.to(dtype) for each in (query, key, value, grad)]


def checked(given: list[Tensor], causal: bool, change: Any = None, mask: Tensor | None = None) -> Any:
    query, key, value, grad = given
    out, logsumexp = forward(query, key, value, 0.0, causal, attn_mask=mask)
    if change is not None:
        change(out=out, logsumexp=logsumexp)
    grads = backward(grad, query, key, value, out, logsumexp, 0.0, causal, attn_mask=mask)
    if change is not None:
        change(query=grads[0], key=grads[1], value=grads[2])
    wide = torch.float64 if query.dtype == torch.float64 else torch.float32
    signs = Sketches(1).signs(query.shape[-1], 4, wide, query.device)
    shown = None if mask is None else out
    return backward_check(grad, query, key, value, logsumexp, grads, signs, out=shown)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_the_identities_hold_on_data_of_every_kind(dtype: Any, causal: bool) -> None:
    for kind in ("normal", "peaked", "positive", "sink", "scaled"):
        for rows, width in ((17, 8), (64, 32), (200, 16)):
            found = checked(tensors(kind, rows, width, 7, dtype), causal)
            wrong, unknown = found.verdict()
            assert not wrong, (kind, rows)
            assert not unknown
            assert all(bool((value.abs() <= 0.5 * limit).all()) for value, limit in found)


def test_a_masked_out_row_is_no_alarm() -> None:
    given = tensors("normal", 16, 8, 3)
    mask = torch.zeros(16, 16)
    mask[5] = -math.inf
    wrong, _ = checked(given, False, mask=mask).verdict()
    assert not wrong


@pytest.mark.parametrize("which", ["query", "key", "value"])
def test_a_wrong_gradient_breaks_its_identity(which: str) -> None:
    for seed in range(30):

        def change(which: str = which, seed: int = seed, **grads: Tensor) -> None:
            if which in grads:
                grads[which][1, seed % 3, seed % 40, seed % 16] += 3.0

        found = checked(tensors("normal", 40, 16, seed), True, change)
        broken = {"value": found.value_sum, "key": found.key_sum, "query": found.query}[which]
        assert bool((broken[0].abs() > broken[1]).any())


def test_a_wrong_logsumexp_is_seen_by_the_backward_pass() -> None:
    def change(**given: Tensor) -> None:
        if "logsumexp" in given:
            given["logsumexp"][0, 1, 9] += 0.01

    assert checked(tensors("normal", 40, 16, 5), True, change).verdict()[0]


def test_a_wrong_result_of_the_forward_pass_is_seen_by_the_backward_pass() -> None:
    def change(**given: Tensor) -> None:
        if "out" in given:
            given["out"][0, 1, 9, 3] += 2.0

    assert checked(tensors("normal", 40, 16, 5), True, change).verdict()[0]


def test_nan_in_the_inputs_is_unknown() -> None:
    given = tensors("normal", 16, 8, 3)
    given[0][0, 0, 2, 2] = math.nan
    wrong, unknown = checked(given, False).verdict()
    assert unknown
    assert not wrong


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_correct_attention_stays_below_the_sharp_limits(dtype: Any, causal: bool) -> None:
    for kind in ("normal", "peaked", "positive", "sink", "scaled"):
        for rows, width in ((17, 8), (64, 32), (200, 16), (256, 128)):
            query, key, value, grad = tensors(kind, rows, width, 11, dtype)
            out, logsumexp = forward(query, key, value, 0.0, causal)
            grads = backward(grad, query, key, value, out, logsumexp, 0.0, causal)
            ratios = identity_ratios(grad, query, key, value, grads)
            assert max(ratios) < 1.0, (kind, rows, width, ratios)


def test_the_sharp_limits_see_errors_of_a_hundredth_of_the_mean_gradient() -> None:
    query, key, value, grad = tensors("normal", 256, 64, 2)
    out, logsumexp = forward(query, key, value, 0.0, True)
    grads = backward(grad, query, key, value, out, logsumexp, 0.0, True)
    generator = torch.Generator().manual_seed(8)
    for number in range(3):
        missed = 0
        for _ in range(100):
            wrong = list(grads)
            wrong[number] = grads[number].clone()
            at = tuple(int(torch.randint(0, size, (1,), generator=generator)) for size in query.shape)
            wrong[number][at] += 0.01 * float(grads[number].abs().mean())
            missed += max(identity_ratios(grad, query, key, value, tuple(wrong))) <= 1.0
        assert missed <= 5, number


def test_attention_that_is_not_finite_is_doubted() -> None:
    for place in range(3):
        given = tensors("normal", 40, 16, 2)
        given[place][0, 1, 5, 3] = math.nan
        query, key, value, grad = given
        out, logsumexp = forward(query, key, value, 0.0, True)
        grads = backward(grad, query, key, value, out, logsumexp, 0.0, True)
        assert any(Ceiling().doubts(each) for each in identity_ratios(grad, query, key, value, grads))


@pytest.mark.parametrize("what", ["dO", "a column of dO", "Q", "a row of Q", "two columns of Q"])
def test_where_the_identities_are_blind_they_doubt(what: str) -> None:
    query, key, value, grad = tensors("normal", 64, 16, 5)
    if "dO" in what:
        grad[1, 2, :, slice(None) if what == "dO" else 3] = 0.0
    elif what == "a row of Q":
        query[1, 2, 7] = 0.0
    else:
        query[1, 2, :, slice(None) if what == "Q" else [3, 11]] = 0.0
    out, logsumexp = forward(query, key, value, 0.0, True)
    grads = backward(grad, query, key, value, out, logsumexp, 0.0, True)
    assert any(Ceiling().doubts(each) for each in identity_ratios(grad, query, key, value, grads))
