"""The kinds of job that ship: by name, the module and class that are one, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

__all__ = ["KINDS", "meanings_of", "parameters_of"]

KINDS = {
    "gpt-train": ("train", "GPTTrain", "train a character-level GPT on a text"),
    "fire-watch": ("fire_watch", "FireWatch", "find active fires in thermal images"),
    "ship-watch": ("ship_watch", "ShipWatch", "find ships in radar images of the sea"),
    "gpt-serve": ("serve", "GPTServe", "answer the requests of a trace with a trained GPT"),
    "image-calibrate": ("calibrate", "ImageCalibrate", "correct groups of raw frames of an image sensor"),
    "kernels": ("kernel_runs", "KernelRuns", "execute a kernel of on-board processing over and over"),
    "gpt-parallel": (
        "parallel_train",
        "GPTParallel",
        "train a GPT on batches that replicas share, step by step",
    ),
    "gpt-diloco": (
        "outer_train",
        "GPTDiLoCo",
        "train replicas of a GPT that average their steps now and then",
    ),
}


def meanings_of(kind: str) -> Mapping[str, str]:
    """Return the unit or meaning of the numbers in a kind's outcome; needs torch."""
    module, name, _ = KINDS[kind]
    meanings: Mapping[str, str] = getattr(import_module(f"skyhall.jobs.{module}"), name).meanings
    return meanings


def parameters_of(kind: str) -> dict[str, Any]:
    """Return the parameters of a kind with their defaults; needs torch."""
    module, name, _ = KINDS[kind]
    parameters = getattr(import_module(f"skyhall.jobs.{module}"), name).Parameters()
    return {each.name: getattr(parameters, each.name) for each in fields(parameters)}
