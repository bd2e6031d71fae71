"""Run the code blocks of Markdown pages, so that what the documentation shows is what happens.

    python tools/run_docs_blocks.py docs README.md

Blocks of a page run in order, from an empty temporary folder, with the interpreter that runs this script:

- ``python`` blocks share one namespace per page;
- ``console``, ``bash``, ``sh`` and ``shell`` blocks: the lines after ``$ `` where there are any (the rest is
  what they print), else the whole block as one script; exit code 0 is expected;
- any other block with ``title="name"`` is written to that file, for later blocks of the page to read.

A comment on the line above a block changes that: ``<!-- not run: reason -->`` or ``<!-- exits 2 -->``. A page with the
comment ``<!-- needs torch -->`` is left out, and said to be, where that package is not installed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SHELLS = {"console", "bash", "sh", "shell"}
PATIENCE_S = 900

_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,})[ \t]*(?P<info>[^`\n]*)$")
_NOT_RUN = re.compile(r"<!--\s*not run:\s*\S.*?-->")
_EXITS = re.compile(r"<!--\s*exits\s+(\d+)\s*-->")
_NEEDS = re.compile(r"^<!--\s*needs\s+(\w+)\s*-->\s*$", re.MULTILINE)
_TITLE = re.compile(r"title=\"([^\"]+)\"")


class BlockFailed(Exception):
    """A block did not do what its page says."""


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, what it is and what is expected of it."""

    page: Path
    line: int  # of the first line inside the fence, from 1
    language: str
    text: str
    title: str | None = None
    run: bool = True
    exit_code: int = 0


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of `page` in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    at, note = 0, ""
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        if not opening:
            note = lines[at] if lines[at].strip() else note
            at += 1
            continue
        start = at + 1
        closing = re.compile(rf"^[ \t]*{opening['ticks']}`*[ \t]*$")
        at = next((n for n in range(start, len(lines)) if closing.match(lines[n])), len(lines))
        info = opening["info"].strip()
        title, exits = _TITLE.search(info), _EXITS.search(note)
        yield Block(
            page=page,
            line=start + 1,
            language=re.split(r"[\s{]", info, maxsplit=1)[0].lower(),
            text=textwrap.dedent("\n".join(lines[start:at])) + "\n",
            title=title[1] if title else None,
            run=not _NOT_RUN.search(note),
            exit_code=int(exits[1]) if exits else 0,
        )
        at, note = at + 1, ""


def script_of(block: Block) -> str:
    """Return the shell script that `block` shows: its prompted lines, or all of it where none is prompted."""
    if not re.search(r"^\$ ", block.text, re.MULTILINE):
        return block.text
    commands: list[str] = []
    continued = False
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif continued:
            commands.append(line.removeprefix("> "))
        continued = (line.startswith("$ ") or continued) and line.endswith("\\")
    return "\n".join(commands) + "\n"


def run_shell(block: Block, folder: Path) -> None:
    """Run a shell block in `folder`, with the programs beside this interpreter first on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script_of(block)],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "110"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if done.returncode != block.exit_code:
        raise BlockFailed(f"exit code {done.returncode} instead of {block.exit_code}\n{done.stdout[-4000:]}")


def run_block(block: Block, folder: Path, namespace: dict[str, object]) -> bool:
    """Run one block; return whether there was anything to run."""
    if not block.run:
        return False
    if block.language == "python":
        code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, namespace)
    elif block.language in SHELLS:
        run_shell(block, folder)
    elif block.title:
        target = (folder / block.title).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise BlockFailed(f"title {block.title!r} leaves the page's folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text, encoding="utf-8")
    else:
        return False
    return True


def run_page(page: Path) -> int:
    """Run the blocks of one page in a folder of its own and return how many were run."""
    home = Path.cwd()
    blocks = list(blocks_of(page.resolve()))
    namespace: dict[str, object] = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory(prefix="skyhall-docs-") as name:
        os.chdir(name)
        try:
            ran = 0
            for block in blocks:
                try:
                    ran += run_block(block, Path(name), namespace)
                except (Exception, SystemExit) as error:
                    if not isinstance(error, (BlockFailed, subprocess.TimeoutExpired)):
                        traceback.print_exc()
                    raise BlockFailed(f"{page}:{block.line}: {block.language} block: {error}") from error
            return ran
        finally:
            os.chdir(home)


def missing(page: Path) -> list[str]:
    """Return the packages that a page needs and that are not installed."""
    return [name for name in _NEEDS.findall(page.read_text(encoding="utf-8")) if find_spec(name) is None]


def pages_in(places: Iterable[Path]) -> list[Path]:
    """Return the Markdown pages at or under `places`."""
    return [page for place in places for page in (sorted(place.rglob("*.md")) if place.is_dir() else [place])]


def main(arguments: list[str] | None = None) -> int:
    """Run the pages named on the command line; 1 when a block failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("places", nargs="+", type=Path, help="pages, or folders of pages")
    failures = 0
    for page in pages_in(parser.parse_args(arguments).places):
        started = time.perf_counter()
        if lacks := missing(page):
            print(f"left out {page}: needs {', '.join(lacks)}", flush=True)
            continue
        try:
            ran = run_page(page)
        except BlockFailed as failure:
            failures += 1
            print(f"FAILED  {failure}", flush=True)
        else:
            if ran:
                print(f"ok      {page}: {ran} blocks, {time.perf_counter() - started:.1f} s", flush=True)
    if failures:
        print(f"{failures} pages failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
