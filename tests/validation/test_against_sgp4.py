"""Positions against the published SGP4 vectors, and secular rates against those inside SGP4.

Authority: Vallado, Crawford, Hujsak and Kelso 2006 (AIAA 2006-6753), the verification elements and states
shipped in the sgp4 package (SGP4-VER.TLE, tcppver.out). Tolerance: 1e-6 km in each component of every state.

Quirks of the files: the second lines carry a time span behind column 69; satellite 20413 comes twice; the
satellites 33333, 33334 and 33335 have wrong checksums, which our parser rightly refuses, so that the library
alone reads them; SGP4 refuses 33334, and the one state printed for it is the last one of 33333.
"""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest
from sgp4.api import WGS72, WGS84, Satrec

from skyhall.constants import DAY, EARTH_GM, MINUTE
from skyhall.errors import ValueProblem
from skyhall.orbit import parse_element_sets, secular_rates

TOLERANCE_KM = 1e-6
FILES = resources.files("sgp4")


def element_lines() -> list[tuple[str, str]]:
    lines = [
        line for line in FILES.joinpath("SGP4-VER.TLE").read_text().splitlines() if not line.startswith("#")
    ]
    return list(zip(lines[::2], lines[1::2], strict=True))


def printed_states() -> list[tuple[str, list[list[float]]]]:
    blocks: list[tuple[str, list[list[float]]]] = []
    for line in FILES.joinpath("tcppver.out").read_text().splitlines():
        if line.endswith("xx"):
            blocks.append((line.split()[0], []))
        else:
            blocks[-1][1].append([float(word) for word in line.split()[:7]])
    return blocks


CASES = list(zip(element_lines(), printed_states(), strict=True))
CHECKSUM_IS_WRONG = {"33333", "33334", "33335"}


def fly(lines: tuple[str, str], minutes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions in km and SGP4's verdict through our parser and `positions`, else by the library."""
    if lines[0][2:7] in CHECKSUM_IS_WRONG:
        states = [Satrec.twoline2rv(*lines).sgp4_tsince(each) for each in minutes]
        return np.array([state[1] for state in states]), np.array([state[0] != 0 for state in states])
    sets = parse_element_sets("\n".join(lines))
    record = sets.satrecs[0]
    ephemeris = sets.positions(record.jdsatepoch, record.jdsatepochF * DAY + minutes * MINUTE)
    return ephemeris.position[0] / 1e3, ephemeris.failed[0]


def test_the_file_holds_667_states_of_33_element_sets() -> None:
    assert (len(CASES), sum(len(states) for _, (_, states) in CASES)) == (33, 667)


@pytest.mark.parametrize(
    ("lines", "block"), CASES, ids=[f"{block[0]}-{i}" for i, (_, block) in enumerate(CASES)]
)
def test_every_printed_position(lines: tuple[str, str], block: tuple[str, list[list[float]]]) -> None:
    number, states = block
    assert int(number) == int(lines[0][2:7])
    printed = np.array(states)
    if number == "33334":
        _, failed = fly(lines, printed[:, 0])
        assert failed.all()
        last = next(states for _, (name, states) in CASES if name == "33333")[-1]
        assert printed[0, 1:].tolist() == last[1:]
        return
    position_km, failed = fly(lines, printed[:, 0])
    assert not failed.any()
    assert np.abs(position_km - printed[:, 1:4]).max() < TOLERANCE_KM


@pytest.mark.parametrize("lines", [lines for lines, _ in CASES if lines[0][2:7] in CHECKSUM_IS_WRONG])
def test_wrong_checksums_of_the_file_are_refused(lines: tuple[str, str]) -> None:
    with pytest.raises(ValueProblem, match="checksum"):
        parse_element_sets("\n".join(lines))


def test_wgs84_in_place_of_wgs72_would_be_seen() -> None:
    lines, (_, states) = CASES[0]
    wrong = Satrec.twoline2rv(*lines, WGS84).sgp4_tsince(states[0][0])[1]
    assert np.abs(np.array(wrong) - states[0][1:4]).max() > TOLERANCE_KM


@pytest.mark.parametrize("eccentricity", [0.001, 0.1])
@pytest.mark.parametrize("inclination_deg", [10, 30, 53, 63.4, 85, 98, 140])
def test_secular_rates_are_those_of_sgp4(inclination_deg: float, eccentricity: float) -> None:
    # Within a thousandth of a degree a day: SGP4's J2 and J4 are those of WGS 72, ours those of EGM96.
    record, motion = Satrec(), 2 * np.pi / (100 if eccentricity < 0.05 else 150)
    tilt = np.radians(inclination_deg)
    record.sgp4init(WGS72, "i", 1, 27772.0, 0.0, 0.0, 0.0, eccentricity, 1.0, tilt, 1.0, motion, 1.0)
    record.sgp4_tsince(0.0)
    ours = secular_rates(np.cbrt(EARTH_GM / (record.nm / MINUTE) ** 2), eccentricity, tilt)
    theirs = np.array([record.nodedot, record.argpdot, record.mdot]) / MINUTE
    assert np.degrees(np.array(ours) - theirs) * DAY == pytest.approx([0, 0, 0], abs=0.001)
