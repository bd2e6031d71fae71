"""Upsets in flight: eight years of Alsat-1's memories (686 km, 98.2°, from 2002 on).

Y. Bentoutou's review gives 4.04e-7 upsets per bit and day, most of them over the South Atlantic. Its memories were
4 Mbit SRAM of the 1990s, whose proton cross section is about 1e-13 cm² per bit (as we recall it); its shield is not
published.
"""

from __future__ import annotations

import pytest

from skyhall.scenario import load
from skyhall.studies import radiation_on_orbit

PER_BIT_DAY = 4.04e-7


@pytest.mark.parametrize("shield", ["3 mm", "10 mm"])
def test_alsat_1_upsets_as_often_as_seen_within_a_half(shield: str) -> None:
    shell = {"pattern": "walker_delta", "altitude": "686 km", "inclination": "98.2 deg", "satellites": 1}
    found = radiation_on_orbit(
        load(
            {
                "epoch": "2006-01-01T00:00:00Z",
                "orbit": {"shells": [shell]},
                "satellite": {"device": "sram-commercial", "shielding": shield},
                "catalogue": {"sram-commercial": {"corrected_proton": "4.2e-7 cm**2"}},
            }
        )
    )
    assert found.corrected_per_bit_day == pytest.approx(PER_BIT_DAY, rel=0.5)
    assert found.share_in_south_atlantic_anomaly > 0.7
