"""The vote: what copies agree on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

__all__ = ["agreed_digest"]


def agreed_digest(digests: Sequence[str], quorum: int) -> str | None:
    """Return the digest of a majority that is a quorum too; None where there is none, never a guess."""
    if not digests:
        return None
    digest, votes = Counter(digests).most_common(1)[0]
    return digest if votes >= quorum and 2 * votes > len(digests) else None
