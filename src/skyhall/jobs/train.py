"""`gpt-train`: a character-level GPT learns a text, a step a unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from skyhall.errors import Place, ValueProblem, did_you_mean
from skyhall.jobs.gpt import SIZES, adamw, build, learning_rate, train_step, validation_loss
from skyhall.jobs.job import Job
from skyhall.jobs.text import Text, read_text, standard_library_text

__all__ = ["LOSSES", "GPTTrain", "GPTTrainParameters", "text_of"]


@dataclass(frozen=True, slots=True)
class GPTTrainParameters:
    """What to train.

    Attributes
    ----------
    text : path of a UTF-8 text; empty stands for the sources of Python's standard library, which every machine has.
    size : of `skyhall.jobs.gpt.SIZES`; "0.8m" is nanoGPT's CPU configuration.
    steps : of training; the learning rate falls over as many.
    seed : of the first weights and of the batches.
    """

    text: str = ""
    size: str = "0.8m"
    steps: int = 200
    seed: int = 1

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueProblem(
                f"there is no size '{self.size}'",
                place=Place("--set", "size"),
                right=did_you_mean(self.size, SIZES),
            )
        if self.steps < 1:
            raise ValueProblem(
                f"{self.steps} steps train nothing", place=Place("--set", "steps"), right="at least 1"
            )


LOSSES = {"validation_loss": "nats a character", "training_loss": "nats a character, of the last steps"}


class GPTTrain(Job):
    """The job; its outcome is the validation loss, nats a character."""

    Parameters = GPTTrainParameters
    meanings = LOSSES

    def __init__(self, parameters: GPTTrainParameters) -> None:
        self.parameters = parameters
        self._text = text_of(parameters.text)
        size = SIZES[parameters.size]
        self._config = replace(
            size,
            vocabulary=len(self._text.alphabet),
            steps=parameters.steps,
            warmup=min(size.warmup, parameters.steps // 4),
        )
        self.model = build(self._config, parameters.seed)
        self.optimizer = adamw(self.model, self._config)
        self.units = parameters.steps
        self.kept = {"loss": torch.zeros(parameters.steps)}

    def unit(self, number: int) -> Tensor:
        """Do a step of training and return its loss."""
        config = self._config
        batch = self._text.batch(number, rows=config.rows, block=config.block, seed=self.parameters.seed)
        assert self.optimizer is not None
        return train_step(self.model, self.optimizer, batch, learning_rate(number, config), config.clip)

    def keep(self, number: int, result: Any) -> None:
        """Keep the loss."""
        self.kept["loss"][number] = result

    def told(self, done: int) -> str:
        """Return the loss of the last step."""
        return f"loss {float(self.kept['loss'][done - 1]):.3f}"

    def outcome(self) -> dict[str, Any]:
        """Return losses, and what the digest of the text makes comparable."""
        losses = self.kept["loss"]
        return {
            "validation_loss": validation_loss(self.model, self._text, seed=self.parameters.seed),
            "training_loss": float(losses[-min(len(losses), 20) :].mean()),
            "text_sha256": self._text.digest,
        }


def text_of(path: str) -> Text:
    """Return the text of a file, or the standard library's where the path is empty.

    Raises
    ------
    ValueProblem
        When the file cannot be read, is not UTF-8 or is too short.
    """
    if not path:
        return standard_library_text()
    try:
        return read_text(Path(path))
    except UnicodeDecodeError:
        raise ValueProblem(f"{path} is not text in UTF-8", place=Place("--set", "text")) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ValueProblem(
            f"{path} cannot be trained on ({reason.lower()})",
            place=Place("--set", "text"),
            right="name a text file",
        ) from None
