"""Training across satellites: sums in a fixed order, DiLoCo's outer step, and aggregation of verified contributions.

Pure functions of tensors. A contribution is a tuple of tensors, one a parameter, in the same order for every replica.
Every result is independent of the order in which contributions arrive: they are added by ascending number of their
replica, in their own dtype.

DiLoCo: Douillard et al., arXiv:2311.08105. Its streaming variant: Douillard et al., arXiv:2501.18512.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from skyhall.integrity import digest_of
from skyhall.integrity.digests import majority

__all__ = [
    "GUARDS",
    "Aggregate",
    "Contribution",
    "Guards",
    "Unresolved",
    "aggregate",
    "all_reduce_bytes",
    "all_reduce_time",
    "contribution_digest",
    "fragment_due",
    "mean_in_order",
    "mix",
    "outer_step",
    "outer_step_bytes",
    "outer_step_time",
    "pseudo_gradient",
]

Tensors = tuple[Tensor, ...]


def mean_in_order(contributions: Mapping[int, Sequence[Tensor]]) -> Tensors:
    """Return the mean of contributions by replica; the bits depend on what is in the mapping, not on its order.

    Raises
    ------
    ValueError
        For no contribution at all.
    """
    if not contributions:
        raise ValueError("there is nothing to average")
    replicas = sorted(contributions)
    total = [part.clone() for part in contributions[replicas[0]]]
    for replica in replicas[1:]:
        for summed, part in zip(total, contributions[replica], strict=True):
            summed += part
    return tuple(summed / len(replicas) for summed in total)


# What it costs on links


def all_reduce_bytes(replicas: int, size: float) -> float:
    """Return the bytes that each replica sends to its neighbour in a ring all-reduce of `size` bytes.

    2 (n - 1) / n of the size: Patarasuk and Yuan 2009, doi:10.1016/j.jpdc.2008.09.002, who show that no less will do.
    """
    return 2.0 * (replicas - 1) / replicas * size


def all_reduce_time(replicas: int, size: float, rate_bps: float, delay_s: float) -> float:
    """Return the seconds of a ring all-reduce: 2 (n - 1) steps, each with a delay and an n-th of the size.

    Parameters
    ----------
    size : bytes that every replica contributes.
    rate_bps : of the ring's slowest link, bit/s, one way. delay_s : of its longest link, one way.
    """
    return 8.0 * all_reduce_bytes(replicas, size) / rate_bps + 2.0 * (replicas - 1) * delay_s


def outer_step_bytes(replicas: int, size: float, inner: int) -> float:
    """Return the bytes that each replica sends per inner step, on average, with an outer step every `inner` steps.

    The same for the streaming variant, which sends each of its fragments once in as many steps.
    """
    return all_reduce_bytes(replicas, size) / inner


def outer_step_time(
    replicas: int, size: float, rate_bps: float, delay_s: float, *, fragments: int = 1, hidden_s: float = 0.0
) -> float:
    """Return the seconds that training stands still in a round of outer steps, one for each fragment.

    Parameters
    ----------
    size : of all parameters, bytes.
    fragments : that are synchronised in turns, of equal size.
    hidden_s : inner steps' time between sending and use of a fragment; what it covers costs nothing.
    """
    one = all_reduce_time(replicas, size / fragments, rate_bps, delay_s)
    return fragments * max(0.0, one - hidden_s)


# The outer step


def pseudo_gradient(shared: Sequence[Tensor], local: Sequence[Tensor]) -> Tensors:
    """Return shared - local: where a replica's inner steps went, with the sign of a gradient."""
    return tuple(before - after for before, after in zip(shared, local, strict=True))


def outer_step(
    shared: Sequence[Tensor],
    gradient: Sequence[Tensor],
    velocity: Sequence[Tensor],
    *,
    rate: float = 0.7,
    momentum: float = 0.9,
) -> tuple[Tensors, Tensors]:
    """Return parameters and velocity after an outer step: SGD with Nesterov's momentum, in torch's form.

    v' = momentum v + g;  shared' = shared - rate (g + momentum v'). The velocity starts as zeros. The defaults are the
    paper's.
    """
    moved = tuple(momentum * v + g for v, g in zip(velocity, gradient, strict=True))
    stepped = tuple(p - rate * (g + momentum * v) for p, g, v in zip(shared, gradient, moved, strict=True))
    return stepped, moved


def mix(shared: Sequence[Tensor], local: Sequence[Tensor], share: float) -> Tensors:
    """Return what a replica goes on with when new shared parameters arrive while it trains.

    Parameters
    ----------
    share : of its own parameters that is kept, α in arXiv:2501.18512: 0 takes the shared ones, 1 keeps its own.
    """
    return tuple(torch.lerp(new, own, share) for new, own in zip(shared, local, strict=True))


def fragment_due(step: int, inner: int, fragments: int, delay: int) -> tuple[int | None, int | None]:
    """Return which fragment is sent, and which arrives, after inner step `step` (the first is 1); None for none.

    Fragments take turns: one arrives every `inner` / `fragments` steps, and was sent `delay` steps before.

    Raises
    ------
    ValueError
        When the steps do not part into fragments, or a fragment would be sent before the one before it arrived.
    """
    if inner % fragments:
        raise ValueError(f"{inner} inner steps do not part into {fragments} fragments")
    apart = inner // fragments
    if not 0 <= delay < apart:
        raise ValueError(f"a delay of {delay} steps is not within the {apart} steps between two fragments")
    return _turn(step + delay, apart, fragments), _turn(step, apart, fragments)


def _turn(step: int, apart: int, fragments: int) -> int | None:
    return (step // apart - 1) % fragments if step > 0 and step % apart == 0 else None


# Verified aggregation


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What one replica brings to an outer step.

    Attributes
    ----------
    replica : its number.
    digests : of each copy that computed it, by `contribution_digest`; one where nobody did it a second time.
    tensors : as they arrived.
    """

    replica: int
    digests: tuple[str, ...]
    tensors: Tensors


@dataclass(frozen=True, slots=True)
class Guards:
    """What a contribution that only one copy computed must pass; the factors are ours.

    Attributes
    ----------
    norm : its Euclidean norm is finite and within this factor of the median of all.
    distance : its distance to the median of the others whose norm is right, element by element, is at most this
        multiple of the median of all such distances.
    fewest : contributions that there must be to compare; of two nobody can say which one is wrong.
    """

    norm: float = 4.0
    distance: float = 4.0
    fewest: int = 3


GUARDS = Guards()


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """A mean of contributions that were verified.

    Attributes
    ----------
    mean : of those of `replicas`, which ascend.
    left_out : every other replica, with the reason.
    """

    mean: Tensors
    replicas: tuple[int, ...]
    left_out: tuple[tuple[int, str], ...]


class Unresolved(RuntimeError):
    """Too few contributions could be verified: nothing is averaged, nothing guessed.

    Attributes
    ----------
    left_out : replicas with the reason why.
    """

    def __init__(self, left_out: tuple[tuple[int, str], ...], verified: int, quorum: int) -> None:
        self.left_out = left_out
        told = "; ".join(f"replica {replica} {reason}" for replica, reason in left_out)
        super().__init__(f"{verified} contributions are verified, {quorum} are needed: {told or 'none came'}")


def contribution_digest(tensors: Sequence[Tensor]) -> str:
    """Return the SHA-256 of a contribution, 64 hex digits."""
    return digest_of({str(place): part for place, part in enumerate(tensors)})


def aggregate(
    contributions: Sequence[Contribution], *, quorum: int, guards: Guards | None = GUARDS
) -> Aggregate:
    """Return the mean of the contributions that are verified; a wrong one is left out, never averaged in.

    A contribution of several copies enters if more than half of them, at least two, have one digest, and the tensors
    that arrived have it too. One of a single copy enters if its tensors have its digest and pass the guards.

    Parameters
    ----------
    quorum : verified contributions without which there is no result.
    guards : None takes single copies as right, where the caller verifies them another way.

    Raises
    ------
    Unresolved
        With fewer than `quorum` verified contributions.
    ValueError
        When a replica contributes twice.
    """
    came = {each.replica: each for each in contributions}
    if len(came) < len(contributions):
        raise ValueError("a replica contributes twice")
    reasons = {replica: reason for replica, each in came.items() if (reason := _disagreement(each))}
    if guards is not None:
        arrived = {replica: each.tensors for replica, each in came.items() if replica not in reasons}
        doubts = _doubts(arrived, guards)
        reasons |= {replica: doubt for replica, doubt in doubts.items() if len(came[replica].digests) == 1}
    verified = {replica: each.tensors for replica, each in came.items() if replica not in reasons}
    left_out = tuple(sorted(reasons.items()))
    if len(verified) < max(1, quorum):
        raise Unresolved(left_out, len(verified), max(1, quorum))
    return Aggregate(mean_in_order(verified), tuple(sorted(verified)), left_out)


def _disagreement(contribution: Contribution) -> str:
    """Say what is wrong between copies and what arrived; empty if nothing is."""
    agreed = majority(contribution.digests)
    if agreed is None:
        return f"has {len(contribution.digests)} copies, most of which do not agree"
    if contribution_digest(contribution.tensors) != agreed:
        return "arrived with other bits than its copies computed"
    return ""


def _doubts(arrived: Mapping[int, Tensors], guards: Guards) -> dict[int, str]:
    """Return what the guards say against contributions."""
    if len(arrived) < guards.fewest:
        return dict.fromkeys(arrived, f"is one of {len(arrived)} that came whole: too few to compare")
    flat = {
        replica: torch.cat([part.reshape(-1).double() for part in tensors])
        for replica, tensors in sorted(arrived.items())
    }
    norms = {replica: _norm(values) for replica, values in flat.items()}
    usual = _median(list(norms.values()))
    doubts = {}
    for replica, norm in norms.items():
        if norm == math.inf:
            doubts[replica] = "is not finite"
        elif not usual / guards.norm <= norm <= usual * guards.norm:
            doubts[replica] = f"has a norm of {norm:.3g}, the median is {usual:.3g}"
    flat = {replica: values for replica, values in flat.items() if replica not in doubts}
    if len(flat) < 2:
        return doubts
    distances = {}
    for replica, values in flat.items():
        others = torch.stack([each for other, each in flat.items() if other != replica])
        distances[replica] = float(torch.linalg.vector_norm(values - _middle(others)))
    apart = _median(list(distances.values()))
    for replica, distance in distances.items():
        if distance > guards.distance * apart:
            doubts[replica] = f"is {distance:.3g} from the median of the others, {apart:.3g} is usual"
    return doubts


def _norm(values: Tensor) -> float:
    """Return the norm, infinite for NaN: such a contribution counts among the others as too large."""
    norm = float(torch.linalg.vector_norm(values))
    return norm if math.isfinite(norm) else math.inf


def _middle(rows: Tensor) -> Tensor:
    """Return the median of each column; of an even count, the mean of the two in the middle."""
    ordered = rows.sort(dim=0).values
    return (ordered[(len(rows) - 1) // 2] + ordered[len(rows) // 2]) / 2.0


def _median(numbers: list[float]) -> float:
    ordered = sorted(numbers)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2.0
