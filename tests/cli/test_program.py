"""What holds for every verb: start-up, help, exit codes, faults, interrupts, pipes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from skyhall.cli import VERBS
from skyhall.validation import Result, Tolerance

HEAVY = {"numpy", "numba", "pint", "pydantic", "scipy", "pyarrow", "yaml", "rich", "sgp4", "jinja2"}


def loaded_after(*args: str) -> set[str]:
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr))\n"
        "from skyhall.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script, *args], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("args", [(), ("--help",), ("--version",)])
def test_help_and_version_load_nothing_heavy(args: tuple[str, ...]) -> None:
    assert not loaded_after(*args) & HEAVY


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_loads_nothing_scientific(verb: str) -> None:
    assert not loaded_after(verb, "--help") & (HEAVY - {"rich"})


def test_help_answers_at_once() -> None:
    def once() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "skyhall", "--help"], capture_output=True, check=True)
        return time.perf_counter() - began

    assert min(once() for _ in range(5)) < 0.3


def test_help_lists_every_verb_with_its_line(run: Any) -> None:
    text = " ".join(run("--help").stdout.split())
    for verb, line in VERBS.items():
        assert f"{verb} {line}" in text


def test_without_a_verb_the_help_is_shown(run: Any) -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stdout == run("--help").stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(run: Any, verb: str) -> None:
    result = run(verb, "-h")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_version(run: Any) -> None:
    assert run("--version").stdout == f"skyhall {version('skyhall')}\n"


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("asses",), "did you mean 'assess'"),
        (("orbit", "--altitud", "5 km"), "--altitude"),
        (("init",), "argument"),
        (("schema", "extra"), "extra"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_a_wrong_command_line_exits_2_and_says_what_would_be_right(
    refusal: Any, args: tuple[str, ...], hint: str
) -> None:
    error = refusal(*args)
    assert error["exit_code"] == 2
    assert hint in (error["what"] + error["right"])


def test_a_fault_of_ours_exits_70_and_its_traceback_is_in_a_file(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> str:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("skyhall.scenario.builtin_text", broken)
    told, document = run("scenarios", "geo-1gw"), run("scenarios", "geo-1gw", "--json")
    assert told.exit_code == document.exit_code == 70
    assert "Traceback" not in told.stderr
    named = re.search(r"in (\S+\.txt)", told.stderr)
    assert named
    assert json.loads(document.stderr)["error"] == "Fault"
    saved = Path(named[1])
    assert "ZeroDivisionError: on purpose" in saved.read_text(encoding="utf-8")
    assert "scenarios geo-1gw" in saved.read_text(encoding="utf-8")
    saved.unlink()
    Path(json.loads(document.stderr)["file"]).unlink()


def result_of(name: str, passed: bool | None) -> Result:
    ours = None if passed is None else 1.0
    tolerance = Tolerance(None, 0.01, None, "", False)
    return Result(
        f"{name}/x", "orbit", 1.0, ours, "", tolerance, passed, "nobody", "agree", "", f"note of {name}"
    )


def test_a_failed_check_exits_1_and_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [result_of("good", True), result_of("bad", False), result_of("later", None)]
    monkeypatch.setattr("skyhall.validation.validate", lambda group: rows)
    result = run("validate")
    assert result.exit_code == 1
    assert "1 number agrees, 1 fail, 1 not modelled yet" in result.stdout
    assert "bad/x" in result.stderr
    document = run("validate", "--json")
    assert document.exit_code == 1
    assert [row["pass"] for row in json.loads(document.stdout)] == [True, False, None]
    assert json.loads(document.stderr)["error"] == "CheckFailed"


def test_what_is_not_modelled_is_apart_and_never_green(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skyhall.validation.validate", lambda group: [result_of("later", None)])
    result = run("validate")
    assert result.exit_code == 0
    assert "Not modelled yet" in result.stdout
    assert "0 numbers agree" in result.stdout
    assert " pass " not in result.stdout.partition("Not modelled yet")[0]


def test_the_module_is_the_command(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "skyhall", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("skyhall ")


@pytest.mark.parametrize("args", [("catalogue",), ("--help",), ("schema", "--json")])
def test_a_reader_that_has_seen_enough_is_no_error(start: Any, args: tuple[str, ...]) -> None:
    with start(*args) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_a_standard_output_that_is_full_exits_3(here: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("w") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "skyhall", "schema"],
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert "no space left" in done.stderr


def test_a_terminal_of_few_letters_gets_those_it_has(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "skyhall", "orbit"],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "latin-1", "PATH": "/usr/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert "98.010°" in done.stdout.decode("latin-1")


# Stops in the middle of writing a run's files, as a slow disk would.
SLOW_DISK = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
real = os.fsync
def slow(descriptor):
    print("writing", file=sys.stderr, flush=True)
    time.sleep(60)
os.fsync = slow
from skyhall.cli import main
main()
"""


def test_ctrl_c_ends_with_130_and_leaves_nothing(start: Any, here: Path) -> None:
    with start("assess", "starcloud-1", "--set", "flight.duration=6 h", script=SLOW_DISK) as process:
        assert process.stderr.readline() == "writing\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told
    assert not list(here.iterdir())


def test_a_second_ctrl_c_leaves_nothing_either(start: Any, here: Path) -> None:
    with start("assess", "starcloud-1", "--set", "flight.duration=6 h", script=SLOW_DISK) as process:
        assert process.stderr.readline() == "writing\n"
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert not list(here.iterdir())
