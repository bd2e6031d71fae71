"""Make the README's picture: the default scenario's darkest orbit and its price under each boundary, as one SVG."""

from __future__ import annotations

import re
import sys
from importlib import resources
from pathlib import Path

import skyhall as sh
from skyhall.report.figures import darkest_orbit
from skyhall.report.price_figures import price_by_boundary

PICTURE = Path(__file__).parents[1] / "docs" / "assets" / "answer.svg"
_BOX = re.compile(r'viewBox="0 0 (\d+) (\d+)"')
_MARGIN, _HEAD = 20, 34


def picture(assessment: sh.Assessment) -> str:
    """Return the two figures one above the other, with the report's style and nothing from outside."""
    style = (resources.files("skyhall.report") / "templates" / "report.css").read_text("utf-8")
    style = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", style)
    parts = []
    width, top = 0, _MARGIN
    for title, figure in (
        ("One satellite through the longest eclipse of its year", darkest_orbit(assessment)),
        ("What a GPU-hour costs, by boundary of what is counted", price_by_boundary(assessment.costs)),
    ):
        found = _BOX.search(figure)
        assert found is not None
        figure_width, height = int(found[1]), int(found[2])
        figure = re.sub(
            r'style="max-width:[^"]*"', f'width="{figure_width}" height="{height}"', figure, count=1
        )
        parts.append(f'<text x="{_MARGIN}" y="{top + 14}" font-size="17" font-weight="600">{title}</text>')
        parts.append(f'<g transform="translate({_MARGIN},{top + _HEAD})">{figure}</g>')
        width, top = max(width, figure_width), top + _HEAD + height + _MARGIN
    size = f"{width + 2 * _MARGIN} {top}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" role="img" '
        f'aria-label="Darkest orbit and price of the default scenario"><style>{style}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def main() -> int:
    """Write the picture of the default scenario."""
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(sh.assess()), encoding="utf-8")
    sys.stdout.write(f"wrote {PICTURE.relative_to(PICTURE.parents[2])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
