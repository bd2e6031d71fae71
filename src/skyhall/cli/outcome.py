"""Every way out of a command: its message on standard error and its exit code."""

from __future__ import annotations

import contextlib
import json as json_module
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

import click

from skyhall.errors import FileProblem, Place, SkyhallError, ValueProblem

__all__ = ["FAULT", "INTERRUPTED", "exit_code_of", "finish", "interrupts"]

FAULT = 70  # a fault of ours, as sysexits.h calls it
INTERRUPTED = 130  # 128 + SIGINT
_UNWINDING_S = 5.0  # after a Ctrl-C, for which further ones wait until temporary files are gone


def exit_code_of(run: Callable[[], object], *, json: bool, arguments: Sequence[str]) -> int:
    """Call `run` and return the exit code; errors are told on standard error, with `json` as one object."""
    try:
        if sys.stdout is not None and (sys.stdout.encoding or "").lower().replace("-", "") != "utf8":
            _replace_what_cannot_be_written(sys.stdout)
        code = run()
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except SkyhallError as error:
        return _tell(error, json)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.UsageError as error:
        return _tell(_of_usage(error), json)
    except click.ClickException as error:
        return _tell(ValueProblem(error.format_message()), json)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; nothing half-written was left", "Interrupted", INTERRUPTED, json)
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        return 0  # the reader has seen enough; click exits by itself where it notices first
    except OSError as error:
        return _tell(_of_system(error), json)
    except Exception as error:
        file = _saved(error, arguments)
        right = f"the traceback is in {file or 'the text above'}; please report it"
        what = f"a fault of ours, not of your input: {type(error).__name__}: {error}"
        _say(what, "Fault", FAULT, json, right, file)
        return FAULT


def finish(code: int) -> int:
    """Return `code`; after it nothing more is written to a standard output that cannot take it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        # Python would try again at exit, complain, and exit with 120.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


@contextlib.contextmanager
def interrupts() -> Iterator[None]:
    """Let one Ctrl-C unwind the program in peace: further ones wait until the temporary files are gone."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # ignored from the start, as in a background job
        return
    first: list[float] = []

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not first or now - first[0] > _UNWINDING_S:
            first[:] = [now]
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left is to exit, with the code that is set


def _tell(error: SkyhallError, json: bool) -> int:
    if json:
        _write(json_module.dumps(error.as_dict()))
    else:
        _write(f"error: {error}")
    return error.exit_code


def _say(
    what: str, kind: str, code: int, json: bool, right: str | None = None, file: str | None = None
) -> None:
    if json:
        told = {"error": kind, "what": what, "file": file, "key": None, "line": None, "right": right}
        _write(json_module.dumps({**told, "exit_code": code}))
    else:
        _write(f"error: {what}" + (f"\n  {right}" if right else ""))


def _write(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        click.echo(text, err=True)


def _of_usage(error: click.UsageError) -> ValueProblem:
    what = error.format_message().rstrip(".")
    path = error.ctx.command_path if error.ctx else "skyhall"
    return ValueProblem(what[:1].lower() + what[1:], right=f"see `{path} --help`")


def _of_system(error: OSError) -> FileProblem:
    name = error.filename if isinstance(error.filename, str) else None
    reason = (error.strerror or str(error) or type(error).__name__).lower()
    return FileProblem(
        f"could not be read or written ({reason})", place=Place(name or "standard output or a file")
    )


def _saved(error: Exception, arguments: Sequence[str]) -> str | None:
    """Save the traceback in the temp folder and return the file's name; print it where nothing can be saved."""
    text = f"skyhall {' '.join(arguments)}\n\n" + "".join(traceback.format_exception(error))
    try:
        handle, name = tempfile.mkstemp(prefix="skyhall-", suffix=".traceback.txt")
        os.close(handle)
        Path(name).write_text(text, encoding="utf-8")
    except OSError:
        _write(text)
        return None
    return name


def _replace_what_cannot_be_written(stream: IO[str]) -> None:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
