"""Make the shadow times that `skyhall validate` compares its own with: Skyfield's, for six orbits of our own.

    python tools/make_skyfield_reference.py

Writes src/skyhall/validation/skyfield_reference.json, with the versions of what made it. Needs the test tools
(skyfield, skyfield-data). The times are those at which `is_sunlit` changes, found by Skyfield's own root finder.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from skyfield.almanac import find_discrete  # type: ignore[import-untyped]
from skyfield.api import EarthSatellite, load, load_file  # type: ignore[import-untyped]

TARGET = Path(__file__).parents[1] / "src" / "skyhall" / "validation" / "skyfield_reference.json"
START = (2026, 1, 14)  # UTC
START_JULIAN_DATE = 2461054.5
DURATION_S = 86400.0
GRAZING_S = 300.0  # in shorter eclipses a metre of height moves the edges by seconds
EPOCH = "26013.00000000"  # a day before the start, so that SGP4 has something to do
STEP_DAYS = 0.002  # of the search for edges: three minutes

# name: inclination, right ascension of the node, eccentricity, argument of perigee, mean anomaly (deg), turns a day
ORBITS = {
    "550 km, 53 deg": (53.05, 130.0, 0.0004, 80.0, 40.0, 15.05),
    "600 km, sun-synchronous": (97.79, 352.0, 0.0011, 70.0, 290.0, 14.89),
    "500 km, 30 deg": (30.0, 45.0, 0.0008, 200.0, 10.0, 15.22),
    "1200 km, 70 deg": (70.0, 260.0, 0.0015, 15.0, 120.0, 13.16),
    "transfer to the geostationary ring": (27.0, 116.0, 0.7280, 0.0, 5.0, 2.27),
    "1000 by 8000 km, 10 deg": (10.0, 26.0, 0.3200, 270.0, 250.0, 6.15),
}


def element_set(number: int, orbit: tuple[float, ...]) -> list[str]:
    """Return the two lines of an element set without drag."""
    inclination, node, eccentricity, perigee, anomaly, turns = orbit
    first = f"1 {number:05d}U 26001A   {EPOCH}  .00000000  00000-0  00000-0 0    1"
    second = (
        f"2 {number:05d} {inclination:8.4f} {node:8.4f} {round(eccentricity * 1e7):07d} "
        f"{perigee:8.4f} {anomaly:8.4f} {turns:11.8f}    1"
    )
    return [line + checksum(line) for line in (first, second)]


def checksum(line: str) -> str:
    """Return the last character of an element set's line: the sum of its digits, a minus counting one."""
    return str(sum(int(each) if each.isdigit() else each == "-" for each in line) % 10)


def shadow_edges(lines: list[str], timescale: Any, kernel: Any) -> tuple[list[float], list[float]]:
    """Return Skyfield's seconds of entry and exit, after a look for grazing ones."""
    satellite = EarthSatellite(*lines, ts=timescale)

    def lit(moment: Any) -> Any:
        return satellite.at(moment).is_sunlit(kernel)

    lit.step_days = STEP_DAYS  # type: ignore[attr-defined]  # where find_discrete looks for it
    first = timescale.utc(*START)
    last = timescale.utc(*START, 0, 0, DURATION_S)
    moments, becomes_lit = find_discrete(first, last, lit, epsilon=1e-3 / 86400.0)
    seconds = (moments.tt - first.tt) * 86400.0
    entry, leave = seconds[~becomes_lit.astype(bool)].tolist(), seconds[becomes_lit.astype(bool)].tolist()
    for start in entry:
        lasts = min((each - start for each in leave if each > start), default=DURATION_S)
        if lasts < GRAZING_S:
            raise SystemExit(f"{lines[0]}: a grazing eclipse of {lasts:.0f} s: choose another orbit")
    return [round(each, 3) for each in entry], [round(each, 3) for each in leave]


def main() -> int:
    """Write the file."""
    timescale = load.timescale(builtin=True)
    kernel = load_file(str(files("skyfield_data") / "data" / "de421.bsp"))
    ends = timescale.utc(*START, 0, 0, [0.0, DURATION_S])
    sun = (kernel["sun"] - kernel["earth"]).at(ends).position.m
    satellites = []
    for index, (name, orbit) in enumerate(ORBITS.items()):
        lines = element_set(91001 + index, orbit)
        entry, leave = shadow_edges(lines, timescale, kernel)
        satellites.append({"name": name, "lines": lines, "entry_s": entry, "exit_s": leave})
        print(f"{name}: {len(entry)} entries, {len(leave)} exits")
    document = {
        "made_by": "tools/make_skyfield_reference.py",
        "versions": {name: version(name) for name in ("skyfield", "skyfield-data", "sgp4", "jplephem")},
        "ephemeris": "JPL DE421",
        "shadow": "Skyfield's is_sunlit: geometric Sun's centre behind a sphere of 6378.1366 km",
        "start_julian_date": START_JULIAN_DATE,
        "duration_s": DURATION_S,
        "sun_j2000_m": [[round(float(each)) for each in column] for column in sun.T],
        "satellites": satellites,
    }
    TARGET.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
