"""A fleet by hand: real processes of this machine under a made-up sky, at a clock that goes with what happens.

``python -m tests.ml.runtime.by_hand FOLDER`` is a coordinator in a process of its own, to be killed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.runtime.pretended import sky

from skyhall.runtime.engines.engine import WorkerSpec
from skyhall.runtime.engines.local import LocalEngine
from skyhall.runtime.mission import Mission, Watch
from skyhall.runtime.state import RunPlan, RunState

PARAMETERS = {"size": "tiny", "steps": "40"}
# Each is dark for a quarter of the time, one after another, for some twenty looks at the clock.
TAKING_TURNS = ["############....", "....############", "####....########", "########....####"]


class Looks:
    """A clock that goes on by a tenth of a second at each look, so that dusk comes on machines of any speed."""

    def __init__(self) -> None:
        self._seen = 0

    def __call__(self) -> float:
        self._seen += 1
        return 0.1 * self._seen


def plan(**changes: Any) -> RunPlan:
    """Return a run's plan: dusk every 40 s, and a look at the clock each 2 s, simulated."""
    given: dict[str, Any] = {
        "sky": sky(TAKING_TURNS, slot=10.0), "units": 40, "protect": "exact", "copies": 3, "speedup": 20.0,
        "checkpoint_s": 30.0, "margin_s": 5.0, "reboot_s": 20.0,
    }  # fmt: skip
    return RunPlan(**(given | changes))


def engine_of(
    asked: RunPlan, folder: Path, kind: type[LocalEngine] = LocalEngine, **more: Any
) -> LocalEngine:
    """Return the satellites' engine; their storage is in the run's folder."""

    def spec(satellite: int, epoch: int) -> WorkerSpec:
        parameters = {**PARAMETERS, "steps": str(asked.units)}
        storage = str(folder / asked.sky.names[satellite])
        return WorkerSpec("gpt-train", parameters, asked.protect, storage, satellite, epoch, seed=7)

    return kind(spec, **more)


def flown(
    asked: RunPlan,
    folder: Path,
    engine: LocalEngine | None = None,
    watch: Watch = lambda plan, state: None,
    clock: Callable[[], float] | None = None,
) -> RunState:
    """Return the end of a run, begun or resumed."""
    folder.mkdir(exist_ok=True)
    return Mission(asked, engine or engine_of(asked, folder), folder, watch, clock or Looks()).run()


TO_BE_KILLED = plan(
    sky=sky(["########....", "....########", "####....####"], slot=10.0), copies=2, faults=10.0
)

if __name__ == "__main__":
    flown(TO_BE_KILLED, Path(sys.argv[1]))
