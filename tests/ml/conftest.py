from __future__ import annotations

from importlib.util import find_spec

# `make test` collects this folder too, where PyTorch is not installed.
collect_ignore_glob = [] if find_spec("torch") else ["integrity", "jobs", "runtime"]
