"""A small GPT and its training: character-level, decoder-only, in the sizes that a satellite's test needs.

Written from the public description of nanoGPT's configurations (README and published hyper-parameters), not from its
code: pre-norm blocks, GELU, learned positions, tied embedding, no biases, AdamW with warm-up and cosine decay.
Attention is torch's `scaled_dot_product_attention`; everything else is a linear layer, a norm or element-wise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from skyhall.jobs.text import Text

__all__ = [
    "GPT",
    "SIZES",
    "Cache",
    "GPTConfig",
    "adamw",
    "batches",
    "build",
    "generate",
    "learning_rate",
    "loss_of",
    "train",
    "train_step",
    "validation_loss",
]


@dataclass(frozen=True, slots=True)
class GPTConfig:
    """Shape and training of one model; the defaults are nanoGPT's published CPU configuration.

    Attributes
    ----------
    layers, heads, width : of the transformer; `width` is a multiple of `heads`.
    block : characters of context.
    rows : sequences in a batch.
    vocabulary : distinct tokens.
    steps : after which the learning rate has fallen to a tenth.
    """

    layers: int = 4
    heads: int = 4
    width: int = 128
    block: int = 64
    rows: int = 12
    vocabulary: int = 96
    steps: int = 2000
    warmup: int = 100
    peak_rate: float = 1e-3
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} does not part into {self.heads} heads")


SIZES = {
    "tiny": GPTConfig(layers=2, heads=2, width=64, block=32, rows=8),  # 0.1 M parameters, for tests
    "0.8m": GPTConfig(),
    "3.2m": GPTConfig(width=256, block=128, rows=16),
    # nanoGPT's published configuration for characters, but for its dropout
    "10.7m": GPTConfig(layers=6, heads=6, width=384, block=256, rows=64),
}


class Cache:
    """Keys and values of what a batch of sequences has said so far, so that a new token costs one token's work.

    Parameters
    ----------
    config : of the model.
    rows : sequences.
    length : tokens that each may reach, at most `config.block`.

    Attributes
    ----------
    lengths : (rows,) int64, tokens of each sequence that are in place; the next ones follow there.
    """

    def __init__(
        self, config: GPTConfig, rows: int, length: int, *, device: str | torch.device = "cpu"
    ) -> None:
        if length > config.block:
            raise ValueError(f"{length} characters do not fit into a block of {config.block}")
        shape = (config.layers, rows, config.heads, length, config.width // config.heads)
        self.keys = torch.zeros(shape, device=device)
        self.values = torch.zeros(shape, device=device)
        self.lengths = torch.zeros(rows, dtype=torch.int64, device=device)

    def places(self, count: int) -> Tensor:
        """Return where the next `count` tokens of each sequence stand: (rows, count)."""
        return self.lengths[:, None] + torch.arange(count, device=self.lengths.device)

    def put(self, layer: int, places: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Take in keys and values (rows, heads, count, depth) of a layer, and return all of its own."""
        at = places[:, None, :, None].expand_as(key)
        keys, values = self.keys[layer], self.values[layer]
        return keys.scatter_(2, at, key), values.scatter_(2, at, value)


class _Attention(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query_key_value = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        rows, length, width = x.shape
        parts = self.query_key_value(x).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        if cache is None:
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        else:
            places = cache.places(length)
            key, value = cache.put(layer, places, key, value)
            seen = torch.arange(key.shape[2], device=x.device) <= places[:, None, :, None]
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        return self.out(mixed.transpose(1, 2).reshape(rows, length, width))


class _Block(nn.Module):
    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, bias=False)
        self.attention = _Attention(config)
        self.norm2 = nn.LayerNorm(config.width, bias=False)
        self.up = nn.Linear(config.width, 4 * config.width, bias=False)
        self.down = nn.Linear(4 * config.width, config.width, bias=False)

    def forward(self, x: Tensor, cache: Cache | None = None, layer: int = 0) -> Tensor:
        x = x + self.attention(self.norm1(x), cache, layer)
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    """Characters to the logits of the next ones: int64 (rows, length) to float (rows, length, vocabulary).

    The length is at most `config.block`. With a `Cache`, the tokens follow those that are in it, and join them.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Embedding(config.block, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, bias=False)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.head.weight = self.tokens.weight  # tied, as in GPT-2

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Return the logits."""
        length = tokens.shape[1]
        if length > self.config.block:
            raise ValueError(f"{length} characters do not fit into a block of {self.config.block}")
        places = torch.arange(length, device=tokens.device) if cache is None else cache.places(length)
        x = self.tokens(tokens) + self.positions(places)
        for layer, block in enumerate(self.blocks):
            x = block(x, cache, layer)
        if cache is not None:
            cache.lengths += length
        return self.head(self.norm(x))


def build(config: GPTConfig, seed: int, *, device: str | torch.device = "cpu") -> GPT:
    """Return a new model whose weights depend on `config` and `seed` alone; no global generator is touched."""
    drawn = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):  # the modules' own initialisation draws and is overwritten
        model = GPT(config)
    # GPT-2's: normal with 0.02; what enters the residual stream smaller by sqrt(2 layers).
    narrow = 0.02 / math.sqrt(2.0 * config.layers)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() >= 2:
                scale = narrow if name.endswith(("out.weight", "down.weight")) else 0.02
                weight.normal_(0.0, scale, generator=drawn)
    return model.to(device)


def adamw(model: nn.Module, config: GPTConfig) -> torch.optim.AdamW:
    """Return AdamW that decays matrices and leaves gains alone."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [weight for weight in weights if weight.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [weight for weight in weights if weight.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.peak_rate, betas=config.betas)


def learning_rate(step: int, config: GPTConfig) -> float:
    """Return the rate of a step: linear warm-up, then half a cosine down to a tenth of the peak."""
    if step < config.warmup:
        return config.peak_rate * (step + 1) / (config.warmup + 1)
    share = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    return config.peak_rate * (0.1 + 0.45 * (1.0 + math.cos(math.pi * share)))


def loss_of(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross entropy in nats a character, a scalar."""
    logits = model(inputs)
    return functional.cross_entropy(logits.view(-1, logits.shape[-1]), targets.reshape(-1))


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: tuple[Tensor, Tensor],
    rate: float,
    clip: float = 1.0,
) -> Tensor:
    """Do one step of training and return its loss, a detached scalar.

    A function of the model's, the optimiser's and the batch's bits and of `rate` alone: the same call on the same state
    gives the same bits, with the same kernels and thread count.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(model, *batch)
    loss.backward()
    if clip > 0.0:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.detach()


def train(
    text: Text, config: GPTConfig, steps: int, seed: int, *, device: str | torch.device = "cpu"
) -> tuple[GPT, torch.optim.AdamW, list[float]]:
    """Return a model trained for `steps` steps, its optimiser, and the loss of every step."""
    config = replace(config, vocabulary=len(text.alphabet))
    model = build(config, seed, device=device)
    optimizer = adamw(model, config)
    losses = [
        float(train_step(model, optimizer, batch, learning_rate(step, config), config.clip))
        for step, batch in enumerate(batches(text, config, range(steps), seed, device=device))
    ]
    return model, optimizer, losses


def batches(
    text: Text, config: GPTConfig, steps: range, seed: int, *, device: str | torch.device = "cpu"
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of some steps."""
    for step in steps:
        inputs, targets = text.batch(step, rows=config.rows, block=config.block, seed=seed)
        yield inputs.to(device), targets.to(device)


@torch.no_grad()
def validation_loss(model: GPT, text: Text, *, seed: int, count: int = 20) -> float:
    """Return the mean loss over `count` batches of the validation part, nats a character."""
    config = model.config
    device = model.tokens.weight.device
    total = 0.0
    for step in range(count):
        inputs, targets = text.batch(step, rows=config.rows, block=config.block, seed=seed, part="validation")
        total += float(loss_of(model, inputs.to(device), targets.to(device)))
    return total / count


@torch.no_grad()
def generate(model: GPT, prompt: Tensor, count: int) -> Tensor:
    """Return `prompt` (rows, length) with `count` greedy characters after it; the model sees its last block."""
    tokens = prompt
    for _ in range(count):
        logits = model(tokens[:, -model.config.block :])
        tokens = torch.cat((tokens, logits[:, -1:].argmax(-1)), dim=1)
    return tokens
