"""Pages that are left out where PyTorch is not installed are run here, whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in (ROOT / "docs").rglob("*.md")
    if "<!-- needs torch -->" in page.read_text(encoding="utf-8")
)


def test_there_are_such_pages() -> None:
    assert ROOT / "docs" / "tutorials" / "protect-my-model.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_block_of_a_page_that_needs_torch_runs(page: Path) -> None:
    tool = ROOT / "tools" / "run_docs_blocks.py"
    done = subprocess.run([sys.executable, str(tool), str(page)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok ")
