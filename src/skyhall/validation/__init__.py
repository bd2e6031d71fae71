"""Published results of others, as data, each computed anew by the model.

It takes nothing but the cases that ship with Skyhall (`cases.yaml`: facts, tolerance, source and convention of every
published number) and gives a table of published, ours, tolerance and verdict. Wrong models that a source's table would
reject are rows as well, and pass when they are rejected. Cases whose model does not exist yet are listed and never
counted as passed. It leaves out what the press says (claims), and comparisons with installed libraries, which are
tests.
"""

from __future__ import annotations

from skyhall.validation.table import Result, Tolerance, validate

__all__ = ["Result", "Tolerance", "validate"]
