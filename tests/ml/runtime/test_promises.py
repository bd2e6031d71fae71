"""What jobs say at their end, where `bounded` compares it: what differs is seen, and only what they name is loose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.runtime.pretended import sky

from skyhall.jobs.job import Job, make_job
from skyhall.jobs.kinds import KINDS
from skyhall.runtime.evidence import Evidence
from skyhall.runtime.state import RunPlan, RunState

pytestmark = pytest.mark.ml
SMALL = {
    "gpt-serve": {"size": "tiny", "requests": "3", "batch": "3"},
    "ship-watch": {"scenes": "1", "size": "64", "ships": "3"},
    "fire-watch": {"scenes": "1", "size": "64", "fires": "3"},
    "kernels": {"kernel": "matmul", "size": "32", "units": "2"},
}


def done(kind: str) -> Job:
    job = make_job(kind, SMALL[kind])
    for number in range(job.units):
        job.keep(number, job.unit(number))
    return job


def kept(job: Job, own: dict[str, Any], quiet: dict[str, Any]) -> bool | None:
    plan = RunPlan(sky(["#"]), units=1, protect="bounded", copies=1, speedup=1.0)
    reference = {"digests": [["a"]], "outcome": quiet, "busy_s": 1.0}
    state = RunState(0.0, [], digests={0: ("b",)})
    return Evidence(plan, state, own, reference, (), 1.0, Path(), job.loose).kept


@pytest.mark.parametrize("kind", SMALL)
def test_the_same_state_keeps_the_promise(kind: str) -> None:
    job = done(kind)
    assert kept(job, job.outcome(), job.outcome()) is True
    assert job.loose <= set(job.outcome())


def test_another_token_breaks_it() -> None:
    job = done("gpt-serve")
    quiet = job.outcome()
    job.kept["answers"][1, 0] += 1
    own = job.outcome()
    assert own["tokens"] == quiet["tokens"]
    assert kept(job, own, quiet) is False


@pytest.mark.parametrize("kind", ["ship-watch", "fire-watch"])
def test_a_detection_elsewhere_breaks_it_though_all_counts_are_the_same(kind: str) -> None:
    job = done(kind)
    quiet = job.outcome()
    assert quiet["detections"] > 0
    job.kept["found"][0, 0, 0] += 1.0
    own = job.outcome()
    assert own["positions_sha256"] != quiet["positions_sha256"]
    without = ("found", "positions_sha256")
    assert {k: v for k, v in own.items() if k not in without} == {
        k: v for k, v in quiet.items() if k not in without
    }
    assert kept(job, own, quiet) is False


def test_low_bits_of_a_kernels_result_do_not_break_it_and_a_wrong_one_does() -> None:
    job = done("kernels")
    quiet = job.outcome()
    job.kept["checksum"][0] += 1
    assert job.outcome()["results_sha256"] != quiet["results_sha256"]
    assert kept(job, job.outcome(), quiet) is True
    job.kept["sample"][0] = torch.inf
    assert kept(job, job.outcome(), quiet) is False


def test_only_kernels_have_anything_loose() -> None:
    assert {kind for kind in KINDS if make_job(kind, {}).loose} == {"kernels"}
