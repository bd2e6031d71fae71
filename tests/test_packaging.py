"""The project's own files agree with each other."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import skyhall

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MACHINE_OR_HOST = re.compile(
    r"(?<![\w.])(/work/|/tmp/|/root/|/home/)|(extra-)?index-url|find-links", re.IGNORECASE
)
TEXTS = {".md", ".py", ".toml", ".txt", ".yaml", ".yml", ".cff", ".cfg", ".ini"}


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def wanted(extra: str | None) -> list[str]:
    required: list[str] = (
        PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    )
    return required


def distribution(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def test_the_version_is_said_once() -> None:
    assert skyhall.__version__ == version("skyhall") == PROJECT["version"]


def test_the_changelog_has_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(PROJECT['version'])}\b", changelog, re.MULTILINE)


def test_the_citation_has_the_version() -> None:
    assert f"version: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize("extra", [None, "dev"])
def test_every_dependency_is_pinned(extra: str | None) -> None:
    assert {distribution(text) for text in wanted(extra)} <= pins("constraints.txt").keys()


def test_torch_is_pinned_for_the_ml_tests_and_not_for_the_others() -> None:
    assert "torch" in pins("constraints-ml.txt")
    assert "torch" not in pins("constraints.txt")


def test_extras_are_those_of_the_design() -> None:
    assert set(PROJECT["optional-dependencies"]) == {"arrays", "dev", "ml", "ray", "serve"}


def test_no_text_names_a_folder_of_one_machine_or_a_registry() -> None:
    folders = ["src", "tests", "docs", "tools", "benchmarks", ".ci"]
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS]
    paths += [path for path in ROOT.iterdir() if path.suffix in TEXTS]
    paths += [ROOT / "Makefile", ROOT / ".ci" / "run"]
    for path in paths:
        if path == Path(__file__).resolve() or "__pycache__" in path.parts:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert not MACHINE_OR_HOST.search(line), f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
