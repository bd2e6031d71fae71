from __future__ import annotations

from pathlib import Path

import pytest

from skyhall.chain import Assessment, assess

SHORT = "flight.duration=2 days"


def element_set(number: int, inclination: float, raan: float, anomaly: float) -> str:
    """Return a made-up element set of a nearly circular orbit at some 550 km, checksums included."""
    lines = [
        f"1 {number}U 26001A   26079.00000000  .00000000  00000-0  20000-3 0    0",
        f"2 {number} {inclination:8.4f} {raan:8.4f} 0003000  37.0000 {anomaly:8.4f} 15.05491974    0",
    ]
    return "\n".join([f"OURS-{number}", *(f"{line}{checksum(line)}" for line in lines)]) + "\n"


def checksum(line: str) -> int:
    return sum(int(letter) if letter.isdigit() else letter == "-" for letter in line) % 10


@pytest.fixture(scope="session")
def dawn_dusk() -> Assessment:
    return assess("dawn-dusk-200mw", overrides=[SHORT])


@pytest.fixture(scope="session")
def one_satellite() -> Assessment:
    return assess("starcloud-1", overrides=[SHORT])


@pytest.fixture(scope="session")
def real_orbits(tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    path = tmp_path_factory.mktemp("elements") / "ours.tle"
    sets = [element_set(91000 + i, 53.05, 72.0 * i, 40.0 * i) for i in range(5)]
    broken = element_set(91009, 53.05, 0.0, 0.0).replace("53.0500", "53.0600")
    path.write_text("".join([*sets, broken]), encoding="utf-8")
    overrides = [SHORT, f"orbit.elements={path}", "orbit.propagation=sgp4"]
    return assess("starlink-shell-53", overrides=overrides)


@pytest.fixture(scope="session", params=["dawn_dusk", "one_satellite", "real_orbits"])
def any_assessment(request: pytest.FixtureRequest) -> Assessment:
    found: Assessment = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def folder(any_assessment: Assessment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from skyhall.report import write

    return write(any_assessment, tmp_path_factory.mktemp("run") / "out", csv=True, geojson=True, oem=True)
