"""Serving: a cache changes no answer, nor do faults; what cannot be served says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from skyhall.errors import FileProblem, SkyhallError, ValueProblem
from skyhall.integrity import FaultModel, ServeGuard, inject, save
from skyhall.jobs import gpt
from skyhall.jobs.job import make_job
from skyhall.jobs.serve import NOTHING, GPTServe, answers
from skyhall.jobs.train import GPTTrain

pytestmark = pytest.mark.ml

TINY = {"size": "tiny", "requests": "22"}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, short_text: str) -> str:
    """A checkpoint of `gpt-train` after 300 steps."""
    job = make_job("gpt-train", {"size": "tiny", "steps": "300", "text": short_text})
    for number in range(300):
        job.keep(number, job.unit(number))
    path = tmp_path_factory.mktemp("trained") / "step-300"
    save(path, job.save(300))
    return str(path)


@pytest.fixture(scope="module")
def served(short_text: str) -> Callable[..., GPTServe]:
    def make(**texts: str) -> GPTServe:
        job = make_job("gpt-serve", {**TINY, "text": short_text, **texts})
        assert isinstance(job, GPTServe)
        return job

    return make


def done(job: GPTServe) -> GPTServe:
    for number in range(job.units):
        job.keep(number, job.unit(number))
    return job


def without_cache(job: GPTServe, request: int, count: int) -> torch.Tensor:
    prompt = job.prompt(request)
    return gpt.generate(job.model, prompt[None], count)[0, len(prompt) :]


def test_answers_with_a_cache_in_batches_are_those_of_plain_generation_alone(
    served: Callable[..., GPTServe], trained: str
) -> None:
    job = done(served(checkpoint=trained))
    said = job.kept["answers"]
    lengths = (said != NOTHING).sum(1).tolist()
    assert len(set(lengths)) > 5
    assert len(set(said.flatten().tolist())) > 8  # it says more than one thing
    for request, length in enumerate(lengths):
        assert torch.equal(said[request, :length], without_cache(job, request, length))


def test_a_sequence_may_fill_the_block_and_no_more(served: Callable[..., GPTServe], trained: str) -> None:
    model = served(checkpoint=trained).model
    prompts = [torch.arange(31), torch.arange(1, 17)]
    said = answers(model, prompts, [2, 2])  # the last token said is never read: 31 + 1 places
    for prompt, reply in zip(prompts, said, strict=True):
        assert torch.equal(reply, gpt.generate(model, prompt[None], 2)[0, len(prompt) :])
    with pytest.raises(ValueError, match="33 characters do not fit into a block of 32"):
        answers(model, prompts, [3, 1])


def test_logits_from_a_cache_are_the_plain_ones_within_rounding(
    served: Callable[..., GPTServe], trained: str
) -> None:
    model = served(checkpoint=trained).model
    tokens = torch.arange(64).reshape(2, 32)
    cache = gpt.Cache(model.config, 2, 32)
    parts = [model(tokens[:, begin:end], cache) for begin, end in ((0, 5), (5, 6), (6, 32))]
    torch.testing.assert_close(torch.cat(parts, dim=1), model(tokens), rtol=1e-4, atol=1e-5)


# At "abft" what is computed element by element is not covered; at "full" it is.
@pytest.mark.parametrize(("target", "level"), [("weights", "abft"), ("activations", "full")])
def test_answers_under_fire_are_the_quiet_ones(
    served: Callable[..., GPTServe], trained: str, target: str, level: str
) -> None:
    quiet = done(served(checkpoint=trained)).outcome()
    fire = FaultModel(targets=(target,), bits="top-exponent", count=9)

    def under_fire(level: str) -> tuple[dict[str, object], ServeGuard]:
        job = served(checkpoint=trained)
        guard = ServeGuard(job.model, level=level)
        with inject(job.model, faults=fire, steps=job.units, seed=4) as injector:

            def unit() -> torch.Tensor:
                with injector.computing():
                    return job.unit(number)

            for number in range(job.units):
                injector.begin(number)
                job.keep(number, guard.run(unit))
        assert len(injector.hits) > 5
        return job.outcome(), guard

    protected, guard = under_fire(level)
    assert protected == quiet
    assert sum(guard.report.detected.values()) > 0
    if target == "weights":  # one flip spoils every answer after it, where nothing looks
        assert under_fire("none")[0]["answers_sha256"] != quiet["answers_sha256"]


def test_a_unit_can_be_done_again_and_out_of_order(served: Callable[..., GPTServe], trained: str) -> None:
    forward, job = done(served(checkpoint=trained)), served(checkpoint=trained)
    for number in (2, 0, 1, 1, 0):
        job.keep(number, job.unit(number))
    assert job.digest() == forward.digest()


def test_a_saved_state_goes_on_elsewhere(
    served: Callable[..., GPTServe], trained: str, tmp_path: Path
) -> None:
    job, other = served(checkpoint=trained), served()
    job.keep(0, job.unit(0))
    assert other.load(job.save(1)) == 1
    for number in range(1, other.units):
        other.keep(number, other.unit(number))
    assert other.kept["answers"].tolist() == done(served(checkpoint=trained)).kept["answers"].tolist()


def test_every_request_belongs_to_one_unit_with_its_arrival(served: Callable[..., GPTServe]) -> None:
    job = served(batch="5", rate="2")
    assert [len(batch) for batch in job.arrivals] == [5, 5, 5, 5, 2]
    times = [time for batch in job.arrivals for time in batch]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(21 / 2)


def test_the_outcome_says_whether_anybody_trained_what_answers(
    served: Callable[..., GPTServe], trained: str
) -> None:
    assert done(served()).outcome()["untrained"] is True
    outcome = done(served(checkpoint=trained)).outcome()
    assert outcome["untrained"] is False
    assert outcome["requests"] == 22
    assert outcome["tokens"] > 22


def test_a_file_s_trace_decides_the_replies_lengths(
    served: Callable[..., GPTServe], trained: str, tmp_path: Path
) -> None:
    trace = tmp_path / "trace.csv"
    rows = [f"2023-11-16 18:17:0{second}.5,{4 + second},{3 * second + 1}" for second in range(4)]
    trace.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *rows]), encoding="utf-8")
    job = done(served(checkpoint=trained, trace=str(trace), batch="3"))
    assert (job.kept["answers"] != NOTHING).sum(1).tolist() == [1, 4, 7, 10]
    assert [len(job.prompt(request)) for request in range(4)] == [4, 5, 6, 7]
    assert job.arrivals == ((0.0, 1.0, 2.0), (3.0,))


@pytest.mark.parametrize(
    ("texts", "kind", "what"),
    [
        ({"size": "huge"}, ValueProblem, "no size 'huge'"),
        ({"requests": "0"}, ValueProblem, "serves nobody"),
        ({"batch": "-1"}, ValueProblem, "serves nobody"),
        ({"rate": "nan"}, ValueProblem, "is no rate"),
        ({"prompt_limit": "20", "reply_limit": "13"}, ValueProblem, "do not fit into a block of 32"),
        ({"reply_limit": "-2"}, ValueProblem, "tokens are none"),
        ({"checkpoint": "nowhere"}, FileProblem, "nowhere"),
        ({"trace": "nowhere"}, FileProblem, "nowhere"),
    ],
)
def test_what_cannot_be_served_is_said(
    served: Callable[..., GPTServe], texts: dict[str, str], kind: type[SkyhallError], what: str
) -> None:
    with pytest.raises(kind, match=what):
        served(**texts)


def test_a_checkpoint_of_another_size_is_refused(
    served: Callable[..., GPTServe], short_text: str, tmp_path: Path
) -> None:
    other = GPTTrain.of({"size": "0.8m", "steps": "1", "text": short_text})
    save(tmp_path / "other", other.save(0))
    with pytest.raises(ValueProblem, match="is of another model"):
        served(checkpoint=str(tmp_path / "other"))


def test_a_text_that_is_shorter_than_a_prompt_is_refused(
    served: Callable[..., GPTServe], tmp_path: Path
) -> None:
    short = tmp_path / "short.txt"
    short.write_text("abcdefghij" * 5, encoding="utf-8")
    with pytest.raises(ValueProblem, match="too few for prompts"):
        served(text=str(short))
