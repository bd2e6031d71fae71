from __future__ import annotations

import errno
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from skyhall.chain import Assessment
from skyhall.errors import FileProblem
from skyhall.report import write
from skyhall.report.run_folder import FILES, ON_REQUEST
from skyhall.scenario import load


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_has_exactly_the_named_files(one_satellite: Assessment, tmp_path: Path) -> None:
    assert set(contents(write(one_satellite, tmp_path / "run"))) == set(FILES)


def test_files_on_request_stand_beside_them(folder: Path) -> None:
    assert set(contents(folder)) == {*FILES, *ON_REQUEST.values()}


def test_the_resolved_scenario_loads_to_the_same_scenario(any_assessment: Assessment, folder: Path) -> None:
    assert load(folder / "scenario.resolved.yaml") == any_assessment.scenario


def test_the_summary_is_the_assessments_own(any_assessment: Assessment, folder: Path) -> None:
    assert json.loads((folder / "summary.json").read_text()) == any_assessment.summary()


def test_run_json_tells_versions_seed_host_timings_and_status(
    any_assessment: Assessment, folder: Path
) -> None:
    run = json.loads((folder / "run.json").read_text())
    assert run["status"] == "complete"
    assert run["seed"] == any_assessment.scenario.seed
    assert {"python", "numpy", "skyhall", "numba"} <= set(run["versions"])
    assert run["timings"]["assessment_s"] > 0
    assert run["host"]["processors"] >= 1


def test_the_timeline_comes_back_from_parquet_bit_for_bit(any_assessment: Assessment, folder: Path) -> None:
    table = pq.read_table(folder / "timeline.parquet")
    for name, values in any_assessment.flight.timeline.columns().items():
        np.testing.assert_array_equal(table[name].to_numpy(), values)


def test_every_column_of_a_table_knows_its_unit_and_meaning(folder: Path) -> None:
    for name in ("timeline", "costs", "plan", "links", "contacts"):
        for field in pq.read_schema(folder / f"{name}.parquet"):
            assert field.metadata[b"long_name"]
            assert b"unit" in field.metadata


def test_the_timeline_is_compressed_with_zstd_and_tells_its_epoch(
    any_assessment: Assessment, folder: Path
) -> None:
    file = pq.ParquetFile(folder / "timeline.parquet")
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert (
        datetime.fromisoformat(file.schema_arrow.metadata[b"epoch"].decode()) == any_assessment.scenario.epoch
    )


def test_the_cost_lines_come_back_from_parquet(any_assessment: Assessment, folder: Path) -> None:
    assert pq.read_table(folder / "costs.parquet").to_pylist() == any_assessment.costs.as_rows()


def test_the_plan_is_one_constant_load_a_design(any_assessment: Assessment, folder: Path) -> None:
    plan = pq.read_table(folder / "plan.parquet").to_pylist()
    assert [row["satellites"] for row in plan] == list(any_assessment.fleet.counts)
    assert [row["it_power_w"] for row in plan] == [design.it_power for design in any_assessment.fleet.designs]


def test_the_csv_has_the_timelines_rows(any_assessment: Assessment, folder: Path) -> None:
    lines = (folder / "timeline.csv").read_text().splitlines()
    columns = any_assessment.flight.timeline.columns()
    assert lines[0].split(",") == ["time_utc", *columns]
    assert len(lines) == 1 + len(columns["seconds"])
    assert float(lines[1].split(",")[3]) == pytest.approx(columns["lit"][0], rel=1e-8)


def test_files_of_an_earlier_run_are_replaced_and_others_left_alone(
    one_satellite: Assessment, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "report.html").write_text("old")
    write(one_satellite, tmp_path, csv=True)
    write(one_satellite, tmp_path)
    assert set(contents(tmp_path)) == {*FILES, "notes.txt"}
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


class Disk:
    """A disk on which the call `fails_at` of os.replace finds no space left."""

    def __init__(self, fails_at: int) -> None:
        self.calls, self.fails_at, self.real = 0, fails_at, os.replace

    def replace(self, *args: Any, **keywords: Any) -> None:
        self.calls += 1
        if self.calls == self.fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.real(*args, **keywords)


@pytest.mark.parametrize("fails_at", [1, 5, len(FILES), len(FILES) + 1, 2 * len(FILES), 2 * len(FILES) + 3])
def test_a_full_disk_leaves_the_earlier_run_whole(
    one_satellite: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    write(one_satellite, tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr(os, "replace", Disk(fails_at).replace)
    with pytest.raises(FileProblem, match="no space left"):
        write(one_satellite, tmp_path)
    monkeypatch.undo()
    assert contents(tmp_path) == before


def test_a_full_disk_leaves_no_folder_behind(
    one_satellite: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", Disk(4).replace)
    with pytest.raises(FileProblem):
        write(one_satellite, tmp_path / "runs" / "first")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_leaves_the_earlier_run_whole(
    one_satellite: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(one_satellite, tmp_path)
    before = contents(tmp_path)

    def interrupted(assessment: Assessment) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("skyhall.report.run_folder.render_html", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(one_satellite, tmp_path)
    assert contents(tmp_path) == before


def test_a_folder_that_is_a_file_is_one_clear_problem(one_satellite: Assessment, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(FileProblem, match="cannot write into this folder"):
        write(one_satellite, path)
    assert path.read_text() == ""
