"""Write the table of published cases into docs/validation.md, from what `validate()` computes now.

    python tools/make_validation_page.py

Only what stands between the two comments of the page is written anew; the rest is written by hand.
"""

from __future__ import annotations

import math
import sys
from itertools import groupby
from pathlib import Path

from skyhall.validation import Result, validate

PAGE = Path(__file__).parents[1] / "docs" / "validation.md"
BEGIN = "<!-- the table: made by tools/make_validation_page.py, do not edit -->"
END = "<!-- end of the table -->"


def page_with(table: str, page: str) -> str:
    """Return `page` with `table` between its two comments."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        raise SystemExit(f"{PAGE.name} lacks the comments that hold the table")
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def table_text(rows: list[Result]) -> str:
    """Return the table in Markdown: counts, then one section per group."""
    sections = [_counts(rows)]
    for group, members in groupby(rows, key=lambda row: row.group):
        sections.append(_section(group, list(members)))
    return "\n".join(sections)


def _counts(rows: list[Result]) -> str:
    passed = sum(row.passed is True for row in rows)
    failed = sum(row.passed is False for row in rows)
    waiting = sum(row.passed is None for row in rows)
    return (
        f"{passed + failed} published numbers and wrong models are computed: {passed} pass, {failed} fail. "
        f"{waiting} more are listed and wait for their models.\n"
    )


def _section(group: str, rows: list[Result]) -> str:
    lines = [f"### Group {group}", ""]
    if all(row.passed is None for row in rows):
        lines += ["| case | published | what is missing |", "| --- | --- | --- |"]
        lines += [f"| `{row.id}` | {_published(row)} | {row.note} |" for row in rows]
    else:
        lines += [
            "| case | published | ours | difference | tolerance | pass | explained |",
            "| --- " * 7 + "|",
        ]
        lines += [_line(row) for row in rows]
    lines += ["", "Sources and conventions:", ""]
    return "\n".join([*lines, *_sources(rows), ""])


def _line(row: Result) -> str:
    kind = (
        ""
        if row.kind == "agree"
        else {"must_fail": "wrong model", "counter": "counter-claim"}.get(row.kind, row.kind)
    )
    passed = {True: "yes", False: "**no**", None: "not modelled"}[row.passed]
    explained = ": ".join(text for text in (kind and f"*{kind}*", row.note) if text)
    cells = (f"`{row.id}`", _published(row), _ours(row), _difference(row), row.tolerance, passed, explained)
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _sources(rows: list[Result]) -> list[str]:
    seen: dict[str, str] = {}
    for row in rows:
        said = row.source + (f"; {row.convention}" if row.convention else "")
        seen.setdefault(row.id.split("/")[0], said)
    return [f"- `{case}`: {said}." for case, said in seen.items()]


def _published(row: Result) -> str:
    values = row.published if isinstance(row.published, tuple) else (row.published,)
    return _with_unit(" to ".join(_plain(value) for value in values), row.unit)


def _ours(row: Result) -> str:
    return "–" if row.ours is None else _with_unit(_to_tolerance(row.ours, row), row.unit)


def _difference(row: Result) -> str:
    if row.difference is None:
        return "–"
    text = _to_tolerance(row.difference, row)
    zero = float(text.replace(",", "").replace("−", "-")) == 0.0
    return "0" if zero else text if text.startswith("−") else f"+{text}"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit else number


def _plain(value: float) -> str:
    text = f"{value:,.10g}" if 1e-3 <= abs(value) < 1e15 or value == 0.0 else f"{value:.3g}"
    return text.replace("-", "−", 1) if value < 0.0 else text


def _to_tolerance(value: float, row: Result) -> str:
    """Return `value` with as many decimals as its tolerance has sense for: a tenth of it."""
    published = row.published[1] if isinstance(row.published, tuple) else row.published
    margin = row.tolerance.absolute or (row.tolerance.relative or 0.0) * abs(published) or abs(value) * 0.05
    exact = row.tolerance.absolute == 0.0 or margin == 0.0
    decimals = 0 if exact else min(max(0, 1 - math.floor(math.log10(margin))), 9)
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−", 1)


def main() -> int:
    """Write the page."""
    rows = validate()
    PAGE.write_text(page_with(table_text(rows), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}: {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
