"""What a run is asked to do to its satellites: texts become strikes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skyhall.errors import Place, ValueProblem
from skyhall.runtime.engines.engine import LEASE_S
from skyhall.runtime.state import Strike
from skyhall.units import parse

__all__ = ["strikes_of"]

_HANG_LEASES = 4.0  # so that it wakes when its seat was given to another, ours


def strikes_of(
    texts: Sequence[str], names: Sequence[str], start: float, units: int, seed: int, speedup: float
) -> list[Strike]:
    """Return what texts ask to be done to satellites.

    A number is so many kills of satellites that compute, spread at random over the job. SATELLITE@WHEN[:HOW] is one:
    a name or its place in the list, or "any"; a time after the start ("40 min") or a share of the job ("30 %"); and
    kill, lose or stop. A stop lasts four leases of real time.

    Raises
    ------
    ValueProblem
        For a text of another form.
    """
    rng = np.random.default_rng([seed, 1])
    found: list[Strike] = []
    for text in texts:
        place = Place("--kill", text)
        right = "write a number, or SATELLITE@WHEN[:kill|lose|stop], as in 'sat-0@40 min:lose' or 'any@30 %'"
        number = text.strip()
        if number.isascii() and number.isdigit():
            # Neither at the very begin nor at the very end, where a kill finds nothing to lose.
            shares = np.sort(rng.uniform(0.05, 0.9, size=int(number)))
            found += [Strike("kill", unit=int(share * units)) for share in shares]
            continue
        who, at, rest = text.partition("@")
        when, _, how = rest.partition(":")
        kind = how.strip() or "kill"
        if not at or kind not in ("kill", "lose", "stop"):
            raise ValueProblem("is no kill", place=place, right=right)
        known = {**{str(index): index for index in range(len(names))}, **{n: i for i, n in enumerate(names)}}
        if who.strip() != "any" and who.strip() not in known:
            raise ValueProblem(
                f"there is no satellite '{who.strip()}'", place=place, right=f"any, {', '.join(names)}"
            )
        satellite = None if who.strip() == "any" else known[who.strip()]
        share = when.strip().endswith("%")
        try:
            moment = parse(when.strip(), "" if share else "s")
        except ValueProblem as error:
            error.place, error.right = place, right
            raise
        if moment < 0.0 or (share and moment >= 1.0):
            raise ValueProblem(
                f"'{when.strip()}' is not within the run",
                place=place,
                right="from 0 % to 99 %, or a time after the start",
            )
        due = {"unit": int(moment * units)} if share else {"time": start + moment}
        lasts = _HANG_LEASES * LEASE_S * speedup if kind == "stop" else 0.0
        found.append(Strike(kind, satellite, lasts=lasts, **due))  # type: ignore[arg-type]
    return found
