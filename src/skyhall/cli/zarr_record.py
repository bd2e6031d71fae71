"""The record of ``skyhall simulate --record``: every satellite and step, as a Zarr group with CF attributes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skyhall.errors import FileProblem, Place, ValueProblem
from skyhall.files import make_folder

if TYPE_CHECKING:
    from skyhall.fleet import Fleet
    from skyhall.twin import Chunk

__all__ = ["check_target", "write_record"]

_SATELLITES_PER_CHUNK = 8192
_MEANING = {
    "lit": ("1", "lit fraction of the Sun's disc, mean over the step"),
    "array_w": ("W", "power of the solar array"),
    "work_w": ("W", "IT power"),
    "battery_j": ("J", "energy stored"),
    "junction_k": ("K", "temperature of the chips' junction"),
    "radiator_k": ("K", "temperature of the radiator"),
    "array_k": ("K", "temperature of the solar array"),
}


def check_target(path: Path) -> None:
    """Raise before any work when the record could not be written: no zarr, a wrong name, or something there."""
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise ValueProblem(
            "a record needs the package zarr, which is not installed",
            place=Place("--record"),
            right="install the extra: pip install 'skyhall[arrays]'",
        ) from None
    if path.suffix != ".zarr":
        raise ValueProblem(
            f"'{path}' does not end in .zarr", place=Place("--record"), right=f"write {path}.zarr"
        )
    if path.exists():
        raise FileProblem(
            "is there already", place=Place(str(path)), right="remove it, or choose another name"
        )
    make_folder(path.parent)


def write_record(fleet: Fleet, path: Path, progress: Callable[[float], None]) -> None:
    """Fly the stretch of the fleet's scenario once more and write every satellite and step to `path`.

    The group grows in a temporary folder beside `path` and gets its name at the end.
    """
    from skyhall.twin import record

    asked = fleet.scenario
    start = ((asked.flight.start or asked.epoch) - asked.epoch).total_seconds()
    steps = max(1, round(asked.flight_duration / asked.flight.step))
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        group: Any = None
        done = 0
        for chunk in record(fleet, start=start, duration=asked.flight_duration, step=asked.flight.step):
            group = group or _group(fleet, temporary, steps, chunk)
            done = _add(group, chunk, done)
            progress(done / steps)
        temporary.chmod(0o755)
        temporary.rename(path)
    except OSError as error:
        raise FileProblem(
            f"cannot be written ({(error.strerror or str(error)).lower()})", place=Place(str(path))
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _group(fleet: Fleet, folder: Path, steps: int, first: Chunk) -> Any:
    import zarr

    group = zarr.open_group(folder, mode="w")
    group.attrs.update(
        {
            "Conventions": "CF-1.11",
            "title": f"every satellite and step of {fleet.scenario.name}",
            "seed": fleet.scenario.seed,
        }
    )
    count, width = first.lit.shape
    time = group.create_array(
        "time", shape=(steps,), chunks=(steps,), dtype="float64", dimension_names=("time",)
    )
    epoch = fleet.scenario.epoch
    time.attrs.update({"units": f"seconds since {epoch:%Y-%m-%dT%H:%M:%SZ}", "long_name": "end of the step"})
    for name, (unit, meaning) in _MEANING.items():
        array = group.create_array(
            name,
            shape=(count, steps),
            chunks=(min(count, _SATELLITES_PER_CHUNK), width),
            dtype="float32",
            dimension_names=("satellite", "time"),
        )
        array.attrs.update({"units": unit, "long_name": meaning})
    return group


def _add(group: Any, chunk: Chunk, done: int) -> int:
    after = done + len(chunk.seconds)
    group["time"][done:after] = chunk.seconds
    for each in fields(chunk):
        if each.name in _MEANING:
            group[each.name][:, done:after] = getattr(chunk, each.name)
    return after
