"""``skyhall run`` where PyTorch is not installed; with it: tests/ml/runtime."""

from __future__ import annotations

from typing import Any

import pytest

import skyhall.cli.extras as extras


@pytest.mark.parametrize("args", [(), ("gpt-train",), ("--list",)])
def test_without_torch_it_says_what_to_install(
    refusal: Any, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    error = refusal("run", *args)
    assert error["exit_code"] == 2
    assert "torch" in error["what"]
    assert error["right"] == "install the extra: pip install 'skyhall[ml]'"
