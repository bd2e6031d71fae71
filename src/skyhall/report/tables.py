"""The tables of a run as Parquet: timeline, costs, plan, links, contacts; each column knows its unit and meaning."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skyhall.chain import Assessment
from skyhall.report.moments import utc

__all__ = [
    "contacts_table",
    "costs_table",
    "links_table",
    "plan_table",
    "timeline_csv",
    "timeline_table",
    "write_parquet",
]

_TIMELINE = {
    "seconds": ("s", "start of the interval, after the epoch"),
    "weight": ("s", "stretch of the assessed time that the row stands for"),
    "lit": ("1", "lit fraction, mean over satellites and steps"),
    "array_w": ("W", "array power per satellite"),
    "work_w": ("W", "IT power per satellite"),
    "heat_shed_w": ("W", "planned work not done for heat, per satellite"),
    "power_shed_w": ("W", "planned work not done for want of power, per satellite"),
    "curtailed_w": ("W", "array power that nothing could use, per satellite"),
    "battery": ("1", "stored share of the capacity, mean"),
    "upsets_per_h": ("1/h", "upsets that kill or corrupt work, per accelerator, mean over the satellites"),
    "lit_lowest": ("1", "lowest lit fraction of the fleet at any step within"),
    "battery_p05": ("1", "stored share at the interval's end, 5th percentile of a sample of satellites"),
    "battery_p50": ("1", "stored share at the interval's end, median of the sample"),
    "battery_p95": ("1", "stored share at the interval's end, 95th percentile of the sample"),
    "junction_c_p50": ("degC", "junction temperature at the interval's end, median of the sample"),
    "junction_c_max": ("degC", "junction temperature at the interval's end, hottest of the sample"),
}
_COSTS = {
    "side": ("", "orbit or ground"),
    "name": ("", "cost line"),
    "family": ("", "family of costs that it is compared in"),
    "boundaries": ("", "boundaries that count it"),
    "capital_usd": ("USD", "paid once per life"),
    "annual_usd": ("USD/yr", "paid each year"),
    "life_years": ("yr", "over which the capital is recovered"),
    "levelized_usd_per_year": ("USD/yr", "capital recovered over the life, and the annual cost"),
    "usd_per_installed_gpu_h": ("USD/h", "over all hours of all installed accelerators"),
    "usd_per_delivered_gpu_h": ("USD/h", "over the hours delivered and verified"),
    "sources": ("", "parts of the catalogue that it rests on"),
}
_PLAN = {
    "design": ("", "shell or design"),
    "design_index": ("1", "its index in the fleet"),
    "satellites": ("1", "satellites of the design"),
    "start_s": ("s", "start of the load, after the epoch"),
    "duration_s": ("s", "its duration"),
    "it_power_w": ("W", "IT power per satellite in the light"),
    "night_it_power_w": ("W", "IT power per satellite in the dark"),
    "idle_it_power_w": ("W", "of it drawn when the work is paused or handed over"),
}


_LINKS = {
    "satellite": ("1", "index in the fleet of one end"),
    "other": ("1", "index of the other end"),
    "kind": ("", "within a plane, across planes, across shells, or to neighbours of a formation"),
    "stands": ("", "whether light passes, the terminals follow and the budget closes"),
    "length_m": ("m", "distance"),
    "rate_bps": ("bit/s", "each way, 0 where it does not stand"),
    "delay_s": ("s", "of light, one way"),
}
_KINDS = ("within a plane", "across planes", "across shells", "neighbours")
_CONTACTS = {
    "satellite": ("1", "index in the fleet"),
    "site": ("", "ground site"),
    "rise_s": ("s", "over the elevation mask, after the epoch"),
    "set_s": ("s", "under the elevation mask, after the epoch"),
    "highest_s": ("s", "at the largest elevation, after the epoch"),
    "max_elevation_deg": ("deg", "largest elevation"),
    "bits_clear": ("bit", "if the satellite is served alone under a clear sky"),
    "bits": ("bit", "the same in the mean over the weather"),
}


def timeline_table(assessment: Assessment) -> pa.Table:
    """Return the timeline as an Arrow table; epoch and interval are in the schema's metadata."""
    timeline = assessment.flight.timeline
    return _table(
        timeline.columns(),
        _TIMELINE,
        {
            "scenario": assessment.scenario.name,
            "epoch": utc(assessment.scenario.epoch),
            "interval_s": f"{timeline.interval_s:g}",
            "satellites": str(assessment.flight.satellites),
            "seed": str(assessment.scenario.seed),
        },
    )


def costs_table(assessment: Assessment) -> pa.Table:
    """Return the cost lines of both sides as an Arrow table."""
    rows = assessment.costs.as_rows()
    return _table(
        {name: [row[name] for row in rows] for name in _COSTS}, _COSTS, {"scenario": assessment.scenario.name}
    )


def plan_table(assessment: Assessment) -> pa.Table:
    """Return the plan as an Arrow table: a constant load, one row a design, until the planner makes one."""
    fleet, delivered = assessment.fleet, assessment.flight.delivered
    start = float(assessment.flight.timeline.seconds[0])
    rows = [
        (
            design.name,
            index,
            count,
            start,
            delivered.duration_s,
            design.it_power,
            design.it_idle + design.night_share * (design.it_power - design.it_idle),
            design.it_idle,
        )
        for index, (design, count) in enumerate(zip(fleet.designs, fleet.counts, strict=True))
    ]
    columns = dict(zip(_PLAN, zip(*rows, strict=True), strict=True))
    return _table(
        columns, _PLAN, {"scenario": assessment.scenario.name, "epoch": utc(assessment.scenario.epoch)}
    )


def links_table(assessment: Assessment) -> pa.Table:
    """Return the laser links at the flight's start as an Arrow table; empty where there are none."""
    mesh, epoch = assessment.network.mesh, assessment.scenario.epoch
    columns: dict[str, Any] = {}
    if mesh is not None:
        now = mesh.now
        columns = {
            "satellite": now.edges[:, 0],
            "other": now.edges[:, 1],
            "kind": np.array(_KINDS)[now.kind],
            "stands": now.stands,
            "length_m": now.length,
            "rate_bps": now.rate,
            "delay_s": now.delay,
        }
    moment = utc(epoch, mesh.now.seconds) if mesh else ""
    return _table(columns, _LINKS, {"scenario": assessment.scenario.name, "moment": moment})


def contacts_table(assessment: Assessment) -> pa.Table:
    """Return the first day's contacts of a sample of the satellites as an Arrow table; empty where there are none."""
    ground = assessment.network.ground
    return _table(
        ground.table.columns() if ground else {},
        _CONTACTS,
        {
            "scenario": assessment.scenario.name,
            "epoch": utc(assessment.scenario.epoch),
            "satellites": str(ground.satellites if ground else 0),
            "sampled": str(ground.sampled if ground else 0),
        },
    )


def _table(columns: Any, meanings: dict[str, tuple[str, str]], metadata: dict[str, str]) -> pa.Table:
    arrays = [pa.array(np.asarray(columns[name]) if name in columns else []) for name in meanings]
    fields = [
        pa.field(name, array.type, metadata={"unit": unit, "long_name": meaning})
        for (name, (unit, meaning)), array in zip(meanings.items(), arrays, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=metadata))


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write `table` to `path`, compressed with zstd."""
    pq.write_table(table, path, compression="zstd")


def timeline_csv(assessment: Assessment) -> str:
    """Return the timeline as CSV with the moment in UTC in front."""
    columns = assessment.flight.timeline.columns()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time_utc", *columns])
    for row in zip(*(values.tolist() for values in columns.values()), strict=True):
        writer.writerow([utc(assessment.scenario.epoch, row[0]), *(f"{value:.9g}" for value in row)])
    return text.getvalue()
