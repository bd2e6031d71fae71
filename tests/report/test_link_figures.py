from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.report.link_figures import link_over_range
from skyhall.studies import optical_link

SVG = "{http://www.w3.org/2000/svg}"
LINK = optical_link("optical-short-range")
RANGE = [row.range_km for row in LINK.over_range]
MARGIN = [row.margin_db for row in LINK.over_range]
RATE = [row.rate_bps for row in LINK.over_range]


def figure(chosen_km: float = LINK.range_km) -> str:
    return link_over_range(
        RANGE, MARGIN, RATE, required_margin_db=2.5, chosen_km=chosen_km, chosen_name="longest range"
    )


def lines(text: str) -> list[np.ndarray]:
    found = [line.get("points") or "" for line in ElementTree.fromstring(text).iter(f"{SVG}polyline")]
    return [np.array(line.replace(",", " ").split(), dtype=float).reshape(-1, 2) for line in found]


def test_the_figure_says_margin_and_rate_at_the_chosen_range() -> None:
    assert not re.search(r'="[^"]*\b(nan|inf)\b', figure(), flags=re.IGNORECASE)
    texts = [text.text for text in ElementTree.fromstring(figure()).iter(f"{SVG}text")]
    assert "300 km: 2.76 dB" in texts
    assert "9,600 Gbit/s" in texts
    assert "range (km)" in texts
    assert "kept in hand: 2.50 dB" in texts


def test_far_away_the_margin_falls_as_a_straight_line_over_the_logarithm_of_range() -> None:
    margin = lines(figure())[0]
    far = margin[margin[:, 0] > 0.5 * margin[-1, 0]]
    straight = np.polyval(np.polyfit(far[:, 0], far[:, 1], 1), far[:, 0])
    np.testing.assert_allclose(far[:, 1], straight, atol=0.2)  # px


def test_the_rate_falls_upright_at_the_end_of_its_reach() -> None:
    rate = lines(figure())[1]
    # All but level and upright pieces would be a rate that no terminal has.
    across, up = np.diff(rate[:, 0]), np.diff(rate[:, 1])
    assert np.all((np.abs(across) < 0.11) | (np.abs(up) < 0.11))
    assert np.count_nonzero(np.abs(up) > 0.11) == 4


def test_a_chosen_range_where_the_link_is_down_has_no_spot_on_the_rate() -> None:
    spots = [
        c for c in ElementTree.fromstring(figure(1500.0)).iter(f"{SVG}circle") if c.get("class") == "spot"
    ]
    assert len(spots) == 1


@pytest.mark.parametrize("wrong", [[0.0, 1.0], [2.0, 1.0], [1.0]])
def test_ranges_ascend_from_above_zero(wrong: list[float]) -> None:
    with pytest.raises(ValueProblem, match="do not ascend"):
        link_over_range(wrong, wrong, wrong, required_margin_db=3.0, chosen_km=1.0)


def test_lines_have_the_length_of_the_ranges() -> None:
    with pytest.raises(ValueProblem, match="rate_bps has the shape"):
        link_over_range(RANGE, MARGIN, RATE[1:], required_margin_db=3.0, chosen_km=1.0)
