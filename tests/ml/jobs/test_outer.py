"""Outer steps by hand and against torch's SGD; a wrong contribution is left out, whatever is wrong with it."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from skyhall.integrity.bits import flip
from skyhall.jobs.outer import (
    Aggregate,
    Contribution,
    Guards,
    Unresolved,
    aggregate,
    all_reduce_bytes,
    all_reduce_time,
    contribution_digest,
    fragment_due,
    mean_in_order,
    mix,
    outer_step,
    outer_step_bytes,
    outer_step_time,
    pseudo_gradient,
)

pytestmark = pytest.mark.ml


def scalar(value: float) -> tuple[Tensor]:
    return (torch.tensor([value], dtype=torch.float64),)


def drawn(seed: int, count: int = 5) -> dict[int, tuple[Tensor, ...]]:
    """Contributions as replicas of one training have them: a common direction and noise of its size."""
    generator = torch.Generator().manual_seed(seed)
    common = torch.randn(24, generator=generator)
    values = {replica: common + torch.randn(24, generator=generator) for replica in range(count)}
    return {replica: (value[:20].reshape(4, 5), value[20:]) for replica, value in values.items()}


def copies(replica: int, *executions: tuple[Tensor, ...], sent: tuple[Tensor, ...]) -> Contribution:
    return Contribution(replica, tuple(contribution_digest(each) for each in executions), sent)


def bits(tensors: tuple[Tensor, ...]) -> list[bytes]:
    return [each.numpy().tobytes() for each in tensors]


def hit(tensors: tuple[Tensor, ...], element: int, bit: int) -> tuple[Tensor, ...]:
    """Return a copy with one bit of the first tensor flipped."""
    first, *rest = (each.clone() for each in tensors)
    flip(first, [element], 1 << bit)
    return (first, *rest)


# Sums and what they cost


def test_a_mean_has_the_same_bits_in_whatever_order_its_parts_arrive() -> None:
    parts = {0: (torch.tensor([1e8]),), 1: (torch.tensor([1.0]),), 2: (torch.tensor([-1e8]),)}
    means = {
        float(mean_in_order({replica: parts[replica] for replica in order})[0])
        for order in permutations(parts)
    }
    assert means == {0.0}  # (1e8 + 1) - 1e8 in float32; another order of adding gives 1/3


def test_a_mean_changes_none_of_its_parts() -> None:
    parts = drawn(1)
    before = [bits(part) for part in parts.values()]
    mean_in_order(parts)
    assert [bits(part) for part in parts.values()] == before


@pytest.mark.parametrize("replicas", [1, 2, 3, 8])
def test_bytes_and_time_of_a_ring_are_those_of_its_steps_one_by_one(replicas: int) -> None:
    size, rate, delay = 24e6, 1e9, 0.005
    sent = time = 0.0
    for _ in ("reduce-scatter", "all-gather"):
        for _ in range(replicas - 1):  # each sends the piece that it got last
            sent += size / replicas
            time += delay + 8.0 * (size / replicas) / rate
    assert all_reduce_bytes(replicas, size) == pytest.approx(sent)
    assert all_reduce_time(replicas, size, rate, delay) == pytest.approx(time)


def test_outer_steps_send_as_much_less_as_there_are_inner_steps() -> None:
    assert outer_step_bytes(4, 1e9, 500) == pytest.approx(3e6)  # 2 · 3/4 · 1e9 / 500


def test_what_is_sent_while_training_goes_on_costs_nothing() -> None:
    # Of 2 replicas and 1e9 bytes at 8e9 bit/s: 1 s and 2 delays of 0.1 s.
    assert outer_step_time(2, 1e9, 8e9, 0.1) == pytest.approx(1.2)
    # In 4 fragments: 0.25 s and 2 delays each.
    assert outer_step_time(2, 1e9, 8e9, 0.1, fragments=4) == pytest.approx(1.8)
    assert outer_step_time(2, 1e9, 8e9, 0.1, fragments=4, hidden_s=0.4) == pytest.approx(0.2)
    assert outer_step_time(2, 1e9, 8e9, 0.1, fragments=4, hidden_s=0.5) == 0.0


# The outer step


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_an_outer_step_is_torch_s_sgd_with_nesterov_s_momentum(momentum: float) -> None:
    start = torch.randn(50, generator=torch.Generator().manual_seed(1))
    weight = torch.nn.Parameter(start.clone())
    peer = torch.optim.SGD([weight], lr=0.7, momentum=momentum, nesterov=momentum > 0.0)
    shared: tuple[Tensor, ...] = (start,)
    velocity: tuple[Tensor, ...] = (torch.zeros(50),)
    for step in range(6):
        gradient = torch.randn(50, generator=torch.Generator().manual_seed(step + 2))
        weight.grad = gradient.clone()
        peer.step()
        shared, velocity = outer_step(shared, (gradient,), velocity, rate=0.7, momentum=momentum)
        torch.testing.assert_close(
            shared[0], weight.detach(), rtol=1e-6, atol=1e-6
        )  # torch fuses an addition


# Two replicas start at 10 and lose 1 and 3 in every inner step; two inner steps a round, rate 0.5, momentum 0.5. Worked
# by hand. With a delay of 1 and all of it mixed in halves, for example: after step 1 they are at 9 and 7 and send 1 and
# 3: g = 2, v = 2, shared = 10 - 0.5 (2 + 1) = 8.5. It arrives after step 2, at 8 and 4: they go on from 8.25 and 6.25.
# After step 3, at 7.25 and 3.25: g = (1.25 + 5.25) / 2 = 3.25, v = 1 + 3.25 = 4.25, shared = 8.5 - 0.5 (3.25 + 2.125)
# = 5.8125. After step 4, at 6.25 and 0.25: 6.03125 and 3.03125.
@pytest.mark.parametrize(
    ("delay", "share", "first", "second", "replicas"),
    [
        (0, 0.0, 7.0, 3.5, [3.5, 3.5]),
        (0, 0.5, 7.0, 3.125, [4.3125, 1.3125]),
        (0, 1.0, 7.0, 2.75, [6.0, -2.0]),
        (1, 0.0, 8.5, 6.75, [6.75, 6.75]),
        (1, 0.5, 8.5, 5.8125, [6.03125, 3.03125]),
        (1, 1.0, 8.5, 4.875, [6.0, -2.0]),
    ],
)
def test_streaming_by_hand(
    delay: int, share: float, first: float, second: float, replicas: list[float]
) -> None:
    shared, velocity = scalar(10.0), scalar(0.0)
    local = [scalar(10.0), scalar(10.0)]
    flying: tuple[Tensor, ...] = ()
    after = []
    for step in range(1, 5):
        local = [(own[0] - lost,) for own, lost in zip(local, (1.0, 3.0), strict=True)]
        sent, arrives = fragment_due(step, inner=2, fragments=1, delay=delay)
        if sent is not None:
            flying = mean_in_order({each: pseudo_gradient(shared, own) for each, own in enumerate(local)})
        if arrives is not None:
            shared, velocity = outer_step(shared, flying, velocity, rate=0.5, momentum=0.5)
            local = [mix(shared, own, share) for own in local]
            after.append(shared[0].item())
    assert after == [first, second]
    assert [own[0].item() for own in local] == replicas


def test_fragments_take_turns_and_each_arrives_after_its_delay() -> None:
    due = {step: fragment_due(step, inner=6, fragments=3, delay=1) for step in range(1, 13)}
    assert {step: sent for step, (sent, _) in due.items() if sent is not None} == {
        1: 0, 3: 1, 5: 2, 7: 0, 9: 1, 11: 2,
    }  # fmt: skip
    assert {step: arrives for step, (_, arrives) in due.items() if arrives is not None} == {
        2: 0, 4: 1, 6: 2, 8: 0, 10: 1, 12: 2,
    }  # fmt: skip


@pytest.mark.parametrize(("fragments", "delay"), [(4, 0), (3, 2), (3, -1)])
def test_a_schedule_in_which_fragments_overtake_each_other_is_refused(fragments: int, delay: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        fragment_due(1, inner=6, fragments=fragments, delay=delay)


# Verified aggregation


def test_right_contributions_all_enter_copied_or_not() -> None:
    parts = drawn(2)
    came = [copies(0, *[parts[0]] * 3, sent=parts[0]), copies(1, *[parts[1]] * 2, sent=parts[1])]
    came += [copies(replica, parts[replica], sent=parts[replica]) for replica in (2, 3, 4)]
    found = aggregate(came, quorum=5)
    assert found.replicas == (0, 1, 2, 3, 4)
    assert not found.left_out
    assert bits(found.mean) == bits(mean_in_order(parts))


@given(st.integers(0, 99), st.integers(0, 4), st.integers(0, 19), st.integers(0, 31), st.randoms())
def test_a_replica_that_is_wrong_in_one_of_three_copies_changes_nothing(
    seed: int, wrong: int, element: int, bit: int, order: random.Random
) -> None:
    parts = drawn(seed)
    bad = hit(parts[wrong], element, bit)
    came = []
    for replica, part in parts.items():
        executions = [part, part, bad if replica == wrong else part]
        order.shuffle(executions)
        came.append(copies(replica, *executions, sent=part))
    order.shuffle(came)
    assert bits(aggregate(came, quorum=5).mean) == bits(mean_in_order(parts))


@given(st.integers(0, 99), st.integers(0, 4), st.integers(0, 19), st.integers(0, 31), st.randoms())
def test_what_its_copies_do_not_vouch_for_is_left_out_as_if_it_had_not_come(
    seed: int, wrong: int, element: int, bit: int, order: random.Random
) -> None:
    parts = drawn(seed)
    bad, worse = hit(parts[wrong], element, bit), hit(parts[wrong], element, (bit + 1) % 32)
    without = mean_in_order({replica: part for replica, part in parts.items() if replica != wrong})
    cases = [
        copies(wrong, parts[wrong], bad, worse, sent=parts[wrong]),  # two of three wrong, differently
        copies(wrong, parts[wrong], bad, sent=parts[wrong]),  # of two nobody knows which
        copies(wrong, parts[wrong], parts[wrong], sent=bad),  # hit on its way
        copies(wrong, parts[wrong], sent=bad),
    ]
    for case in cases:
        came = [copies(replica, part, part, sent=part) for replica, part in parts.items() if replica != wrong]
        came.append(case)
        order.shuffle(came)
        found = aggregate(came, quorum=3)
        assert [replica for replica, _ in found.left_out] == [wrong]
        assert bits(found.mean) == bits(without)


@given(st.integers(0, 99), st.integers(3, 6), st.integers(0, 5), st.integers(0, 19), st.integers(0, 31))
def test_a_single_copy_s_flip_is_left_out_or_moves_the_mean_by_no_more_than_the_guards_allow(
    seed: int, count: int, wrong: int, element: int, bit: int
) -> None:
    parts = drawn(seed, count)
    wrong %= count
    right = mean_in_order(parts)
    parts[wrong] = hit(parts[wrong], element, bit)
    found = aggregate([copies(replica, part, sent=part) for replica, part in parts.items()], quorum=2)
    if found.left_out:
        assert [replica for replica, _ in found.left_out] == [wrong]
        del parts[wrong]
        assert bits(found.mean) == bits(mean_in_order(parts))
    else:
        moved = torch.cat([(new - old).flatten() for new, old in zip(found.mean, right, strict=True)])
        norms = sorted(float(torch.cat([each.flatten() for each in part]).norm()) for part in parts.values())
        # Its norm is at most 4 medians and was at most the largest: it moved by no more than their sum.
        assert float(moved.norm()) <= (4.0 * norms[count // 2] + norms[-1]) / count


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda value: value * float("nan"), "is not finite"),
        (lambda value: value * float("inf"), "is not finite"),
        (lambda value: value * 1e30, "has a norm of"),
        (lambda value: value * 0.0, "has a norm of"),
    ],
)
def test_a_wrong_single_copy_is_left_out_with_the_reason(change: object, reason: str) -> None:
    parts = drawn(3)
    parts[4] = tuple(change(part) for part in parts[4])  # type: ignore[operator]
    found = aggregate([copies(replica, part, sent=part) for replica, part in parts.items()], quorum=3)
    ((replica, told),) = found.left_out
    assert replica == 4
    assert reason in told


def test_a_single_copy_of_the_usual_size_that_points_elsewhere_is_left_out() -> None:
    generator = torch.Generator().manual_seed(4)
    common = torch.randn(100, generator=generator)
    parts = {each: (common + 0.1 * torch.randn(100, generator=generator),) for each in range(5)}
    parts[2] = (-parts[2][0],)
    found = aggregate([copies(replica, part, sent=part) for replica, part in parts.items()], quorum=3)
    ((replica, told),) = found.left_out
    assert replica == 2
    assert "from the median of the others" in told


def test_guards_have_no_say_over_what_copies_agree_on() -> None:
    parts = drawn(5)
    parts[0] = tuple(part * 1e6 for part in parts[0])
    came = [copies(replica, part, part, sent=part) for replica, part in parts.items()]
    assert aggregate(came, quorum=5).replicas == (0, 1, 2, 3, 4)


def test_two_single_copies_cannot_be_told_apart() -> None:
    parts = drawn(6, 2)
    came = [copies(replica, part, sent=part) for replica, part in parts.items()]
    with pytest.raises(Unresolved, match="too few to compare") as caught:
        aggregate(came, quorum=1)
    assert [replica for replica, _ in caught.value.left_out] == [0, 1]
    assert aggregate(came, quorum=2, guards=None).replicas == (0, 1)
    assert aggregate(came, quorum=2, guards=Guards(fewest=2)).replicas == (0, 1)


def test_of_three_single_copies_one_may_be_wrong_but_not_two() -> None:
    parts = drawn(6, 3)
    right = mean_in_order({0: parts[0], 2: parts[2]})
    parts[1] = tuple(part * float("nan") for part in parts[1])
    came = [copies(replica, part, sent=part) for replica, part in parts.items()]
    assert bits(aggregate(came, quorum=2).mean) == bits(right)
    huge = tuple(part * 1e9 for part in parts[2])
    with pytest.raises(Unresolved, match="replica 0 has a norm"):
        aggregate([*came[:2], copies(2, huge, sent=huge)], quorum=2)


def test_below_the_quorum_nothing_is_guessed() -> None:
    parts = drawn(7, 3)
    came = [copies(0, parts[0], parts[0], sent=parts[0])]
    came += [copies(replica, parts[replica], parts[0], sent=parts[replica]) for replica in (1, 2)]
    with pytest.raises(Unresolved, match="1 contributions are verified, 2 are needed"):
        aggregate(came, quorum=2)
    with pytest.raises(Unresolved, match="none came"):
        aggregate([], quorum=0)


def test_an_aggregate_is_the_same_in_every_order_of_arrival() -> None:
    parts = drawn(8, 4)
    parts[3] = tuple(part * 1e9 for part in parts[3])
    came = [copies(replica, part, sent=part) for replica, part in parts.items()]

    def told(found: Aggregate) -> tuple[object, ...]:
        return bits(found.mean), found.replicas, found.left_out

    first, *others = [told(aggregate(order, quorum=2)) for order in permutations(came)]
    assert first[1] == (0, 1, 2)
    assert all(other == first for other in others)


def test_a_replica_that_contributes_twice_is_refused() -> None:
    parts = drawn(9, 3)
    once = copies(0, parts[0], sent=parts[0])
    with pytest.raises(ValueError, match="twice"):
        aggregate([once, once], quorum=1)
