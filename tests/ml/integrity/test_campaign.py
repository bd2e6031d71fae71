"""Campaigns: outcomes as they are defined, intervals against closed forms, and rows that add up."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import binom
from torch import nn

from skyhall.integrity.campaign import Row, Stratum, detected_share, run_campaign
from skyhall.integrity.errors import IntegrityError
from skyhall.integrity.outcomes import Observation, interval_of, judge, lower_bound, same_bits
from skyhall.integrity.quantised import Int8Linear, quantised
from skyhall.integrity.subjects import Inference
from skyhall.studies.injection import Program, demo, inject_strata, subject

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def program() -> Program:
    torch.set_num_threads(1)
    return demo("tiny", steps=60)


def seen(logits: list[list[float]], loss: float = 1.0, error: str = "") -> Observation:
    made = torch.tensor(logits)
    return Observation((made,), made.argmax(-1), (loss,), error)


CLEAN = [[1.0, 2.0], [4.0, 3.0]]


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (seen(CLEAN), "masked"),
        (seen([[1.0, 2.1], [4.0, 3.0]]), "silent"),
        (seen([[1.0, 2.0], [-0.0, -3.0]]), "silent"),
        (seen(CLEAN, loss=1.009), "silent"),
        (seen(CLEAN, loss=1.011), "visible"),
        (seen(CLEAN, loss=0.989), "visible"),
        (seen([[3.0, 2.0], [4.0, 3.0]]), "visible"),
        (seen([[1.0, math.inf], [4.0, 3.0]]), "nan"),
        (seen(CLEAN, loss=math.nan), "nan"),
        (seen(CLEAN, error="IndexError"), "nan"),
    ],
)
def test_an_outcome_is_what_its_definition_says(other: Observation, outcome: str) -> None:
    assert judge(seen(CLEAN), other) == outcome


def test_the_sign_of_zero_and_the_payload_of_nan_are_bits() -> None:
    assert not same_bits((torch.tensor([0.0]),), (torch.tensor([-0.0]),))
    assert same_bits((torch.tensor([math.nan]),), (torch.tensor([math.nan]),))
    assert not same_bits((torch.zeros(2),), (torch.zeros(1, 2),))


@pytest.mark.parametrize(("hits", "trials"), [(0, 10), (3, 10), (10, 10), (999, 1000), (3000, 3000)])
def test_an_interval_ends_where_the_binomial_tails_do(hits: int, trials: int) -> None:
    low, high = interval_of(hits, trials)
    assert binom.sf(hits - 1, trials, low) == pytest.approx(0.025) if hits else low == 0.0
    assert binom.cdf(hits, trials, high) == pytest.approx(0.025) if hits < trials else high == 1.0
    bound = lower_bound(hits, trials)
    assert binom.sf(hits - 1, trials, bound) == pytest.approx(0.05) if hits else bound == 0.0


def test_three_thousand_without_a_miss_are_at_least_999_in_1000() -> None:
    assert lower_bound(3000, 3000) == pytest.approx(0.05 ** (1 / 3000))
    assert lower_bound(3000, 3000) > 0.999
    assert interval_of(0, 0) == (0.0, 1.0)
    assert lower_bound(0, 0) == 0.0


def test_rows_add_up_and_the_same_seed_gives_the_same_rows(program: Program) -> None:
    def rows(seed: int) -> list[Row]:
        return list(
            inject_strata(
                program,
                ["activations", "gradients"],
                ["fp32"],
                ["exponent"],
                ["none", "full"],
                count=12,
                seed=seed,
            )
        )

    found = rows(1)
    assert [(row.target, row.level) for row in found] == [
        ("activations", "none"),
        ("activations", "full"),
        ("gradients", "none"),
        ("gradients", "full"),
    ]
    for row in found:
        assert row.injected == row.masked + row.silent + row.visible + row.nan == 12
        assert row.corrected <= row.detected <= 12
        assert row.harmful_detected <= row.harmful
    for bare, full in zip(found[::2], found[1::2], strict=True):
        assert bare.detected == bare.corrected == bare.harmful_detected == 0
        assert bare.harmful == bare.visible + bare.nan == full.harmful
    assert rows(1) == found
    assert rows(2) != found


def test_exact_lets_nothing_through_and_sums_guard_state_alone(program: Program) -> None:
    targets = ["weights", "activations", "optimizer", "gradients", "updates"]
    rows = list(inject_strata(program, targets, ["fp32"], ["all"], ["none", "sums", "exact"], count=6))
    bare, sums, exact = rows[::3], rows[1::3], rows[2::3]
    for row in exact:
        assert row.masked == 6
    for row, plain in zip(exact, bare, strict=True):
        assert row.detected == row.corrected >= 6 - plain.masked
    found = {row.target: row.detected for row in sums}
    assert found == {"weights": 6, "activations": 0, "optimizer": 6, "gradients": 0, "updates": 6}


def test_top_exponent_bits_do_harm_and_low_mantissa_bits_do_none(program: Program) -> None:
    top, low = inject_strata(program, ["weights"], ["fp32"], ["top-exponent", "0-7"], ["none"], count=20)
    assert top.harmful >= 19
    assert low.harmful == 0
    assert low.silent >= 15


@pytest.mark.parametrize("dtype", ["bf16", "fp16", "int8"])
def test_weights_of_other_dtypes_are_hit_in_their_own_bits(program: Program, dtype: str) -> None:
    (row,) = inject_strata(program, ["weights"], [dtype], ["high"], ["none"], count=10)
    assert (row.dtype, row.injected) == (dtype, 10)
    assert row.masked < 5


def test_every_shape_is_a_stratum_of_its_own(program: Program) -> None:
    rows = list(
        inject_strata(
            program, ["activations"], ["fp32"], ["exponent"], ["none"], shapes=["single", "tile"], count=12
        )
    )
    assert [row.bits for row in rows] == ["exponent", "exponent tile"]


def test_data_outside_the_vocabulary_ends_the_run_and_counts_as_nan(program: Program) -> None:
    (row,) = inject_strata(program, ["batch"], ["fp32"], ["high"], ["none"], count=6)
    assert row.nan == 6


def test_int8_weights_are_close_to_those_they_came_from() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.GELU(), nn.Linear(32, 8))
    made = quantised(model)
    layers = [module for module in made.modules() if isinstance(module, Int8Linear)]
    assert len(layers) == 2
    assert layers[0].weight.dtype == torch.int8
    assert int(layers[0].weight.abs().max()) == 127
    x = torch.randn(16, 64)
    assert (made(x) - model(x)).norm() / model(x).norm() < 0.02
    restored = layers[0].weight.float() * layers[0].scale
    assert (restored - model[0].weight).abs().max() <= 0.5 * layers[0].scale.max() * 1.001


class Restless(nn.Module):
    """A model that is not the same twice."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        out: torch.Tensor = self.linear(x) + self.calls
        return out


def test_a_program_that_is_not_the_same_twice_is_refused() -> None:
    restless = Inference(Restless(), (torch.zeros(1, 4),))
    with pytest.raises(IntegrityError, match="must be deterministic"):
        list(run_campaign(restless, [Stratum("weights", "fp32")], ["none"], count=1, seed=0))


def test_wrong_strata_say_what_there_is(program: Program) -> None:
    def asked(stratum: Stratum, level: str = "none") -> str:
        with pytest.raises(IntegrityError) as error:
            list(run_campaign(subject(program, "weights", "fp32"), [stratum], [level], count=1, seed=0))
        return str(error.value)

    assert "weights in fp32" in asked(Stratum("weights", "bf16"))
    assert "did you mean 'full'" in asked(Stratum("weights", "fp32"), "ful")
    assert "fp32 has no bits 99" in asked(Stratum("weights", "fp32", "sign+99"))


def test_a_share_counts_the_rows_of_its_level_alone() -> None:
    row = Row("weights", "fp32", "all", "full", injected=10, harmful=4, harmful_detected=3)
    found = detected_share(
        [row, replace(row, level="none", harmful_detected=0), replace(row, target="batch")], "full"
    )
    assert (found.harmful, found.detected, found.share) == (8, 6, 0.75)
    assert found.lower_bound == pytest.approx(lower_bound(6, 8))
    assert math.isnan(detected_share([], "full").share)


def test_a_row_has_the_keys_of_the_contract_first() -> None:
    keys = list(Row("weights", "fp32", "all", "none").as_dict())
    assert keys[:11] == [
        *("target", "dtype", "bits", "level", "injected"),
        *("masked", "silent", "visible", "nan", "detected", "corrected"),
    ]
