"""The documentation is complete, and the script that runs its blocks does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SECTIONS = ["Summary", "Assumptions and limits", "Equations", "Inputs and outputs", "Validation"]
MODEL_PAGES = sorted((DOCS / "models").glob("*.md"))


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose tags name Python objects that matter only to MkDocs."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


def pages(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    if isinstance(entry, dict):
        return [page for value in entry.values() for page in pages(value)]
    assert isinstance(entry, list)
    return [page for value in entry for page in pages(value)]


def run_blocks(page: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "run_docs_blocks.py"), str(page)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=page.parent)


def fenced(info: str, text: str) -> str:
    return f"```{info}\n{text}\n```\n"


def test_the_navigation_lists_every_page_once() -> None:
    configuration = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_Loader)
    written = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    assert sorted(pages(configuration["nav"])) == written


@pytest.mark.parametrize("page", MODEL_PAGES, ids=[page.stem for page in MODEL_PAGES])
def test_a_model_page_has_the_five_sections_in_order(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    headings = [line[3:].strip() for line in lines if line.startswith("## ")]
    assert [heading for heading in headings if heading in SECTIONS] == SECTIONS


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (fenced("python", "assert 1 + 1 == 2"), 0),
        (fenced("python", "assert 1 + 1 == 3"), 1),
        (fenced("python", "raise SystemExit(0)"), 1),
        (fenced("python", "x = 5") + fenced("python", "assert x == 5"), 0),
        (fenced("console", "$ true\nwhat it prints"), 0),
        (fenced("console", "$ false\nwhat it prints"), 1),
        (fenced("console", "$ false\n$ true"), 1),
        (fenced("console", "$ test a = \\\n>   a"), 0),
        (fenced("bash", "true\nfalse"), 1),
        (fenced("bash", "false | true"), 1),
        (fenced("text", "$ false"), 0),
        (fenced('yaml title="a.yaml"', "b: 1") + fenced("console", "$ grep -q 'b: 1' a.yaml"), 0),
        (fenced('yaml title="../a.yaml"', "b: 1"), 1),
        ("<!-- not run: needs the network -->\n" + fenced("bash", "false"), 0),
        ("<!-- not run: -->\n" + fenced("bash", "false"), 1),
        ("<!-- not run: a -->\n" + fenced("bash", "false") + fenced("bash", "false"), 1),
        ("<!-- exits 2 -->\n" + fenced("console", "$ exit 2"), 0),
        ("<!-- exits 2 -->\n" + fenced("console", "$ true"), 1),
        ("- indented\n\n    ```python\n    assert True\n    ```\n", 0),
        ("````markdown\n```python\nassert False\n```\n````\n", 0),
    ],
)
def test_a_block_is_run_as_its_page_says(text: str, code: int, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert run_blocks(page).returncode == code


def test_a_failing_block_is_named_with_page_and_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n" + fenced("python", "x = 1\nassert x == 2"), encoding="utf-8")
    done = run_blocks(page)
    assert "page.md:4: python block" in done.stdout
    assert 'page.md", line 5' in done.stderr


def test_blocks_leave_nothing_beside_their_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(fenced("bash", "touch left"), encoding="utf-8")
    assert run_blocks(page).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_a_page_that_needs_what_is_not_there_is_left_out_and_said_to_be(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- needs no_such_package -->\n" + fenced("python", "assert False"), encoding="utf-8")
    done = run_blocks(page)
    assert done.returncode == 0
    assert done.stdout == f"left out {page}: needs no_such_package\n"
    page.write_text("<!-- needs json -->\n" + fenced("python", "assert False"), encoding="utf-8")
    assert run_blocks(page).returncode == 1
