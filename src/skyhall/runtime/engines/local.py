"""The engine of this machine: a process for each satellite, a folder each for its storage, pipes between.

Processes are spawned, never forked. A process that does not answer a ping within the lease is said to be gone and is
left alone: if it wakes, its epoch is over. A pause of the coordinator itself does not count.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from skyhall.runtime.engines.engine import LEASE_S, Said, WorkerSpec
from skyhall.runtime.storage import landed, sent

__all__ = ["LocalEngine"]

_STARTING_S = 120.0  # to import torch on a busy machine


@dataclass(slots=True)
class _Child:
    satellite: int
    epoch: int
    process: subprocess.Popen[bytes]
    owes: float | None  # since when it has not answered, s; None once it has
    pinged: float = 0.0
    up: bool = False
    silent: bool = False  # said to be gone
    lock: threading.Lock = field(default_factory=threading.Lock)


class LocalEngine:
    """Processes of this machine.

    Parameters
    ----------
    spec : gives what a satellite's process of some epoch is made with.
    lease : after which a silent process counts as gone, and one that hears nothing ends itself, s.
    carried : may change the bytes of a checkpoint on their way; for faults in messages.
    """

    def __init__(
        self,
        spec: Callable[[int, int], WorkerSpec],
        *,
        lease: float = LEASE_S,
        carried: Callable[[bytes], bytes] = lambda sealed: sealed,
    ) -> None:
        self._spec, self._lease, self._on_the_way = spec, lease, carried
        self._children: dict[tuple[int, int], _Child] = {}
        self._said: queue.Queue[Said] = queue.Queue()
        self._waking: list[tuple[float, _Child]] = []
        self._looked = time.monotonic()

    def start(self, satellite: int, epoch: int) -> None:
        """Start a satellite's process."""
        given = json.dumps({**asdict(self._spec(satellite, epoch)), "lease": 3.0 * self._lease})
        process = subprocess.Popen(
            [sys.executable, "-m", "skyhall.runtime.process", given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is the coordinator's to handle
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        child = _Child(satellite, epoch, process, time.monotonic())
        self._children[satellite, epoch] = child
        threading.Thread(target=self._listen, args=(child,), daemon=True).start()

    def tell(self, satellite: int, epoch: int, command: Mapping[str, Any]) -> None:
        """Give a command to a process."""
        child = self._children.get((satellite, epoch))
        if child is not None:
            self._write(child, command)

    def kill(self, satellite: int, epoch: int) -> None:
        """Kill a process (SIGKILL)."""
        child = self._children.get((satellite, epoch))
        if child is not None:
            with contextlib.suppress(OSError):
                child.process.kill()

    def stop(self, satellite: int, epoch: int, seconds: float) -> None:
        """Hang a process (SIGSTOP), and wake it later (SIGCONT)."""
        child = self._children.get((satellite, epoch))
        if child is not None:
            child.process.send_signal(signal.SIGSTOP)
            self._waking.append((time.monotonic() + seconds, child))

    def wipe(self, satellite: int) -> None:
        """Remove a satellite's folder."""
        shutil.rmtree(self._folder(satellite), ignore_errors=True)

    def carry(self, transfer: int, source: int, target: int, name: str) -> None:
        """Copy a file, and verify it where it arrives."""
        sealed, unsent = sent(self._folder(source), name)
        data = landed(self._folder(target), name, sealed, unsent, self._on_the_way)
        self._said.put(Said(target, None, "carried", {"transfer": transfer, **data}))

    def hear(self, seconds: float) -> list[Said]:
        """Return what was said; pings go out meanwhile."""
        self._look_after()
        heard: list[Said] = []
        with contextlib.suppress(queue.Empty):
            heard.append(self._said.get(timeout=seconds))
            while True:
                heard.append(self._said.get_nowait())
        return heard

    def fetch(self, satellite: int, name: str) -> bytes:
        """Return a file's bytes."""
        return (self._folder(satellite) / name).read_bytes()

    def close(self) -> None:
        """Kill every process: nothing that it holds is needed any more."""
        for child in self._children.values():
            with contextlib.suppress(OSError):
                child.process.kill()
        for child in self._children.values():
            child.process.wait()
            for stream in (child.process.stdin, child.process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def _folder(self, satellite: int) -> Path:
        return Path(self._spec(satellite, 0).folder)

    def _write(self, child: _Child, command: Mapping[str, Any]) -> None:
        pipe = child.process.stdin
        assert pipe is not None
        # A stopped process does not read; a pipe holds thousands of commands before that matters.
        with child.lock, contextlib.suppress(OSError, ValueError):
            pipe.write(json.dumps(command).encode() + b"\n")
            pipe.flush()

    def _listen(self, child: _Child) -> None:
        """Take what a process says until it ends."""
        assert child.process.stdout is not None
        with contextlib.suppress(ValueError):
            for line in child.process.stdout:
                child.owes = None
                try:
                    said = json.loads(line)
                    kind = str(said.pop("kind"))
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # cut off by a kill
                child.up = True
                if kind != "pong":
                    self._said.put(Said(child.satellite, child.epoch, kind, said))
        code = child.process.wait()
        if not child.silent:
            child.silent = True
            own = code >= 0  # no signal ended it
            ended = {"reason": f"exit code {code}", "own": own}
            self._said.put(Said(child.satellite, child.epoch, "gone", ended))

    def _look_after(self) -> None:
        """Ping, wake, and give up on those that do not answer."""
        now = time.monotonic()
        paused, self._looked = now - self._looked, now
        for at, child in [each for each in self._waking if each[0] <= now]:
            self._waking.remove((at, child))
            with contextlib.suppress(OSError):
                child.process.send_signal(signal.SIGCONT)
        for child in list(self._children.values()):
            if child.silent or child.process.poll() is not None:
                continue
            # Not the others' silence but an own pause: what came meanwhile may not have been read yet.
            owes = child.owes
            if owes is not None and paused > self._lease / 2.0:
                owes = child.owes = owes + paused
            if owes is not None and now - owes > (self._lease if child.up else _STARTING_S):
                child.silent = True
                self._said.put(Said(child.satellite, child.epoch, "gone", {"reason": "its lease ran out"}))
            elif now - child.pinged > self._lease / 4.0:
                child.pinged = now
                # Before it is sent: the answer may be here before this goes on.
                if child.owes is None:
                    child.owes = now
                self._write(child, {"kind": "ping"})
