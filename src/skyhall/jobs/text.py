"""Text as training data: a vocabulary of characters, and batches that any step can be asked for again."""

from __future__ import annotations

import hashlib
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

__all__ = ["Text", "read_text", "standard_library_text"]

_SIZE = 1_200_000  # characters of the standard library: about tiny Shakespeare's 1,115,394


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A text as character indices, its first nine tenths to train on and the rest to validate.

    Attributes
    ----------
    alphabet : its characters, ascending; a character's index is its token.
    tokens : int64, one a character.
    """

    alphabet: str
    tokens: Tensor

    @classmethod
    def of(cls, text: str) -> Text:
        """Return the text with its own alphabet; `ValueError` when it is shorter than 20 characters."""
        if len(text) < 20:
            raise ValueError(f"a text of {len(text)} characters is too short to train on")
        alphabet = "".join(sorted(set(text)))
        index = {letter: place for place, letter in enumerate(alphabet)}
        numbers = np.fromiter((index[letter] for letter in text), dtype=np.int64, count=len(text))
        return cls(alphabet, torch.from_numpy(numbers))

    @property
    def training(self) -> Tensor:
        """The first nine tenths."""
        return self.tokens[: len(self.tokens) * 9 // 10]

    @property
    def validation(self) -> Tensor:
        """The last tenth."""
        return self.tokens[len(self.tokens) * 9 // 10 :]

    @property
    def digest(self) -> str:
        """SHA-256 of alphabet and tokens, in hex: two runs that name the same digest read the same data."""
        hashed = hashlib.sha256(self.alphabet.encode())
        hashed.update(self.tokens.numpy().astype("<i8").tobytes())
        return hashed.hexdigest()

    def batch(
        self, step: int, *, rows: int, block: int, seed: int, part: str = "training"
    ) -> tuple[Tensor, Tensor]:
        """Return what step `step` sees: inputs and next characters, int64 of shape (rows, block) each.

        The draw depends on `seed`, `part` and `step` alone; no generator's state is kept between steps.
        """
        tokens = self.training if part == "training" else self.validation
        if len(tokens) <= block:
            raise ValueError(f"the {part} part has {len(tokens)} characters: too few for blocks of {block}")
        drawn = np.random.default_rng([seed, int(part == "training"), step])
        starts = torch.from_numpy(drawn.integers(0, len(tokens) - block, size=rows))
        places = starts[:, None] + torch.arange(block + 1)
        chosen = tokens[places]
        return chosen[:, :-1].contiguous(), chosen[:, 1:].contiguous()

    def encode(self, text: str) -> Tensor:
        """Return the tokens of `text`; `ValueError` names a character that the alphabet lacks."""
        unknown = sorted(set(text) - set(self.alphabet))
        if unknown:
            raise ValueError(f"the alphabet lacks {unknown[0]!r}")
        return torch.tensor([self.alphabet.index(letter) for letter in text], dtype=torch.int64)

    def decode(self, tokens: Tensor) -> str:
        """Return the characters of int64 tokens of any shape, in order."""
        return "".join(self.alphabet[token] for token in tokens.reshape(-1).tolist())


def read_text(path: str | Path) -> Text:
    """Return the text of a UTF-8 file."""
    return Text.of(Path(path).read_text(encoding="utf-8"))


def standard_library_text(size: int = _SIZE) -> Text:
    """Return sources of the running Python's standard library: a text that every machine has.

    Modules in the order of their names, until `size` characters; what is not printable ASCII is left out, so that the
    alphabet is the same for every version (the text is not: compare `Text.digest`).
    """
    kept: list[str] = []
    length = 0
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="ignore")
        kept.append("".join(letter for letter in source if letter == "\n" or " " <= letter <= "~"))
        length += len(kept[-1])
        if length >= size:
            break
    return Text.of("".join(kept)[:size])
