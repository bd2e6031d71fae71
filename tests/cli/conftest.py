from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from skyhall.cli import program

Run = Callable[..., Result]

# A job in the background starts with SIGINT ignored; the command should see it as in a terminal.
AS_IN_A_TERMINAL = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from skyhall.cli import main
main()
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here: Path) -> Run:
    """Call the command line within this process."""

    def call(*args: str) -> Result:
        return CliRunner().invoke(program, args)

    return call


@pytest.fixture
def answer(run: Run) -> Callable[..., Any]:
    """Call a verb with --json, and return its one document."""

    def call(*args: str) -> Any:
        result = run(*args, "--json")
        assert result.exit_code == 0, result.stderr
        assert result.stderr == ""
        return json.loads(result.stdout)

    return call


@pytest.fixture
def refusal(run: Run) -> Callable[..., dict[str, Any]]:
    """Call a verb that must fail, and return its error; it is told as text and as JSON alike."""

    def call(*args: str) -> dict[str, Any]:
        told, document = run(*args), run(*args, "--json")
        error: dict[str, Any] = json.loads(document.stderr)
        assert document.stdout == ""
        assert any(line.startswith("error: ") for line in told.stderr.splitlines())
        assert error["what"] in told.stderr
        assert told.exit_code == document.exit_code == error["exit_code"]
        return error

    return call


@pytest.fixture
def start(here: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command as a process of its own."""

    def call(*args: str, script: str = AS_IN_A_TERMINAL, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", script, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=here,
            env={**os.environ, "NO_COLOR": "1"},
            **more,
        )

    return call
