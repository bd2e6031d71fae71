"""Right results from chips whose bits flip: fault injection, checked arithmetic, guards, voting, checkpoints (PyTorch).

Two levels, never mixed: `exact` (executions compared by digest, replay, exact sums of state) ends bit for bit like the
undisturbed run; `bounded` (one execution with checked products, sums of state and guards) keeps errors below a stated
threshold. Repair is always a re-run of the same kernel; what is not covered is counted. Usable on its own; needs torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Alarm": "report",
    "Campaign": "campaign",
    "capture": "checkpoints",
    "CheckpointError": "errors",
    "Checkpoints": "checkpoints",
    "Copies": "exact",
    "current_pins": "determinism",
    "daly": "interval",
    "digest_of": "digests",
    "detected_share": "campaign",
    "Fault": "faults",
    "FaultList": "faults",
    "FaultModel": "faults",
    "Inference": "subjects",
    "inject": "injection",
    "Injector": "injection",
    "IntegrityError": "errors",
    "load": "checkpoints",
    "pinned": "determinism",
    "Pins": "determinism",
    "protect": "entry",
    "Protection": "protection",
    "Replay": "replay",
    "Report": "report",
    "restore": "checkpoints",
    "Row": "campaign",
    "run_campaign": "campaign",
    "save": "checkpoints",
    "schedule": "interval",
    "Schedule": "interval",
    "ServeGuard": "serving",
    "Site": "faults",
    "Snapshot": "exact",
    "StepGuard": "step",
    "Stratum": "campaign",
    "Training": "subjects",
    "Unrepaired": "step",
    "Verdict": "report",
    "young": "interval",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
