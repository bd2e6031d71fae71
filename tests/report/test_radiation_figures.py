from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.report.axes import Axis
from skyhall.report.marked_panel import MarkedPanel
from skyhall.report.outcome_rows import outcome_rows, time_between
from skyhall.report.plot import LEFT, RIGHT, panels, text_width
from skyhall.report.powers_of_ten import bare, decades, rounded
from skyhall.report.radiation_figures import dose_against_shielding, upsets_over_day

SVG = "{http://www.w3.org/2000/svg}"
WIDE = 940.0 - LEFT - RIGHT
THICKNESS = np.linspace(1.0, 10.0, 10)
PARTS = {"protons": 0.3 * np.exp(-THICKNESS / 15.0), "electrons": 40.0 * np.exp(-THICKNESS / 1.1)}
HOURS = np.arange(0.0, 24.0, 0.1)


def drawn(figure: str) -> ElementTree.Element:
    assert not re.search(r'="[^"]*\b(nan|inf)\b', figure, flags=re.IGNORECASE)
    return ElementTree.fromstring(figure)


def texts(figure: str) -> list[str]:
    return [text.text or "" for text in drawn(figure).iter(f"{SVG}text")]


def spots(figure: str) -> list[tuple[float, float]]:
    found = [dot for dot in drawn(figure).iter(f"{SVG}circle") if dot.get("class") == "spot"]
    return [(float(dot.get("cx") or 0), float(dot.get("cy") or 0)) for dot in found]


def lines(figure: str) -> list[np.ndarray]:
    found = [line.get("points") or "" for line in drawn(figure).iter(f"{SVG}polyline")]
    return [np.array(line.replace(",", " ").split(), dtype=float).reshape(-1, 2) for line in found]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.3e-7, "2.3 × 10⁻⁷"),
        (1e-4, "10⁻⁴"),
        (0.0021, "0.0021"),
        (4310.0, "4,310"),
        (3e9, "3 × 10⁹"),
        (-2e-5, "−2 × 10⁻⁵"),
        (0.0, "0"),
        (float("nan"), "–"),
    ],
)
def test_numbers_over_many_decades_have_a_power_of_ten(value: float, text: str) -> None:
    assert rounded(value, 2 if value == 0.0021 else 3) == text


def test_bare_numbers_end_without_zeros() -> None:
    assert [bare(value) for value in (0.01, 0.3, 1.25, 100.0, 3000.0)] == [
        "0.01",
        "0.3",
        "1.25",
        "100",
        "3,000",
    ]


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.1, 0.1), (0.03, 0.9), (1.0, 100.0), (2e-9, 5e4), (0.99, 1.01), (1e-30, 1.0), (7.0, 11.0)],
)
def test_decades_enclose_what_they_show_and_are_few(low: float, high: float) -> None:
    first, last, ticks = decades(low, high)
    assert first <= max(low, 1e-8 * high) * 1.0001
    assert last >= high * 0.9999
    assert first < last
    assert 2 <= len(ticks) <= 8
    assert all(first <= value <= last for value, _ in ticks)


def test_equal_ratios_are_equally_far_apart_on_a_logarithmic_axis() -> None:
    panel = MarkedPanel("dose", height=200, logarithmic=True).line(
        [0.0, 1.0, 2.0], [0.01, 1.0, 100.0], "", "blue"
    )
    (line,) = lines(panels(Axis(0.0, 2.0, [], "x"), [panel], "x"))
    assert np.diff(line[:, 1]) == pytest.approx([-100.0, -100.0], abs=0.11)


def test_the_chosen_shield_is_marked_on_the_total() -> None:
    figure = dose_against_shielding(THICKNESS, PARTS, chosen_mm=4.0)
    (spot,) = spots(figure)
    assert spot == pytest.approx(lines(figure)[0][3], abs=0.11)
    assert spot[0] == pytest.approx(LEFT + WIDE * 3.0 / 9.0, abs=0.1)
    total = 0.3 * np.exp(-4.0 / 15.0) + 40.0 * np.exp(-4.0 / 1.1)
    assert f"4 mm: {rounded(total)} krad a year" in texts(figure)


def test_the_mass_of_the_shield_has_its_own_panel_over_the_same_thickness() -> None:
    figure = dose_against_shielding(THICKNESS, PARTS, chosen_mm=4.0, mass_kg=31.0 * THICKNESS)
    dose, mass = spots(figure)
    assert dose[0] == mass[0]
    assert "124 kg" in texts(figure)


def test_the_limit_of_the_dose_is_named() -> None:
    figure = dose_against_shielding(THICKNESS, PARTS, chosen_mm=4.0, limit_krad_per_year=3.0)
    assert "limit over life and margin: 3" in texts(figure)


def test_the_dose_figure_says_in_words_what_the_mark_shows() -> None:
    root = drawn(dose_against_shielding(THICKNESS, PARTS, chosen_mm=4.0))
    assert root.get("aria-label")
    assert (root.findtext(f"{SVG}desc") or "").startswith("Total at 4 mm: 1.28 krad(Si) a year.")


def test_a_dose_that_becomes_zero_or_unknown_ends_its_line() -> None:
    electrons = PARTS["electrons"].copy()
    electrons[5:] = 0.0
    electrons[0] = np.nan
    parts = {**PARTS, "electrons": electrons}
    line = lines(dose_against_shielding(THICKNESS, parts, chosen_mm=4.0))[2]
    assert len(line) == 4
    assert line[-1, 0] == pytest.approx(LEFT + WIDE * 4.0 / 9.0, abs=0.1)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_no_dose_at_all_can_be_drawn(value: float) -> None:
    nothing = {"protons": np.full(10, value), "electrons": np.full(10, value)}
    assert spots(dose_against_shielding(THICKNESS, nothing, chosen_mm=4.0)) == []


def test_passes_through_the_anomaly_are_shaded_and_counted() -> None:
    inside = (HOURS % 12.0 > 5.95) & (HOURS % 12.0 < 6.85)
    figure = upsets_over_day(HOURS, np.where(inside, 9.0, 0.1), inside)
    shades = [
        each for each in drawn(figure).iter(f"{SVG}rect") if each.get("class") == "shade" and each.get("x")
    ]
    passes = [each for each in shades if float(each.get("height") or 0) > 100.0]
    across = [float(each.get("width") or 0) / WIDE * HOURS[-1] for each in passes]
    assert across == pytest.approx([0.9, 0.9], abs=0.01)
    said = drawn(figure).findtext(f"{SVG}desc") or ""
    assert said == "7.50 % of the time is spent inside the anomaly, with 87.9 % of the upsets."


def test_a_fleet_has_its_share_inside_the_anomaly_beside() -> None:
    share = 0.06 + 0.01 * np.cos(HOURS)
    figure = upsets_over_day(HOURS, 4.0 * share, share, logarithmic=False)
    assert "Satellites inside the South Atlantic Anomaly (%)" in texts(figure)


@pytest.mark.parametrize("logarithmic", [True, False])
def test_a_day_without_upsets_can_be_drawn(logarithmic: bool) -> None:
    figure = upsets_over_day(
        HOURS, np.zeros_like(HOURS), np.zeros(HOURS.shape, bool), logarithmic=logarithmic
    )
    assert len(lines(figure)) == 1


def test_outcomes_stand_at_their_rate_on_a_logarithmic_axis() -> None:
    figure = outcome_rows({"corrected": 100.0, "detected": 1.0, "functional": 0.01})
    across = [x for x, _ in spots(figure)]
    assert across[0] - across[1] == pytest.approx(across[1] - across[2], abs=0.11)


def test_an_outcome_that_never_happens_has_no_dot_and_says_so() -> None:
    figure = outcome_rows({"corrected": 45.2, "detected": 0.0, "silent": float("nan")})
    assert len(spots(figure)) == 1
    assert {"none", "not known"} <= set(texts(figure))


def test_outcomes_are_told_for_one_accelerator_and_for_the_fleet() -> None:
    figure = outcome_rows({"silent": 1.7e-6}, accelerators=120000)
    assert "1.7 × 10⁻⁶ a day · one in 1,611 years · fleet: 0.20 a day" in texts(figure)


@pytest.mark.parametrize(
    ("per_day", "text"),
    [
        (48.0, "30 minutes"),
        (1.0, "1 day"),
        (0.05, "20 days"),
        (1e-9, "2.7 × 10⁶ years"),
        (86400.0 * 4, "0.25 seconds"),
    ],
)
def test_the_time_between_events_has_the_unit_that_fits(per_day: float, text: str) -> None:
    assert time_between(per_day) == text


@pytest.mark.parametrize(
    "figure",
    [
        dose_against_shielding(
            THICKNESS, PARTS, chosen_mm=9.9, limit_krad_per_year=3.0, mass_kg=31.0 * THICKNESS
        ),
        upsets_over_day(HOURS, 1.0 + np.sin(HOURS), HOURS > 20.0),
        outcome_rows({"corrected": 45.2, "silent": 1e-12}, accelerators=120000),
    ],
)
def test_texts_stay_inside_the_figure(figure: str) -> None:
    for text in drawn(figure).iter(f"{SVG}text"):
        wide = text_width(text.text or "", 11.0)
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")]
        left = float(text.get("x") or 0) - share * wide
        assert left > -4.0, text.text
        assert left + wide < 944.0, text.text


def test_empty_or_unequal_input_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="thickness_mm"):
        dose_against_shielding([], PARTS, chosen_mm=1.0)
    with pytest.raises(ValueProblem, match="no curve"):
        dose_against_shielding(THICKNESS, {}, chosen_mm=1.0)
    with pytest.raises(ValueProblem, match="protons"):
        dose_against_shielding(THICKNESS, {"protons": [1.0]}, chosen_mm=1.0)
    with pytest.raises(ValueProblem, match="inside_anomaly"):
        upsets_over_day(HOURS, np.ones_like(HOURS), [True])
    with pytest.raises(ValueProblem, match="outcome"):
        outcome_rows({})
