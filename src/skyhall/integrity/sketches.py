"""Random signs that sum up the columns of a matrix: the checksums' vectors.

A sketch is a matrix X of zeros and signs, (n, 16): each of the n columns of a product is put, with a random sign, into
one of four buckets, four times over with independent signs and buckets. Vectors of ones would be ruined by data of one
sign (every rounding error adds up) and see nothing of two errors that cancel; random signs see a pair of equal and
opposite errors in one row unless it cancels in all four: (1/4 · 1/2)⁴ = 1/4,096, drawn anew for every product.
"""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor

from skyhall.integrity.sums import block_sums

__all__ = ["BUCKETS", "COLUMNS", "LEAST_SIZE", "MOST_SIZE", "REPEATS", "Sketches"]

BUCKETS = 4  # per repeat; fewer columns in each, so less rounding noise
REPEATS = 4
COLUMNS = BUCKETS * REPEATS  # 16 columns cost a processor with wide vectors no more than 4
LEAST_SIZE, MOST_SIZE = 0.75, 1.25  # of the entries of `Sketches.weights`
_LEAST_POOL = 1 << 14


class Sketches:
    """A pool of sketch rows from a seed; a draw is a window of it at a random place, and costs nothing.

    It has a generator of its own: drawing never moves the random numbers of the model under protection.

    Parameters
    ----------
    seed : of the pool and of the windows.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._places = random.Random(seed)
        self._rows = 0
        self._pools: dict[tuple[Any, ...], Tensor] = {}
        self._pool = torch.empty(0)
        self._words: dict[tuple[Any, ...], Tensor] = {}  # exact sums of the pools on a CPU

    def draw(self, rows: int, dtype: Any, device: Any) -> Tensor:
        """Return a sketch of shape (rows, 16) with entries -1, 0 and 1."""
        if 2 * rows > self._rows:
            self._grow(max(_LEAST_POOL, 4 * rows))
        pool = self._pools.get((dtype, device))
        if pool is None:
            pool = self._keep((dtype, device), self._pool.to(dtype=dtype, device=device, copy=True))
        start = self._places.randrange(self._rows - rows + 1)
        return pool[start : start + rows]

    def weights(self, rows: int, dtype: Any, device: Any) -> Tensor:
        """Return random signs times sizes between 0.75 and 1.25, shape (rows,): one vector that is quick to apply.

        Two equal and opposite errors cancel in it only if their sizes agree, to within the limit over the error.
        """
        if rows > self._rows:
            self._grow(max(_LEAST_POOL, 4 * rows))
        vector = self._pools.get((dtype, device, "weights"))
        if vector is None or vector.shape[0] < self._rows:
            generator = torch.Generator().manual_seed(self._seed + 1)
            sizes = LEAST_SIZE + (MOST_SIZE - LEAST_SIZE) * torch.rand(self._rows, generator=generator)
            signs = torch.randint(0, 2, (self._rows,), generator=generator).mul_(2).sub_(1)
            vector = self._keep((dtype, device, "weights"), (sizes * signs).to(dtype=dtype, device=device))
        start = self._places.randrange(self._rows - rows + 1)
        return vector[start : start + rows]

    def signs(self, rows: int, columns: int, dtype: Any, device: Any) -> Tensor:
        """Return a dense matrix (rows, columns) of -1 and 1; at most four columns."""
        x = self.draw(rows, dtype, device)
        return x.view(rows, REPEATS, BUCKETS).sum(-1)[:, :columns]

    def intact(self) -> bool:
        """Return whether the pools on a CPU still hold the words that they were made with.

        Entries that became 0 would see nothing and raise no alarm. Other devices' pools are not asked.
        """
        return all(torch.equal(block_sums(self._pools[key]), words) for key, words in self._words.items())

    def forget(self) -> None:
        """Make the pools anew, from the seed, at the next draw; the windows go on."""
        self._rows = 0
        self._pools, self._words = {}, {}

    def _keep(self, key: tuple[Any, ...], pool: Tensor) -> Tensor:
        self._pools[key] = pool
        if pool.device.type == "cpu":
            self._words[key] = block_sums(pool)
        return pool

    def _grow(self, rows: int) -> None:
        generator = torch.Generator().manual_seed(self._seed)
        signs = torch.randint(0, 2, (rows, REPEATS), generator=generator).mul_(2).sub_(1)
        buckets = torch.randint(0, BUCKETS, (rows, REPEATS), generator=generator)
        pool = torch.zeros(rows, REPEATS, BUCKETS)
        pool.scatter_(2, buckets.unsqueeze(-1), signs.unsqueeze(-1).to(pool.dtype))
        self._pool = pool.view(rows, COLUMNS)
        self._rows = rows
        self._pools, self._words = {}, {}
