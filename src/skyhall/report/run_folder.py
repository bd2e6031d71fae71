"""One folder per run, whole or not at all: the files are made aside and then moved in together."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from skyhall.chain import Assessment
from skyhall.errors import FileProblem, Place
from skyhall.files import atomic_path, make_folder, write_text
from skyhall.report.czml import fleet_czml
from skyhall.report.ephemeris import ephemeris_oem
from skyhall.report.events import events_jsonl
from skyhall.report.ground_tracks import ground_tracks_geojson
from skyhall.report.html import render_html
from skyhall.report.moments import utc
from skyhall.scenario.loading import resolved_yaml

__all__ = ["FILES", "ON_REQUEST", "write"]

FILES = (
    "scenario.resolved.yaml",
    "summary.json",
    "timeline.parquet",
    "costs.parquet",
    "plan.parquet",
    "links.parquet",
    "contacts.parquet",
    "events.jsonl",
    "fleet.czml",
    "report.html",
    "run.json",
)
ON_REQUEST = {"csv": "timeline.csv", "geojson": "ground-tracks.geojson", "oem": "fleet.oem"}
_PACKAGES = ("skyhall", "numpy", "numba", "pyarrow", "pydantic", "scipy", "sgp4")


def write(
    assessment: Assessment, folder: str | Path, *, csv: bool = False, geojson: bool = False, oem: bool = False
) -> Path:
    """Write an assessment's files into `folder` and return it.

    Parameters
    ----------
    assessment : what to write.
    folder : made where it does not exist; an earlier run's files in it are replaced, other files are left alone.
    csv, geojson, oem : also the timeline as CSV, ground tracks as GeoJSON, an ephemeris as CCSDS OEM.

    Raises
    ------
    FileProblem : the folder cannot be written to, or the disk is full; an earlier run's files are left as they were.
    """
    began = time.perf_counter()
    target = Path(folder)
    wanted = [ON_REQUEST[name] for name, asked in (("csv", csv), ("geojson", geojson), ("oem", oem)) if asked]
    with _aside(target) as new:
        for name, make in _texts(assessment).items():
            if name in FILES or name in wanted:
                write_text(new / name, make())
        _write_tables(assessment, new)
        write_text(new / "run.json", _json(_run(assessment, began)))
        _move_in(new, target)
    return target


def _texts(assessment: Assessment) -> dict[str, Callable[[], str]]:
    from skyhall.report.tables import timeline_csv

    return {
        "scenario.resolved.yaml": lambda: resolved_yaml(assessment.scenario),
        "summary.json": lambda: _json(assessment.summary()),
        "events.jsonl": lambda: events_jsonl(assessment),
        "fleet.czml": lambda: fleet_czml(assessment),
        "report.html": lambda: render_html(assessment),
        "timeline.csv": lambda: timeline_csv(assessment),
        "ground-tracks.geojson": lambda: ground_tracks_geojson(assessment),
        "fleet.oem": lambda: ephemeris_oem(assessment),
    }


def _write_tables(assessment: Assessment, folder: Path) -> None:
    from skyhall.report.tables import (
        contacts_table,
        costs_table,
        links_table,
        plan_table,
        timeline_table,
        write_parquet,
    )

    for name, make in (
        ("timeline", timeline_table),
        ("costs", costs_table),
        ("plan", plan_table),
        ("links", links_table),
        ("contacts", contacts_table),
    ):
        with atomic_path(folder / f"{name}.parquet") as path:
            write_parquet(make(assessment), path)


def _run(assessment: Assessment, began: float) -> dict[str, Any]:
    provenance = dict(assessment.provenance)
    return {
        "status": "complete",
        "scenario": assessment.scenario.name,
        "seed": assessment.scenario.seed,
        "epoch": utc(assessment.scenario.epoch),
        "made_at": provenance["made_at"],
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "host": {
            "name": platform.node(),
            "system": platform.system(),
            "machine": platform.machine(),
            "processors": os.cpu_count(),
        },
        "timings": {
            "assessment_s": provenance["wall_s"],
            "flight_s": provenance["flight_wall_s"],
            "files_s": round(time.perf_counter() - began, 3),
        },
        "flight": {
            "satellites": assessment.flight.satellites,
            "steps": assessment.flight.steps,
            "step_s": assessment.flight.step_s,
            "representative_days": assessment.flight.days,
        },
    }


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Yield a new folder within `target`, and remove it afterwards; on failure also the folders made on the way.

    Within, not beside: `target` may be a file system of its own, or stand in a folder that is not ours.
    """
    made = [each for each in (target, *target.parents) if not each.exists()]
    done = False
    new: Path | None = None
    try:
        make_folder(target)
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=target))
        yield new
        done = True
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileProblem(
            f"cannot be written ({reason})", place=Place(str(target)), right="choose another with --out"
        ) from None
    finally:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
        if not done:
            _remove_empty(made)


def _remove_empty(folders: list[Path]) -> None:
    for each in folders:
        try:
            each.rmdir()
        except OSError:
            return


def _move_in(new: Path, target: Path) -> None:
    """Move the new files into `target`; an earlier run's stand aside until all are in, and return if one is not."""
    made = sorted(each.name for each in new.iterdir())
    old = new / "old"
    old.mkdir()
    undo: list[tuple[Path, Path]] = []
    try:
        for name in (*FILES, *ON_REQUEST.values()):
            if (target / name).exists():
                (target / name).replace(old / name)
                undo.append((old / name, target / name))
        for name in made:
            (new / name).replace(target / name)
            undo.append((target / name, new / name))
    except BaseException:
        for here, back in reversed(undo):
            here.replace(back)
        raise
