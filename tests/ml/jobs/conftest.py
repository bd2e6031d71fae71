from __future__ import annotations

import pytest

from skyhall.jobs.text import standard_library_text


@pytest.fixture(scope="session")
def short_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with enough of the standard library's sources to train on."""
    path = tmp_path_factory.mktemp("text") / "short.txt"
    text = standard_library_text(60_000)
    path.write_text(text.decode(text.tokens), encoding="utf-8")
    return str(path)
