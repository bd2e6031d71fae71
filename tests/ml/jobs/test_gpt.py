"""The GPT that ships: published sizes, a bit-exact replay of any step, and it learns."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from skyhall.jobs import gpt
from skyhall.jobs.text import Text, standard_library_text

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def text() -> Text:
    return standard_library_text(200_000)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def bits(model: torch.nn.Module) -> list[bytes]:
    return [weight.detach().numpy().tobytes() for weight in model.parameters()]


@pytest.mark.parametrize(
    ("size", "millions"), [("tiny", 0.11), ("0.8m", 0.81), ("3.2m", 3.21), ("10.7m", 10.76)]
)
def test_sizes_have_the_parameters_that_their_names_say(size: str, millions: float) -> None:
    model = gpt.build(gpt.SIZES[size], 0)
    assert sum(weight.numel() for weight in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)


def test_a_new_model_knows_nothing(text: Text) -> None:
    config = replace(gpt.SIZES["tiny"], vocabulary=len(text.alphabet))
    loss = gpt.validation_loss(gpt.build(config, 3), text, seed=0, count=4)
    assert loss == pytest.approx(
        math.log(len(text.alphabet)), abs=0.2
    )  # tied weights: it repeats itself a little


def test_training_learns_the_text_and_is_the_same_bit_for_bit(text: Text) -> None:
    config = replace(gpt.SIZES["tiny"], steps=60, warmup=10)
    model, _, losses = gpt.train(text, config, 60, seed=1)
    assert gpt.validation_loss(model, text, seed=0) < 3.4 < losses[0]
    again, _, same = gpt.train(text, config, 60, seed=1)
    assert losses == same
    assert bits(model) == bits(again)
    other, _, _ = gpt.train(text, config, 5, seed=2)
    assert bits(other) != bits(model)


def test_a_step_can_be_done_again_without_those_before_it(text: Text) -> None:
    config = replace(gpt.SIZES["tiny"], vocabulary=len(text.alphabet))
    model = gpt.build(config, 0)
    optimizer = gpt.adamw(model, config)
    for step, batch in enumerate(gpt.batches(text, config, range(4), seed=5)):
        gpt.train_step(model, optimizer, batch, gpt.learning_rate(step, config))
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    moments = optimizer.state_dict()
    copied = {key: {k: v.clone() for k, v in value.items()} for key, value in moments["state"].items()}
    (last,) = gpt.batches(text, config, range(4, 5), seed=5)
    gpt.train_step(model, optimizer, last, gpt.learning_rate(4, config))
    second = gpt.build(config, 9)
    replayed = gpt.adamw(second, config)
    second.load_state_dict(weights)
    replayed.load_state_dict({"state": copied, "param_groups": moments["param_groups"]})
    (last,) = gpt.batches(text, config, range(4, 5), seed=5)
    gpt.train_step(second, replayed, last, gpt.learning_rate(4, config))
    assert bits(second) == bits(model)


def test_building_touches_no_global_generator() -> None:
    before = torch.get_rng_state()
    gpt.build(gpt.SIZES["tiny"], 4)
    assert torch.equal(before, torch.get_rng_state())


def test_the_model_sees_no_future(text: Text) -> None:
    config = replace(gpt.SIZES["tiny"], vocabulary=len(text.alphabet))
    model = gpt.build(config, 0).eval()
    tokens = text.validation[:32][None]
    changed = tokens.clone()
    changed[0, 20] = (changed[0, 20] + 1) % config.vocabulary
    first, second = model(tokens), model(changed)
    torch.testing.assert_close(first[:, :20], second[:, :20])
    assert not torch.allclose(first[:, 20:], second[:, 20:])


def test_generation_is_greedy_and_longer_than_a_block(text: Text) -> None:
    config = replace(gpt.SIZES["tiny"], vocabulary=len(text.alphabet))
    model = gpt.build(config, 0).eval()
    prompt = text.encode("def main")[None]
    made = gpt.generate(model, prompt, 40)
    assert made.shape == (1, 48)
    assert text.decode(made).startswith("def main")
    assert int(made[0, 8]) == int(model(prompt)[0, -1].argmax())


def test_the_rate_warms_up_and_falls_to_a_tenth() -> None:
    config = gpt.SIZES["0.8m"]
    rates = [gpt.learning_rate(step, config) for step in range(2100)]
    assert max(rates) == rates[100] == config.peak_rate
    assert rates[0] == pytest.approx(config.peak_rate / 101)
    assert rates[2000] == rates[2099] == pytest.approx(0.1 * config.peak_rate)


def test_a_text_keeps_its_characters_and_its_validation_apart() -> None:
    text = Text.of("hello, world. " * 20)
    assert text.decode(text.tokens) == "hello, world. " * 20
    assert len(text.training) == 252
    assert len(text.validation) == 28
    inputs, targets = text.batch(7, rows=3, block=10, seed=1)
    assert inputs.shape == targets.shape == (3, 10)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    assert torch.equal(inputs, text.batch(7, rows=3, block=10, seed=1)[0])
    assert not torch.equal(inputs, text.batch(8, rows=3, block=10, seed=1)[0])
    with pytest.raises(ValueError, match="lacks 'é'"):
        text.encode("é")
    with pytest.raises(ValueError, match="too few"):
        text.batch(0, rows=1, block=64, seed=0, part="validation")
    with pytest.raises(ValueError, match="too short"):
        Text.of("abc")


def test_heads_must_part_the_width() -> None:
    with pytest.raises(ValueError, match="3 heads"):
        gpt.GPTConfig(heads=3)
