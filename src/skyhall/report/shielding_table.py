"""The trade of shielding as a table: what each millimetre weighs, and what dose and upsets it leaves."""

from __future__ import annotations

from html import escape

import numpy as np
import numpy.typing as npt

from skyhall.errors import ValueProblem
from skyhall.report.formats import number
from skyhall.report.powers_of_ten import rounded

__all__ = ["shielding_table"]


def shielding_table(
    thickness_mm: npt.ArrayLike,
    *,
    mass_kg: npt.ArrayLike,
    dose_krad: npt.ArrayLike,
    upsets_per_day: npt.ArrayLike,
    kg_per_kw: npt.ArrayLike,
    chosen_mm: float | None = None,
    limit_krad: float | None = None,
) -> str:
    """Return the trade as an HTML table, one row a thickness.

    Parameters
    ----------
    thickness_mm : of the aluminium (k,); the others as many.
    mass_kg : of the shield of one satellite.
    dose_krad : over the satellite's life, krad(Si).
    upsets_per_day : per accelerator.
    kg_per_kw : launch mass of the satellite over its IT power.
    chosen_mm : thickness of the design, marked in words.
    limit_krad : dose that the electronics bear; rows above it say so.
    """
    columns = [
        np.atleast_1d(np.asarray(each, dtype=np.float64))
        for each in (thickness_mm, mass_kg, dose_krad, upsets_per_day, kg_per_kw)
    ]
    shapes = {column.shape for column in columns}
    if len(shapes) > 1 or columns[0].ndim != 1 or columns[0].size == 0:
        raise ValueProblem(
            "the columns of the shielding table do not have one length, at least one",
            right="got the shapes " + ", ".join(str(column.shape) for column in columns),
        )
    table = np.stack(columns, axis=-1).tolist()
    rows = "".join(_row(values, chosen_mm, limit_krad) for values in table)
    heads = (
        "Aluminium, mm",
        "Shield, kg per satellite",
        "Dose over life, krad(Si)",
        "Upsets per accelerator and day",
        "Satellite, kg/kW",
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    return (
        f'<div class="scroll"><table class="numbers shielding"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(values: list[float], chosen: float | None, limit: float | None) -> str:
    thickness, mass, dose, upsets, specific = values
    here = chosen is not None and abs(thickness - chosen) < 1e-3
    first = number(thickness) + (" · design" if here else "")
    if limit is not None and dose > limit:
        first += ' <span class="loses">✗ above the limit over the margin</span>'
    cells = [number(mass), rounded(dose), rounded(upsets), number(specific)]
    row = f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr class="chosen" style="font-weight:600">{row}</tr>' if here else f"<tr>{row}</tr>"
