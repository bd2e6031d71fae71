"""`gpt-serve`: a trained GPT answers the requests of a trace, a batch of them a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from skyhall.errors import FileProblem, Place, ValueProblem, did_you_mean
from skyhall.integrity import CheckpointError, digest_of, load
from skyhall.jobs.gpt import GPT, SIZES, Cache, build
from skyhall.jobs.job import Job
from skyhall.jobs.train import text_of
from skyhall.work.traces import Trace, read_trace, synthetic_trace

__all__ = ["NOTHING", "GPTServe", "GPTServeParameters", "answers"]

NOTHING = -1  # stands after the end of a reply that is shorter than others


@dataclass(frozen=True, slots=True)
class GPTServeParameters:
    """What to serve.

    Attributes
    ----------
    checkpoint : path of what `gpt-train` wrote of the same text and size; empty serves new weights, untrained.
    text : path of a UTF-8 text whose last tenth the prompts are cut from; empty stands for the sources of Python's
        standard library.
    size : of `skyhall.jobs.gpt.SIZES`.
    trace : path of a CSV file of requests (see `skyhall.work.traces`); empty stands for a synthetic one.
    requests : at most; the first ones of the trace.
    rate : requests/s on average, to which the trace's times are stretched; 0 leaves them.
    batch : requests that are answered together, in the order of their arrival.
    prompt_limit, reply_limit : tokens, to which the trace's lengths are scaled; together at most the model's block. 0
        stands for half of it.
    seed : of the prompts, the synthetic trace and the untrained weights.
    """

    checkpoint: str = ""
    text: str = ""
    size: str = "0.8m"
    trace: str = ""
    requests: int = 64
    rate: float = 0.0
    batch: int = 8
    prompt_limit: int = 0
    reply_limit: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise _wrong(f"there is no size '{self.size}'", "size", did_you_mean(self.size, SIZES))
        for name in ("requests", "batch"):
            if getattr(self, name) < 1:
                raise _wrong(f"{getattr(self, name)} serves nobody", name, "at least 1")
        if not 0.0 <= self.rate < np.inf:
            raise _wrong(f"{self.rate} is no rate", "rate", "requests/s, or 0 for the trace's own")
        for name in ("prompt_limit", "reply_limit"):
            if getattr(self, name) < 0:
                raise _wrong(
                    f"{getattr(self, name)} tokens are none", name, "at least 1, or 0 for half a block"
                )
        block, (prompt, reply) = SIZES[self.size].block, self.limits
        if prompt + reply > block:
            raise _wrong(
                f"prompts of {prompt} and replies of {reply} tokens do not fit into a block of {block}",
                "prompt_limit",
                f"together at most {block}",
            )

    @property
    def limits(self) -> tuple[int, int]:
        """Longest prompt and longest reply, tokens."""
        half = SIZES[self.size].block // 2
        return self.prompt_limit or half, self.reply_limit or half


class GPTServe(Job):
    """The job; its outcome is the digest of all answers."""

    Parameters = GPTServeParameters
    meanings: ClassVar[Mapping[str, str]] = {"requests": "answered", "tokens": "said, one a character"}

    def __init__(self, parameters: GPTServeParameters) -> None:
        self.parameters = parameters
        self._text = text_of(parameters.text)
        config = replace(SIZES[parameters.size], vocabulary=len(self._text.alphabet))
        self.model = build(config, parameters.seed).eval().requires_grad_(False)
        if parameters.checkpoint:
            _load_weights(self.model, parameters.checkpoint)
        self.optimizer = None
        self._trace = _trace_of(parameters)
        count, batch = len(self._trace), parameters.batch
        longest, there = int(self._trace.prompts.max()), len(self._text.validation)
        if there < longest:
            raise _wrong(
                f"its last tenth has {there} characters: too few for prompts of {longest}",
                "text",
                "name a longer text, or lower prompt_limit",
            )
        self._batches = [range(first, min(first + batch, count)) for first in range(0, count, batch)]
        self.units = len(self._batches)
        times = self._trace.arrivals_s.tolist()
        self.arrivals = tuple(tuple(times[each] for each in batch) for batch in self._batches)
        self.kept = {"answers": torch.full((count, int(self._trace.replies.max())), NOTHING)}

    def prompt(self, request: int) -> Tensor:
        """Return the prompt of a request, int64 (length,): cut from the text where seed and request say."""
        length = int(self._trace.prompts[request])
        tokens = self._text.validation
        drawn = np.random.default_rng([self.parameters.seed, request])
        start = int(drawn.integers(0, len(tokens) - length + 1))
        return tokens[start : start + length]

    def unit(self, number: int) -> Tensor:
        """Answer a batch: int64 (requests, longest reply), `NOTHING` after the end of shorter ones."""
        batch = self._batches[number]
        counts = [int(self._trace.replies[request]) for request in batch]
        assert isinstance(self.model, GPT)
        return answers(self.model, [self.prompt(request) for request in batch], counts)

    def keep(self, number: int, result: Any) -> None:
        """Keep the answers."""
        batch = self._batches[number]
        self.kept["answers"][batch.start : batch.stop, : result.shape[1]] = result

    def outcome(self) -> dict[str, Any]:
        """Return digest and number of the tokens said, and what the digest of the text makes comparable.

        Latency is not among it: service times are measured, and so no part of the state. The runtime gives them to
        `skyhall.work.latencies`, with `arrivals`.
        """
        said = self.kept["answers"]
        return {
            "answers_sha256": digest_of({"answers": said}),
            "requests": len(said),
            "tokens": int((said != NOTHING).sum()),
            "untrained": not self.parameters.checkpoint,
            "text_sha256": self._text.digest,
        }


@torch.no_grad()
def answers(model: GPT, prompts: Sequence[Tensor], counts: Sequence[int]) -> Tensor:
    """Return the greedy replies to prompts of several lengths, computed together with a cache of keys and values.

    A new token costs one token's work instead of the whole context's. Every sequence runs until the longest reply is
    done; what a shorter one says after its end is thrown away.

    Parameters
    ----------
    prompts : int64 (length,) each, at least one token; with the longest reply at most `config.block`.
    counts : tokens of each reply, at least 1.

    Returns
    -------
    Tensor
        int64 (prompts, longest reply), `NOTHING` after the end of a reply.
    """
    device = model.tokens.weight.device
    rows = torch.arange(len(prompts), device=device)
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    wanted = torch.tensor(counts, device=device)
    padded = torch.nn.utils.rnn.pad_sequence(list(prompts), batch_first=True).to(device)
    # The last token said is never read, so that it needs no place.
    cache = Cache(model.config, len(prompts), padded.shape[1] + max(counts) - 1, device=device)
    logits = model(padded, cache)[rows, lengths - 1]
    cache.lengths = lengths  # what the padding left behind a shorter prompt is overwritten before it is seen
    said = torch.full((len(prompts), max(counts)), NOTHING, device=device)
    for step in range(max(counts)):
        token = logits.argmax(-1)
        said[:, step] = torch.where(step < wanted, token, NOTHING)
        if step + 1 < max(counts):
            logits = model(token[:, None], cache)[:, -1]
    return said


def _trace_of(parameters: GPTServeParameters) -> Trace:
    count = parameters.requests
    if parameters.trace:
        trace = read_trace(Path(parameters.trace)).first(count)
    else:
        trace = synthetic_trace(count, parameters.seed)
    if parameters.rate > 0.0:
        trace = trace.at_rate(parameters.rate)
    return trace.scaled(*parameters.limits)


def _load_weights(model: GPT, path: str) -> None:
    """Put the weights of a checkpoint into a model; nothing else of it is used, no random state either."""
    try:
        state = load(path)
    except CheckpointError as error:
        raise FileProblem(str(error), place=Place("--set", "checkpoint")) from None
    try:
        model.load_state_dict(state["model"])
    except (KeyError, TypeError, RuntimeError, AttributeError):
        raise ValueProblem(
            f"{path} is of another model",
            place=Place("--set", "checkpoint"),
            right="give the size and the text that it was trained with",
        ) from None


def _wrong(what: str, name: str, right: str) -> ValueProblem:
    return ValueProblem(what, place=Place("--set", name), right=right)
