"""The benchmark of routes: Skyhall's step and the Hypatia way give the same delays."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("routes")


@pytest.mark.parametrize("seconds", [0.0, 300.0])
def test_both_ways_agree_on_a_small_shell(routes: Any, seconds: float) -> None:
    small = routes.shell(15, 16, 4, 20)
    ours, theirs = routes.skyhall_step(small, seconds), routes.hypatia_step(small, seconds)
    assert np.array_equal(np.isfinite(ours), np.isfinite(theirs))
    reached = np.isfinite(ours)
    assert reached.sum() > 100
    assert ours[reached] == pytest.approx(theirs[reached], abs=1e-12)
