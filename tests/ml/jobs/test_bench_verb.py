"""``skyhall bench``: the document of the contract, the table, a check that fails, and what it says to wrong values."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from skyhall.cli import program
from skyhall.jobs import kernels
from skyhall.studies.kernel_bench import bench

pytestmark = pytest.mark.ml

KEYS = ["kernel", "size", "dtype", "device", "passed", "error", "tolerance", "median_s", "throughput", "unit"]
KEYS += ["protect", "ratio"]


def call(*args: str) -> Result:
    return CliRunner().invoke(program, ["bench", *args])


def answer(*args: str) -> Any:
    result = call(*args, "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_every_kernel_gives_a_row_of_the_contract() -> None:
    document = answer("--size", "64", "--repeats", "1")
    assert sorted(document) == ["machine", "pins", "rows"]
    assert document["pins"]["threads"] == torch.get_num_threads()
    assert document["machine"]["torch"] == torch.__version__
    assert [row["kernel"] for row in document["rows"]] == list(kernels.KERNELS)
    for row in document["rows"]:
        assert set(KEYS) <= set(row)
        assert row["passed"] is True
        assert row["size"] == 64
        assert row["error"] <= row["tolerance"]
        assert row["ratio"] is None
        assert row["median_s"] > 0.0


def test_throughput_is_the_stated_work_by_the_median_time() -> None:
    matmul, pool, image = answer("matmul", "max-pool", "image-calibrate", "--size", "64", "--repeats", "3")[
        "rows"
    ]
    assert matmul["throughput"] * matmul["median_s"] == pytest.approx(2 * 64**3 / 1e9)
    assert matmul["unit"] == "GFLOP/s"
    assert pool["throughput"] * pool["median_s"] == pytest.approx((64 * 64 + 32 * 32) * 4 / 1e6)
    assert image["throughput"] * image["median_s"] == pytest.approx(8 * 64 * 64 / 1e6)
    assert image["unit"] == "Mpixel/s"


def test_protection_costs_time_and_its_holes_are_told() -> None:
    matmul, fft = answer("matmul", "fft", "--size", "256", "--repeats", "3", "--protect", "abft")["rows"]
    assert matmul["protect"] == fft["protect"] == "abft"
    assert matmul["ratio"] > 1.0
    assert matmul["uncovered_share"] == 0.0
    assert fft["uncovered_share"] == 1.0
    (whole,) = answer("fft", "--size", "256", "--repeats", "1", "--protect", "full")["rows"]
    assert whole["uncovered_share"] == 0.0


def test_the_table_fits_a_terminal_and_names_verdict_and_time() -> None:
    result = call("--size", "64", "--repeats", "1", "--protect", "full")
    assert result.exit_code == 0, result.stderr
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "12 pass, 0 fail" in result.stdout
    assert "…" not in result.stdout
    row = next(line for line in result.stdout.splitlines() if line.startswith("integer-wavelet"))
    assert "pass" in row
    assert "exact" in row
    assert "MB/s" in row


@pytest.mark.parametrize("json_too", [False, True])
def test_a_wrong_result_exits_1_and_is_named(monkeypatch: pytest.MonkeyPatch, json_too: bool) -> None:
    broken = replace(kernels.KERNELS["relu"], module=lambda constants: torch.nn.LeakyReLU())
    monkeypatch.setitem(kernels.KERNELS, "relu", broken)
    result = call("relu", "max-pool", "--size", "64", "--repeats", "1", *(["--json"] if json_too else []))
    assert result.exit_code == 1
    assert "1 of 2 kernels" in result.stderr
    assert "relu" in result.stderr
    if json_too:
        assert [row["passed"] for row in json.loads(result.stdout)["rows"]] == [False, True]
    else:
        assert "FAIL" in result.stdout


def test_a_kernel_that_is_not_a_number_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(kernels.KERNELS["relu"], module=lambda constants: torch.nn.Threshold(0.0, float("nan")))
    monkeypatch.setitem(kernels.KERNELS, "relu", broken)
    (row,) = bench(["relu"], size=16, repeats=1)
    assert not row.passed
    assert row.error != row.error


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("ftt",), "did you mean 'fft'"),
        (("fft", "--size", "1000"), "a power of two"),
        (("matmul", "wavelet", "--size", "20"), "wavelet does not take a size of 20"),
        (("fft", "--repeats", "0"), "--repeats"),
        (("fft", "--protect", "ful"), "full"),
        (("fft", "--device", "tpu"), "cuda"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_right(args: tuple[str, ...], told: str) -> None:
    result = call(*args, "--json")
    assert result.exit_code == 2
    error = json.loads(result.stderr)
    assert told in f"{error['what']} | {error['right']} | {error['file']}"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_here_is_refused() -> None:
    result = call("fft", "--device", "cuda", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stderr)["right"] == "choose cpu"
