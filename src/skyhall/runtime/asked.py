"""What a run was asked for, and the folder in which that is written down: what it holds, and what may be removed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from skyhall.constants import DAY
from skyhall.errors import FileProblem, Place, ValueProblem
from skyhall.files import make_folder, read_text
from skyhall.scenario import Scenario, load
from skyhall.work.job_file import JobFile

__all__ = ["RunOptions", "asked_in", "clear", "inputs_of", "refuse_another", "room_in"]

# What a run writes besides its satellites' folders.
_OWN = ("evidence.json", "journal.jsonl", "events.jsonl", "digests.json", "result.checkpoint")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a job is run.

    Attributes
    ----------
    engine : "local", or "ray" with the address of a cluster (empty: one is started).
    speedup : simulated seconds in a second, at most 600.
    start : s after the scenario's epoch; None for the season with the longest eclipses.
    duration : simulated time until the run gives up, s.
    faults : expected upsets in the whole run; or
    acceleration : by which the twin's rates are multiplied.
    kills : texts for `strikes_of`.
    seed : of upsets and kills.
    round_units : steps between two comparisons; None lets the upset rate and the light decide.
    reference : whether the undisturbed run is made.
    """

    engine: Literal["local", "ray"] = "local"
    address: str = ""
    speedup: float = 120.0
    start: float | None = None
    duration: float = DAY
    faults: float | None = None
    acceleration: float | None = None
    kills: tuple[str, ...] = ()
    seed: int = 0
    round_units: int | None = None
    reference: bool = True


def asked_in(folder: Path) -> tuple[JobFile, Scenario, RunOptions]:
    """Return what the run in a folder was asked for; `FileProblem` or `ValueProblem` when it holds none."""
    path = folder / "run.json"
    if not path.exists():
        raise ValueProblem("holds no run", place=Place(str(folder)), right="leave out --resume to run anew")
    document = _recorded(folder)
    try:
        options = TypeAdapter(RunOptions).validate_python(asdict(RunOptions(**document["options"])))
        job = JobFile.model_validate(document["job"])
    except (ValueError, KeyError, TypeError):
        raise _foreign(path) from None
    return job, load(folder / "scenario.resolved.yaml"), options


def room_in(folder: Path, *, resumed: bool) -> list[Path]:
    """Make the folder, or return what an ended run made in it and `clear` removes; nothing is removed here.

    Raises
    ------
    ValueProblem
        When a run in it was not ended, or it holds anything but a run; to resume, when it holds none or one that has
        ended.
    FileProblem
        When it cannot be written to, or its run.json is torn or foreign.
    """
    journal, evidence, record = (folder / name for name in ("journal.jsonl", "evidence.json", "run.json"))
    if resumed:
        if evidence.exists() or not journal.exists():
            what = "the run in it has ended" if evidence.exists() else "holds no run"
            raise ValueProblem(what, place=Place(str(folder)), right="leave out --resume to run anew")
        return []
    if journal.exists() and not evidence.exists():
        raise ValueProblem(
            "holds a run that was not ended",
            place=Place(str(folder)),
            right=f"continue it with --resume {folder}, or choose another folder with --out",
        )
    make_folder(folder)
    if not any(folder.iterdir()):
        return []
    if not (evidence.exists() or record.exists()):
        raise ValueProblem(
            "is not empty, and holds no run",
            place=Place(str(folder)),
            right="choose another folder with --out: nothing in this one is touched",
        )
    satellites = _recorded(folder)["satellites"]
    # Without evidence the run ended before its satellites began, and no folder of such a name is theirs.
    theirs = [folder / name for name in satellites] if evidence.exists() else []
    return [each for each in (*(folder / name for name in _OWN), *theirs) if _is_there(each)]


def clear(folder: Path, earlier: Sequence[Path], names: Sequence[str]) -> None:
    """Remove what an earlier run made.

    Raises
    ------
    ValueProblem
        When something else has the name of a satellite of the new run; then nothing is removed.
    """
    for name in names:
        if _is_there(folder / name) and folder / name not in earlier:
            raise ValueProblem(
                "is in the way of a satellite's storage, and no run made it",
                place=Place(str(folder / name)),
                right="move it, or choose another folder with --out",
            )
    for old in earlier:
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()


def inputs_of(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of each file that a parameter names, by the parameter's name."""
    found = {}
    for name, text in sorted(parameters.items()):
        try:
            with Path(text).open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError):
            continue  # it names no file; a file that its job cannot read is the job's to refuse
    return found


def refuse_another(folder: Path, document: Mapping[str, Any], scenario: str) -> None:
    """Raise `ValueProblem` with what differs from what the run in a folder was begun with.

    Parameters
    ----------
    document : of run.json, as the run would be begun now.
    scenario : resolved, as YAML.
    """
    now = dict(_leaves(json.loads(json.dumps(document))))
    then = dict(_leaves(_recorded(folder)))
    differing = [
        f"{name} {_told(then.get(name))}, now {_told(now.get(name))}"
        for name in sorted({*now, *then} - {"made_at"})
        if now.get(name) != then.get(name)
    ]
    if read_text(folder / "scenario.resolved.yaml") != scenario:
        differing.append("another scenario")
    if differing:
        raise ValueProblem(
            f"was begun with {'; '.join(differing)}",
            place=Place(str(folder)),
            right="resume it with what it was begun with, or begin a new run",
        )


def _recorded(folder: Path) -> dict[str, Any]:
    """Return the document of run.json, in which satellites are plain names."""
    path = folder / "run.json"
    try:
        document = json.loads(read_text(path))
        names = document["satellites"]
    except (ValueError, KeyError, TypeError):
        raise _foreign(path) from None
    # A name such as .. or a/b would lead out of the folder.
    if not isinstance(names, list) or not all(
        isinstance(name, str) and name == Path(name).name and name not in ("", "..") for name in names
    ):
        raise _foreign(path)
    return dict(document)


def _foreign(path: Path) -> FileProblem:
    return FileProblem(
        "is not what a run was asked for",
        place=Place(str(path)),
        right="it is torn, or another program's: choose another folder with --out",
    )


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
