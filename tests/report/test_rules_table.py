from __future__ import annotations

from html import unescape
from xml.etree import ElementTree

import pytest

from skyhall.errors import ValueProblem
from skyhall.report.rules_table import rules_table
from skyhall.report.shielding_table import shielding_table
from skyhall.rules.result import RuleResult

DISPOSAL = RuleResult(
    rule="disposal_time",
    value=0.83,
    unit="yr",
    limit=5.0,
    source="FCC 22-74 (2022)",
    shell="dawn-dusk",
    note="<drag>",
)
SUCCESS = RuleResult(
    rule="disposal_success", value=0.87, unit="", limit=0.99, sense="at least", source="FCC & others"
)
CONJUNCTIONS = RuleResult(rule="conjunctions", value=312.4, unit="1/yr", limit=None, source="nobody")


def rows(html: str) -> list[list[str]]:
    root = ElementTree.fromstring(html.replace("&nbsp;", " "))
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def test_every_rule_has_value_limit_verdict_and_source() -> None:
    head, *body = rows(rules_table([DISPOSAL, SUCCESS, CONJUNCTIONS]))
    assert head == ["Rule", "Value", "Limit", "Verdict", "Source and note"]
    assert body == [
        ["Disposal time dawn-dusk", "0.830 yr", "at most 5 yr", "✓ met", "FCC 22-74 (2022) <drag>"],
        ["Disposal success", "0.870", "at least 0.99", "✗ not met", "FCC & others"],
        ["Conjunctions", "312 per yr", "–", "– no limit", "nobody"],
    ]


def test_small_probabilities_keep_their_digits() -> None:
    small = RuleResult(rule="large_collision", value=2.3e-7, unit="", limit=1e-4, source="NASA")
    assert rows(rules_table([small]))[1][1:3] == ["2.3 × 10⁻⁷", "at most 10⁻⁴"]


def test_no_rules_give_a_sentence() -> None:
    assert unescape(rules_table([])) == '<p class="note">No rule was applied.</p>'


def test_the_trade_of_shielding_marks_the_design_and_what_is_above_the_limit_in_words() -> None:
    table = shielding_table(
        [1.0, 5.0],
        mass_kg=[31.7, 158.0],
        dose_krad=[40.0, 1.88],
        upsets_per_day=[3e-4, 1.85e-4],
        kg_per_kw=[31.8, 35.0],
        chosen_mm=5.0,
        limit_krad=15.0,
    )
    assert rows(table)[1:] == [
        ["1 ✗ above the limit over the margin", "31.7", "40", "3 × 10⁻⁴", "31.8"],
        ["5 · design", "158", "1.88", "1.85 × 10⁻⁴", "35"],
    ]


@pytest.mark.parametrize("mass", [[], [1.0, 2.0]])
def test_columns_of_unequal_length_are_an_error(mass: list[float]) -> None:
    with pytest.raises(ValueProblem, match="length"):
        shielding_table([1.0], mass_kg=mass, dose_krad=[1.0], upsets_per_day=[1.0], kg_per_kw=[1.0])
