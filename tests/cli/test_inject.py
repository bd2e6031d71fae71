"""``skyhall inject`` where PyTorch is not installed; with it: tests/ml/integrity."""

from __future__ import annotations

from typing import Any

import pytest

import skyhall.cli.extras as extras


def test_without_torch_it_says_what_to_install(refusal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    error = refusal("inject")
    assert error["exit_code"] == 2
    assert "torch" in error["what"]
    assert error["right"] == "install the extra: pip install 'skyhall[ml]'"
