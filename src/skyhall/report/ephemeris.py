"""An ephemeris of the first satellites as CCSDS OEM (Orbit Data Messages, CCSDS 502.0-B-2, KVN)."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from skyhall.chain import Assessment
from skyhall.constants import DAY
from skyhall.report.moments import utc
from skyhall.report.tracks import tracks
from skyhall.types import Array

__all__ = ["ephemeris_oem"]

MOST = 10  # satellites, one segment each
_LONGEST = DAY
_STEP = 60.0  # s
_HALF = 0.5  # s either side of a moment, for its velocity: 0.4 mm/s off in a low orbit


def ephemeris_oem(assessment: Assessment, *, satellites: int = MOST) -> str:
    """Return positions (km) and velocities (km/s) in TEME of the first `satellites`, over a day at most."""
    fleet, epoch = assessment.fleet, assessment.scenario.epoch
    start = float(assessment.flight.timeline.seconds[0])
    count = int(min(_LONGEST, assessment.flight.delivered.duration_s) / _STEP) + 1
    seconds: Array = np.arange(count, dtype=np.float64) * _STEP + start
    chosen = np.arange(min(satellites, len(fleet)))
    found = tracks(fleet, chosen, seconds)
    ahead, behind = (tracks(fleet, chosen, seconds + shift).position for shift in (_HALF, -_HALF))
    velocity = (ahead - behind) / (2.0 * _HALF)
    lines = [
        "CCSDS_OEM_VERS = 2.0",
        f"CREATION_DATE = {utc(datetime.now(UTC)).removesuffix('Z')}",
        "ORIGINATOR = SKYHALL",
    ]
    moments = [utc(epoch, moment, digits=3).removesuffix("Z") for moment in seconds.tolist()]
    for row, name in enumerate(found.names):
        lines += [
            "",
            "META_START",
            f"OBJECT_NAME = {name.upper().replace('·', '-').replace('°', ' DEG')}",
            f"OBJECT_ID = {chosen[row] + 1}",
            "CENTER_NAME = EARTH",
            "REF_FRAME = TEME",
            "TIME_SYSTEM = UTC",
            f"START_TIME = {moments[0]}",
            f"STOP_TIME = {moments[-1]}",
            "META_STOP",
            "",
        ]
        states = np.concatenate([found.position[row], velocity[row]], axis=-1) / 1e3
        lines += [
            f"{moment} {x:.6f} {y:.6f} {z:.6f} {u:.9f} {v:.9f} {w:.9f}"
            for moment, (x, y, z, u, v, w) in zip(moments, states.tolist(), strict=True)
        ]
    return "\n".join(lines) + "\n"
