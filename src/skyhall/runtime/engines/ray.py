"""The engine of a cluster: an actor for each satellite, on the node that has the satellite's name as a resource.

Ray places, carries bytes and says what has died; it restarts nothing and its word is not needed. An actor that does not
answer within the lease is said to be gone, one that is not asked for three leases ends itself, and whatever comes from
an older epoch is the coordinator's to refuse. Storage is a folder on the satellite's node, kept when its actor dies.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from skyhall.errors import Place, ValueProblem
from skyhall.runtime.engines.engine import LEASE_S, Said, WorkerSpec
from skyhall.runtime.storage import landed, sent

# Both are read when Ray is imported or started. What it has to say it prints to standard output, even without
# `log_to_driver`; a JSON document may be there.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

__all__ = ["RayEngine"]

_SHARE = (
    1e-4  # of a satellite's resource, the least that Ray counts: an actor and the next epoch's fit beside it
)
_STARTING_S = 120.0  # to place an actor, and to import torch on a busy machine
_READING_S = 60.0  # for a checkpoint from another node
_FENCED = 75  # exit code of a process that ended itself, EX_TEMPFAIL of sysexits.h


class _Satellite:
    """A worker in a thread, and what it says until it is asked for it."""

    def __init__(self, spec: WorkerSpec, lease: float, wiped: None) -> None:
        # Before torch is imported, which has not been in a new actor.
        os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        self._asked = time.monotonic()
        threading.Thread(target=self._work, args=(spec,), daemon=True).start()
        threading.Thread(target=self._watch, args=(3.0 * lease,), daemon=True).start()

    def tell(self, command: dict[str, Any]) -> None:
        self._inbox.put(command)

    @ray.method(concurrency_group="listening")
    def hear(self, seconds: float, *, renews: bool) -> list[dict[str, Any]]:
        """Return what was said, after waiting at most so long for the first; renew the lease."""
        if renews:
            self._asked = time.monotonic()
        heard = []
        with contextlib.suppress(queue.Empty):
            heard.append(self._said.get(timeout=seconds))
            while True:
                heard.append(self._said.get_nowait())
        return heard

    def hang(self, seconds: float) -> None:
        """Stop this process, and wake it later."""
        script = 'kill -STOP "$0"; sleep "$1"; kill -CONT "$0"'
        subprocess.Popen(["sh", "-c", script, str(os.getpid()), f"{seconds:.3f}"], start_new_session=True)

    def _work(self, spec: WorkerSpec) -> None:
        try:
            from skyhall.runtime.worker import Worker  # imports torch, while questions are answered

            Worker(spec, self._said.put, self._inbox).run()
            reason = "it was told to exit"
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"[:300]
        self._said.put({"kind": "over", "reason": reason})

    def _watch(self, patience: float) -> None:
        """End this process when nobody has asked for long: its seat may have been given away."""
        while time.monotonic() - self._asked < patience:
            time.sleep(patience / 12.0)
        os._exit(_FENCED)


# Never restarted by Ray: a new life is a new epoch. Commands are taken one after another, in the order they were given.
_ACTOR: Any = ray.remote(num_cpus=0, max_restarts=0, max_task_retries=0, concurrency_groups={"listening": 1})(
    _Satellite
)


# What is done to a satellite's storage, whether its actor lives or not.


@ray.remote(num_cpus=0, max_retries=0)
def _sent(folder: str, name: str) -> tuple[bytes, str]:
    return sent(Path(folder), name)


@ray.remote(num_cpus=0, max_retries=0)
def _landed(
    folder: str, name: str, sealed: tuple[bytes, str], on_the_way: Callable[[bytes], bytes]
) -> dict[str, Any]:
    return landed(Path(folder), name, *sealed, on_the_way)


@ray.remote(num_cpus=0, max_retries=0)
def _read(folder: str, name: str) -> bytes:
    return (Path(folder) / name).read_bytes()


@ray.remote(num_cpus=0, max_retries=0)
def _wipe(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@ray.remote(num_cpus=0, max_retries=0)
def _versions() -> dict[str, str]:
    return _own_versions()


@dataclass(slots=True)
class _Actor:
    satellite: int
    epoch: int
    handle: Any
    heard: float
    up: bool = False
    silent: bool = False  # said to be gone
    over: bool = False  # nothing more comes from it


class RayEngine:
    """Actors of a Ray cluster.

    Parameters
    ----------
    spec : gives what a satellite's actor of some epoch is made with; its folder is on the satellite's node.
    names : of the satellites; the resource of that name says which node is a satellite's.
    address : of a running cluster, "host:port" or "auto"; empty: one is started on this machine, and ended by `close`.
    lease : after which a silent actor counts as gone; one that is not asked for three of them ends itself, s.
    carried : may change the bytes of a checkpoint on their way; for faults in messages.

    Raises
    ------
    ValueProblem
        When there is no cluster at the address, no node for a satellite, or a node has other versions than this
        machine, whose bits would differ.
    """

    def __init__(
        self,
        spec: Callable[[int, int], WorkerSpec],
        names: Sequence[str],
        *,
        address: str = "",
        lease: float = LEASE_S,
        carried: Callable[[bytes], bytes] = lambda sealed: sealed,
    ) -> None:
        self._spec, self._names = spec, tuple(names)
        self._lease, self._on_the_way = lease, carried
        self._actors: dict[tuple[int, int], _Actor] = {}
        self._awaited: dict[Any, Callable[[Any], None]] = {}
        self._wiped: dict[int, Any] = {}
        self._said: list[Said] = []
        self._temporary: str | None = None
        self._connected = False
        try:
            self._connect(address)
            if address:
                self._refuse_missing_nodes()
                self._refuse_other_versions()
        except BaseException:
            self.close()
            raise

    def start(self, satellite: int, epoch: int) -> None:
        """Create a satellite's actor; it waits for its node as long as a process may take to start."""
        spec, wiped = self._spec_of(satellite, epoch), self._wiped.pop(satellite, None)
        handle = _ACTOR.options(resources=self._place(satellite)).remote(spec, self._lease, wiped)
        actor = _Actor(satellite, epoch, handle, time.monotonic())
        self._actors[satellite, epoch] = actor
        self._ask(actor)

    def tell(self, satellite: int, epoch: int, command: Mapping[str, Any]) -> None:
        """Give a command to an actor."""
        actor = self._actors.get((satellite, epoch))
        if actor is not None and not actor.over:
            self._awaited[actor.handle.tell.remote(dict(command))] = partial(self._told, actor)

    def kill(self, satellite: int, epoch: int) -> None:
        """Kill an actor, for ever."""
        actor = self._actors.get((satellite, epoch))
        if actor is not None:
            _kill(actor)

    def stop(self, satellite: int, epoch: int, seconds: float) -> None:
        """Hang an actor's process (SIGSTOP), which a child of it wakes later (SIGCONT)."""
        actor = self._actors.get((satellite, epoch))
        if actor is not None and not actor.over:
            self._awaited[actor.handle.hang.remote(seconds)] = partial(self._told, actor)

    def wipe(self, satellite: int) -> None:
        """Remove a satellite's folder from its node; an actor that is started later comes after that."""
        self._wiped[satellite] = _wipe.options(resources=self._place(satellite)).remote(
            self._folder(satellite)
        )

    def carry(self, transfer: int, source: int, target: int, name: str) -> None:
        """Copy a file through the object store, and verify it where it arrives."""
        sealed = _sent.options(resources=self._place(source)).remote(self._folder(source), name)
        arrives = _landed.options(resources=self._place(target)).remote(
            self._folder(target), name, sealed, self._on_the_way
        )
        self._awaited[arrives] = partial(self._carried, transfer, target)

    def hear(self, seconds: float) -> list[Said]:
        """Return what was said; actors are asked meanwhile."""
        until = time.monotonic() + seconds
        while True:
            self._take_in(max(0.0, until - time.monotonic()))
            self._give_up_on_the_silent()
            if self._said or time.monotonic() >= until:
                heard, self._said = self._said, []
                return heard

    def fetch(self, satellite: int, name: str) -> bytes:
        """Return a file's bytes."""
        reading = _read.options(resources=self._place(satellite)).remote(self._folder(satellite), name)
        try:
            sealed: bytes = ray.get(reading, timeout=_READING_S)
        except RayError as error:
            raise OSError(_reason(error)) from None
        return sealed

    def close(self) -> None:
        """Kill every actor, leave the cluster, and end it where it was started here."""
        for actor in self._actors.values():
            _kill(actor)
        self._actors.clear()
        self._awaited.clear()
        if self._connected:
            self._connected = False
            ray.shutdown()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _connect(self, address: str) -> None:
        if address:
            options: dict[str, Any] = {"address": address}
        else:
            # Not below TMPDIR or the run: the path of a socket has at most 107 bytes.
            self._temporary = tempfile.mkdtemp(prefix="skyhall-", dir=os.environ.get("RAY_TMPDIR", "/tmp"))
            options = {
                "address": "local",
                "num_cpus": 1,  # actors take none; it is how many idle processes Ray keeps
                "resources": dict.fromkeys(self._names, 1),
                "include_dashboard": False,
                "_temp_dir": self._temporary,
            }
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ValueProblem(
                f"no Ray cluster can be used: {str(error).strip().splitlines()[0]}",
                place=Place("--address", address or None),
                right="start one with 'ray start --head', with the same Ray, Python and RAY_AUTH_MODE; "
                "or leave out --address, and one is started on this machine",
            ) from None
        self._connected = True

    def _refuse_missing_nodes(self) -> None:
        known = ray.cluster_resources()
        missing = [name for name in self._names if name not in known]
        if missing:
            resources = ", ".join(f'"{name}": 1' for name in missing)
            raise ValueProblem(
                f"no node of the cluster is {', '.join(missing)}",
                place=Place("--address"),
                right="a node says which satellites it is: "
                f"ray start --address=HEAD:6379 --resources='{{{resources}}}'",
            )

    def _refuse_other_versions(self) -> None:
        here = _own_versions()
        asked = [_versions.options(resources=self._place(each)).remote() for each in range(len(self._names))]
        for name, one in zip(self._names, asked, strict=True):
            try:
                there = ray.get(one, timeout=_STARTING_S)
            except RayError as error:
                raise ValueProblem(
                    f"the node of {name} cannot run Skyhall: {_reason(error)}",
                    place=Place("--address"),
                    right="install the same Skyhall on every node: pip install 'skyhall[ml,ray]'",
                ) from None
            other = [f"{what} {there[what]}" for what in here if there[what] != here[what]]
            if other:
                mine = ", ".join(f"{what} {here[what]}" for what in here)
                raise ValueProblem(
                    f"the node of {name} has {', '.join(other)}",
                    place=Place("--address"),
                    right=f"bits depend on them; here is {mine}",
                )

    def _place(self, satellite: int) -> dict[str, float]:
        return {self._names[satellite]: _SHARE}

    def _spec_of(self, satellite: int, epoch: int) -> WorkerSpec:
        spec = self._spec(satellite, epoch)
        return replace(
            spec, folder=str(Path(spec.folder).absolute())
        )  # a node's working directory is another

    def _folder(self, satellite: int) -> str:
        return self._spec_of(satellite, 0).folder

    def _ask(self, actor: _Actor) -> None:
        question = actor.handle.hear.remote(self._lease / 4.0, renews=not actor.silent)
        self._awaited[question] = partial(self._answered, actor)

    def _take_in(self, seconds: float) -> None:
        """Wait for the first of what is awaited, and take in all that is there."""
        if not self._awaited:
            time.sleep(seconds)
            return
        first, rest = ray.wait(list(self._awaited), timeout=seconds)
        more = ray.wait(rest, num_returns=len(rest), timeout=0)[0] if first and rest else []
        for each in [*first, *more]:
            take = self._awaited.pop(each)
            try:
                take(ray.get(each))
            except RayError as error:
                take(error)

    def _answered(self, actor: _Actor, answer: list[dict[str, Any]] | RayError) -> None:
        if isinstance(answer, RayError):
            self._lost(actor, _reason(answer))
            return
        actor.heard, actor.up = time.monotonic(), True
        for said in answer:
            kind = str(said.pop("kind"))
            if kind == "over":
                self._lost(actor, said["reason"], own=True)
                return
            self._said.append(Said(actor.satellite, actor.epoch, kind, said))
        self._ask(actor)

    def _told(self, actor: _Actor, outcome: RayError | None) -> None:
        if outcome is not None:
            self._lost(actor, _reason(outcome))

    def _lost(self, actor: _Actor, reason: str, *, own: bool = False) -> None:
        """Give an actor up; one that still lives has missed a command, or an answer of it is lost."""
        if not actor.over:
            actor.over = True
            _kill(actor)
            self._gone(actor, reason, own=own)

    def _gone(self, actor: _Actor, reason: str, *, own: bool = False) -> None:
        if not actor.silent:
            actor.silent = True
            self._said.append(Said(actor.satellite, actor.epoch, "gone", {"reason": reason, "own": own}))

    def _carried(self, transfer: int, target: int, outcome: dict[str, Any] | RayError) -> None:
        if isinstance(outcome, RayError):
            outcome = {"ok": False, "reason": _reason(outcome)}
        self._said.append(Said(target, None, "carried", {"transfer": transfer, **outcome}))

    def _give_up_on_the_silent(self) -> None:
        now = time.monotonic()
        for actor in self._actors.values():
            if actor.silent or now - actor.heard <= (self._lease if actor.up else _STARTING_S):
                continue
            if not actor.up:  # its node is not there, and must not start it later
                _kill(actor)
            self._gone(actor, "its lease ran out" if actor.up else "it was not placed in time")


def _kill(actor: _Actor) -> None:
    with contextlib.suppress(RayError):
        ray.kill(actor.handle, no_restart=True)


def _own_versions() -> dict[str, str]:
    """Return what bits depend on, as far as it can be known without loading it."""
    found = {"Python": platform.python_version(), "machine": platform.machine()}
    for package in ("skyhall", "torch", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


def _reason(error: RayError) -> str:
    """Return the one sentence of what Ray says that tells what happened."""
    if isinstance(error, RayTaskError):
        return f"{type(error.cause).__name__}: {error.cause}".splitlines()[0][:300]
    if isinstance(error, GetTimeoutError):
        return "it did not answer in time"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("The actor")]
    return (told or lines or [type(error).__name__])[-1][:300]
