"""Who computes: the one call behind which every policy of placement stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from skyhall.errors import ValueProblem

__all__ = ["Candidate", "Place", "PlacementState", "longest_light_first", "refuse_wrong_placement"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A satellite that could compute now: lit, up, and able to get the job's state.

    Attributes
    ----------
    satellite : its index in the run.
    light_s : light that it has ahead, s.
    computes : it holds a copy of the job already.
    """

    satellite: int
    light_s: float
    computes: bool


@dataclass(frozen=True, slots=True)
class PlacementState:
    """What a policy is told.

    Attributes
    ----------
    now : s after the epoch.
    copies : that the job wants, each on a satellite of its own.
    margin_s : light that a satellite needs to be worth the move.
    candidates : in the order of their index.
    """

    now: float
    copies: int
    margin_s: float
    candidates: tuple[Candidate, ...]


Place: TypeAlias = Callable[[PlacementState], tuple[int, ...]]


def longest_light_first(state: PlacementState) -> tuple[int, ...]:
    """Return the satellites that compute: who does stays while its light lasts, then whoever has the most ahead.

    At most `copies` of them; fewer where fewer have light beyond the margin.
    """
    bright = [each for each in state.candidates if each.light_s > state.margin_s]
    ranked = sorted(bright, key=lambda each: (not each.computes, -each.light_s, each.satellite))
    return tuple(sorted(each.satellite for each in ranked[: state.copies]))


def refuse_wrong_placement(state: PlacementState, placed: tuple[int, ...]) -> None:
    """Raise where a policy broke the rules: two copies on one satellite, or one that cannot compute.

    Raises
    ------
    ValueProblem : names the satellites.
    """
    doubled = sorted({each for each in placed if placed.count(each) > 1})
    if doubled:
        raise ValueProblem(
            f"{placed.count(doubled[0])} copies are placed on satellite {doubled[0]}",
            right="give each copy a satellite of its own, so that one fault cannot reach two",
        )
    unable = sorted(set(placed) - {each.satellite for each in state.candidates})
    if unable:
        raise ValueProblem(
            f"satellite {unable[0]} is placed, which cannot compute now",
            right="choose among the candidates",
        )
    if len(placed) > state.copies:
        raise ValueProblem(f"{len(placed)} copies are placed, {state.copies} are wanted")
