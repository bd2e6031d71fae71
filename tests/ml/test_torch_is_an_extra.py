"""With torch installed, Skyhall still does without it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.ml

ROOT = Path(__file__).resolve().parents[2]


def modules_after(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_torch_is_the_pinned_version() -> None:
    pinned = next(
        line.removeprefix("torch==")
        for line in (ROOT / "constraints-ml.txt").read_text(encoding="utf-8").splitlines()
        if line.startswith("torch==")
    )
    assert version("torch").split("+")[0] == pinned


def test_torch_itself_loads_here() -> None:
    assert "torch" in modules_after("import torch")


def test_the_whole_public_interface_loads_no_torch() -> None:
    loaded = modules_after("import skyhall\nfor name in skyhall.__all__: getattr(skyhall, name)")
    assert "torch" not in loaded
