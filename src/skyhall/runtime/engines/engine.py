"""What an engine does: it starts, tells, kills and carries; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["LEASE_S", "Engine", "Said", "WorkerSpec"]

LEASE_S = 10.0  # real: after which a silent process counts as gone, ours


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a satellite's process is made with; all of it JSON.

    Attributes
    ----------
    kind, parameters : of the job, as `jobs.make_job` takes them.
    protect : "exact", "bounded" or "none".
    folder : the satellite's storage.
    satellite, epoch : who it is; every answer carries them.
    seed : of the upsets, together with satellite and epoch.
    threads : that bits depend on.
    """

    kind: str
    parameters: Mapping[str, str]
    protect: str
    folder: str
    satellite: int
    epoch: int
    seed: int
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Said:
    """What a satellite's process of some epoch said; an engine says "gone" for one that ended or fell silent.

    With "gone" come a reason, and "own" where the process ended by itself.

    What was carried to a satellite is said with epoch None.
    """

    satellite: int
    epoch: int | None
    kind: str
    data: Mapping[str, Any]


class Engine(Protocol):
    """Runs one process for each satellite.

    Every call returns at once; what comes of it is said later. No call raises for a process that is gone.
    """

    def start(self, satellite: int, epoch: int) -> None:
        """Start a satellite's process; an older one of it may still be there, and is not touched."""

    def tell(self, satellite: int, epoch: int, command: Mapping[str, Any]) -> None:
        """Give a command to a process."""

    def kill(self, satellite: int, epoch: int) -> None:
        """Kill a process with no warning."""

    def stop(self, satellite: int, epoch: int, seconds: float) -> None:
        """Hang a process for so long, after which it goes on as if nothing had been."""

    def wipe(self, satellite: int) -> None:
        """Take a satellite's storage away."""

    def carry(self, transfer: int, source: int, target: int, name: str) -> None:
        """Copy a sealed file from one satellite's storage to another's; verified there before it counts."""

    def hear(self, seconds: float) -> list[Said]:
        """Return what was said, after waiting at most so long for the first."""

    def fetch(self, satellite: int, name: str) -> bytes:
        """Return a file from a satellite's storage; `OSError` when it is not there."""

    def close(self) -> None:
        """End every process; a second call does nothing."""
