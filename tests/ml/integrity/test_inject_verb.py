"""``skyhall inject``: rows of the contract, the user's own model, files, and what it says to wrong values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from skyhall.cli import program

pytestmark = pytest.mark.ml

KEYS = [
    "target",
    "dtype",
    "bits",
    "level",
    "injected",
    "masked",
    "silent",
    "visible",
    "nan",
    "detected",
    "corrected",
]
MINE = """
import torch
from torch import nn

def classifier():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 5))
    inputs = torch.randn(64, 16, generator=torch.Generator().manual_seed(1))
    targets = inputs[:, :5].argmax(-1)
    return model, inputs, lambda out: nn.functional.cross_entropy(out, targets)

def normed():
    model, inputs, loss = classifier()
    return nn.Sequential(nn.BatchNorm1d(16), model), inputs, loss

def bare():
    return classifier()[:2]

def wrong():
    return 5

def broken():
    raise RuntimeError("no weights here")
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_model.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return "my_model.py"


def call(*args: str) -> Result:
    return CliRunner().invoke(program, ["inject", *args])


def answer(*args: str) -> list[dict[str, object]]:
    result = call(*args, "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    rows: list[dict[str, object]] = json.loads(result.stdout)
    return rows


def refusal(*args: str) -> str:
    result = call(*args, "--json")
    assert result.exit_code == 2, (result.stdout, result.stderr)
    error = json.loads(result.stderr)
    return f"{error['what']} | {error['right']}"


def test_the_demo_gives_the_rows_of_the_contract() -> None:
    rows = answer("demo", "--targets", "weights,activations", "--bits", "exponent", "--count", "4")
    assert [(row["target"], row["level"]) for row in rows] == [
        (target, level) for target in ("weights", "activations") for level in ("none", "abft", "full")
    ]
    for row in rows:
        assert list(row)[:11] == KEYS
        assert row["injected"] == 4


def test_a_users_model_is_hit_in_inference_and_training(mine: str) -> None:
    rows = answer(f"{mine}:classifier", "--count", "3", "--level", "none,full")
    assert {row["target"] for row in rows} == {"weights", "activations", "optimizer", "gradients", "updates"}
    without_loss = answer(f"{mine}:bare", "--count", "3", "--level", "none")
    assert {row["target"] for row in without_loss} == {"weights", "activations"}
    assert answer("my_model:bare", "--count", "3", "--level", "none") == without_loss


def test_a_model_with_batch_norm_is_hit_at_every_level(mine: str) -> None:
    rows = answer(f"{mine}:normed", "--count", "2", "--targets", "weights,gradients", "--bits", "exponent")
    assert [row["level"] for row in rows] == ["none", "abft", "full"] * 2


def test_int8_has_weights_and_halves_instead_of_exponents(mine: str) -> None:
    rows = answer(
        f"{mine}:classifier", "--dtypes", "int8", "--targets", "weights", "--count", "3", "--level", "none"
    )
    assert [(row["dtype"], row["bits"]) for row in rows] == [("int8", "high"), ("int8", "low")]


def test_the_table_says_what_was_detected_and_how_sure_that_is(mine: str, tmp_path: Path) -> None:
    result = call(f"{mine}:classifier", "--count", "6", "--bits", "top-exponent", "--out", "found")
    assert result.exit_code == 0, result.stderr
    assert "with 95 % confidence" in " ".join(result.stdout.split())
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if not line.startswith("  skyhall"))
    rows = json.loads((tmp_path / "found" / "rows.json").read_text(encoding="utf-8"))
    assert sum(row["injected"] for row in rows) == 6 * len(rows)
    figure = ElementTree.fromstring((tmp_path / "found" / "faults.svg").read_text(encoding="utf-8"))
    texts = [each.text for each in figure.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("full") == 5
    assert "weights, fp32, top-exponent" in texts


STRETCH = ("--scenario", "dawn-dusk-200mw", "--set", "orbit.shells.0.satellites=12", "--duration", "1 day")


def at_rate(model: str, faults: str, *more: str) -> dict[str, Any]:
    result = call(model, "--faults", faults, *STRETCH, "--level", "none,full", *more, "--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_at_the_twins_rate_faults_follow_bits_hours_and_acceleration(mine: str) -> None:
    targets = ("--targets", "weights,optimizer")
    found = at_rate(f"{mine}:classifier", "x1e9", *targets)
    weights, moments = 16 * 32 + 32 + 32 * 5 + 5, 2 * (16 * 32 + 32 + 32 * 5 + 5) + 4
    assert found["bits"] == 32 * (weights + moments)
    rate, share = found["rate_per_bit_hour"], found["time_in_anomaly"]
    assert rate["inside_anomaly"] > 10.0 * rate["outside_anomaly"]
    mean = share * rate["inside_anomaly"] + (1.0 - share) * rate["outside_anomaly"]
    assert rate["mean"] == pytest.approx(mean)
    assert found["expected"] == pytest.approx(rate["mean"] * 1e9 * found["hours"] * found["bits"])
    assert 0 < found["drawn"] < found["expected"] + 6.0 * found["expected"] ** 0.5
    assert found["drawn_inside_anomaly"] <= found["drawn"]
    rows = found["rows"]
    assert [(row["target"], row["level"]) for row in rows] == [
        (target, level) for target in ("weights", "optimizer") for level in ("none", "full")
    ]
    assert all(list(row)[:11] == KEYS for row in rows)
    assert sum(row["injected"] for row in rows) == 2 * found["drawn"]
    assert at_rate(f"{mine}:classifier", "x1e9", *targets) == found


def test_where_no_upset_comes_none_is_drawn_and_nothing_shown(mine: str, tmp_path: Path) -> None:
    none = at_rate(f"{mine}:classifier", "x0", "--out", "drawn")
    assert none["expected"] == none["drawn"] == 0
    assert {row["injected"] for row in none["rows"]} == {0}
    assert not (tmp_path / "drawn" / "faults.svg").exists()


def test_a_list_that_was_drawn_does_the_same_again(mine: str, tmp_path: Path) -> None:
    drawn = at_rate(f"{mine}:classifier", "x3e8", "--dtypes", "bf16", "--out", "drawn")
    assert drawn["drawn"] > 3
    again = answer(f"{mine}:classifier", "--faults", "drawn/faults.jsonl", "--level", "none,full")
    unlike = ("dtype", "bits", "interval")
    kept = [{key: row[key] for key in row if key not in unlike} for row in drawn["rows"] if row["injected"]]
    assert [{key: row[key] for key in row if key not in unlike} for row in again] == kept
    assert {row["bits"] for row in again} == {"recorded"}


def test_a_list_of_another_program_is_refused(mine: str, tmp_path: Path) -> None:
    at_rate(f"{mine}:classifier", "x3e8", "--out", "drawn")
    for target in ("weights", "activations"):
        lines = (tmp_path / "drawn" / "faults.jsonl").read_text(encoding="utf-8").splitlines()
        only = [line for line in lines[1:] if f'"target": "{target}"' in line]
        assert only
        (tmp_path / "one.jsonl").write_text("\n".join([lines[0], *only]) + "\n", encoding="utf-8")
        assert "made for another program" in refusal(f"{mine}:normed", "--faults", "one.jsonl")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("demo", "--faults", "x1e6", "--count", "3"), "not chosen where --faults says"),
        (("demo", "--duration", "1 h"), "is of faults at a rate"),
        (("demo", "--set", "orbit.shells.0.satellites=12"), "is of faults at a rate"),
        (("demo", "--faults", "x1e6", "--dtypes", "fp32,bf16"), "'fp32,bf16' are several"),
        (("demo", "--faults", "x1e6", "--bits", "sign,exponent"), "'sign,exponent' are several"),
        (("demo", "--faults", "x1e6", "--duration", "an hour"), "write a time, as '12 h'"),
        (("demo", "--faults", "x-1"), "neither a factor on the twin's rates nor a file"),
        (("demo", "--faults", "my_model.py"), "my_model.py is no list of faults"),
        (("demo", "--faults", "my_model.py", "--bits", "all"), "not chosen where --faults says"),
    ],
)
def test_what_does_not_go_with_a_rate_is_named(mine: str, args: tuple[str, ...], told: str) -> None:
    assert told in refusal(*args)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("demo", "--targets", "wieghts"), "did you mean 'weights'"),
        (("demo", "--level", "none,fulll"), "did you mean 'full'"),
        (("demo", "--dtypes", "fp23"), "did you mean 'fp32'"),
        (("demo", "--count", "1000000000000"), "1<=x<=1000000"),
        (("demo", "--shapes", "rows"), "did you mean 'row'"),
        (("demo", "--size", "0.9m"), "did you mean '0.8m'"),
        (("demo", "--dtypes", "int8", "--bits", "exponent", "--targets", "weights"), "int8 has no exponent"),
        (("demo", "--dtypes", "int8", "--targets", "gradients"), "int8 weights are not trained"),
        (("my_model",), "'my_model' names no function"),
        (("gone.py:model",), "there is no file gone.py"),
        (("gone.module:model",), "cannot be imported"),
        (("my_model.py:clasifier",), "did you mean 'classifier'"),
        (("my_model.py:wrong",), "returned a int"),
        (("my_model.py:broken",), "RuntimeError: no weights here"),
        (("my_model.py:bare", "--targets", "optimizer"), "'optimizer' needs training"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_right(mine: str, args: tuple[str, ...], told: str) -> None:
    assert told in refusal(*args)
