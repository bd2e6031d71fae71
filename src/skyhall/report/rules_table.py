"""The rules of orbit as a table: what the fleet does, what is asked for, and whether that is enough."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from skyhall.report.powers_of_ten import bare, rounded
from skyhall.rules.result import RuleResult

__all__ = ["rules_table"]

# The mark and the word say it; colour only repeats it.
_VERDICTS = {
    True: '<span class="wins">✓&nbsp;met</span>',
    False: '<span class="loses">✗&nbsp;not&nbsp;met</span>',
    None: '<span class="note">–&nbsp;no&nbsp;limit</span>',
}


def rules_table(results: Iterable[RuleResult]) -> str:
    """Return the results as an HTML table, one row a rule; a sentence where no rule was applied."""
    rows = "".join(_row(result) for result in results)
    if not rows:
        return '<p class="note">No rule was applied.</p>'
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("Rule", "Value", "Limit", "Verdict", "Source and note")
    )
    return (
        f'<div class="scroll"><table class="rules"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(result: RuleResult) -> str:
    name = result.rule.replace("_", " ").capitalize()
    shell = f' <span class="note">{escape(result.shell)}</span>' if result.shell else ""
    limit = "–" if result.limit is None else f"{result.sense} {_amount(bare(result.limit), result.unit)}"
    note = f' <span class="note">{escape(result.note)}</span>' if result.note else ""
    return (
        f'<tr><th scope="row">{escape(name)}{shell}</th><td class="value">{_amount(rounded(result.value), result.unit)}'
        f'</td><td class="value">{limit}</td><td>{_VERDICTS[result.passed]}</td>'
        f"<td>{escape(result.source)}{note}</td></tr>"
    )


def _amount(text: str, unit: str) -> str:
    per = f"per {unit[2:]}" if unit.startswith("1/") else unit
    return escape(f"{text} {per}".rstrip())
