"""What a run proves: texts and numbers of the outcome beside the undisturbed run's, and what is said of faults."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.pretended import sky

from skyhall.runtime.evidence import BOUNDED_ERROR, Evidence
from skyhall.runtime.state import RunPlan, RunState


def evidence(
    own: dict[str, Any],
    quiet: dict[str, Any] | None,
    protect: Any = "bounded",
    loose: frozenset[str] = frozenset(),
    digests: tuple[str, ...] = ("a", "b", "c"),
    **counts: int,
) -> Evidence:
    """Of two units; the undisturbed run's digests are a, b and c."""
    plan = RunPlan(sky(["#"]), units=2, protect=protect, copies=1, speedup=1.0)
    verified = {done: (digest,) for done, digest in enumerate(digests)}
    state = RunState(0.0, [], verified=2, digests=verified, counts=Counter(counts))
    reference = None if quiet is None else {"digests": [["a"], ["b"], ["c"]], "outcome": quiet, "busy_s": 1.0}
    return Evidence(plan, state, own, reference, (), 1.0, Path(), loose)


def test_bounded_promises_the_texts_of_the_outcome_as_well() -> None:
    quiet = {"answers_sha256": "aa", "tokens": 7}
    assert evidence(quiet, quiet).kept is True
    other = evidence(quiet | {"answers_sha256": "ab"}, quiet)
    assert (other.kept, other.outcome_changed, other.outcome_difference) == (False, ["answers_sha256"], 0.0)


def test_a_loose_text_may_differ_and_alone_it_proves_nothing() -> None:
    loose = frozenset({"results_sha256"})
    quiet = {"results_sha256": "aa", "passed": True}
    assert evidence(quiet | {"results_sha256": "ab"}, quiet, loose=loose).kept is True
    assert evidence(quiet | {"passed": False}, quiet, loose=loose).kept is False
    assert evidence({"results_sha256": "aa"}, {"results_sha256": "aa"}, loose=loose).kept is None
    assert evidence({}, {}).kept is None


@pytest.mark.parametrize(
    ("own", "quiet", "difference"),
    [
        (math.nan, math.nan, 0.0),
        (math.nan, 1.0, math.inf),
        (1.0, math.nan, math.inf),
        (1.0, math.inf, math.inf),
        (math.inf, math.inf, 0.0),
        (-math.inf, math.inf, math.inf),
        (1.0, 0.0, math.inf),
        (0.0, -0.0, 0.0),
        (99.0, 100.0, 0.01),
        (-99.0, -100.0, 0.01),
    ],
)
@pytest.mark.parametrize("before", [{}, {"fine": 1.0}])
def test_the_largest_difference_sees_nan_and_infinity(
    own: float, quiet: float, difference: float, before: dict[str, float]
) -> None:
    made = evidence({**before, "loss": own}, {**before, "loss": quiet})
    assert made.outcome_difference == pytest.approx(difference)
    assert made.kept is (difference <= BOUNDED_ERROR)


@pytest.mark.parametrize(
    ("own", "quiet"),
    [
        ({"found": [{"row": 3.0}]}, {"found": [{"row": 4.0}]}),
        ({"found": [{"row": 3.0}]}, {"found": []}),
        ({"found": []}, {"found": [{"row": 3.0}]}),
        ({"recall_by_class": {"small": None}}, {"recall_by_class": {"small": 0.5}}),
        ({}, {"loss": 1.0}),
        ({"loss": 1.0}, {"loss": None}),
    ],
)
def test_what_is_nested_or_missing_is_compared(own: dict[str, Any], quiet: dict[str, Any]) -> None:
    same = {"units": 2}
    assert evidence(same | own, same | own).kept is True
    assert evidence(same | own, same | quiet).kept is False


def test_uncovered_at_exact_are_verified_digests_that_are_not_the_undisturbed_runs() -> None:
    assert evidence({}, {}, "exact", injected=5).faults()["uncovered"] == 0
    assert evidence({}, {}, "exact", digests=("a", "x", "c"), injected=5).faults()["uncovered"] == 1
    assert evidence({}, {}, "exact", digests=("a", "x", "y"), injected=5).faults()["uncovered"] == 2
    assert evidence({}, None, "exact", injected=5).faults()["uncovered"] is None


@pytest.mark.parametrize(("detected", "uncovered"), [(3, 2), (5, 0), (9, 0)])
def test_uncovered_at_bounded_are_upsets_without_an_alarm(detected: int, uncovered: int) -> None:
    assert evidence({}, {}, injected=5, detected=detected).faults()["uncovered"] == uncovered
    assert evidence({}, {}, "none", injected=5, detected=detected).faults()["uncovered"] == 5


def test_the_summary_names_what_changed() -> None:
    assert evidence({"a": "x"}, {"a": "y"}).summary()["outcome_changed"] == ["a"]
    assert evidence({"a": "x"}, None).summary()["outcome_changed"] is None
