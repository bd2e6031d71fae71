"""Of the faults that would be seen, nearly all are detected: a short campaign, the long one, and its table."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from skyhall.integrity.campaign import Row, detected_share
from skyhall.studies.injection import demo, inject_strata

pytestmark = pytest.mark.ml

ROOT = Path(__file__).resolve().parents[3]
TARGETS = ["weights", "activations", "optimizer", "gradients", "updates"]


def the_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("campaign_tool", ROOT / "tools" / "make_fault_campaign.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def committed() -> dict[str, Any]:
    held: dict[str, Any] = json.loads(
        (ROOT / "docs" / "assets" / "fault-campaign.json").read_text(encoding="utf-8")
    )
    return held


def rows_of(plain: list[dict[str, Any]]) -> list[Row]:
    return [Row(**{key: value for key, value in row.items() if key != "interval"}) for row in plain]


def test_a_short_campaign_misses_none_that_would_be_seen_at_full() -> None:
    torch.set_num_threads(1)
    rows = list(inject_strata(demo("tiny"), TARGETS, ["fp32"], ["top-exponent"], ["full"], count=25, seed=3))
    found = detected_share(rows, "full")
    assert found.harmful >= 60
    assert found.detected == found.harmful
    assert found.lower_bound > 0.95


def test_the_committed_campaign_is_long_enough_for_its_claim() -> None:
    rows = rows_of(committed()["rows"])
    found = detected_share(rows, "full")
    assert found.harmful >= 3000
    assert found.share >= 0.999
    assert {row.target for row in rows} == set(TARGETS)
    for row in rows:
        assert row.masked + row.silent + row.visible + row.nan == row.injected
        assert {"none", "abft", "full"} >= {row.level}


def test_the_page_shows_the_committed_campaign() -> None:
    page = (ROOT / "docs" / "models" / "faults.md").read_text(encoding="utf-8")
    table = the_tool().table(rows_of(committed()["rows"]))
    for line in table.splitlines():
        assert line in page


@pytest.mark.slow
def test_the_long_campaign_detects_999_in_1000_of_what_would_be_seen() -> None:
    tool = the_tool()
    found = detected_share(list(tool.campaign()), "full")
    assert found.harmful >= 3000
    assert found.share >= 0.999
    assert found.lower_bound > 0.998
