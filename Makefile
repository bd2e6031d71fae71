# Skyhall's commands. Python 3.11 or newer, pip and make are all that must be there; the rest is set up in .venv.
#
#   make run       set up, then the whole chain on the default scenario
#   make test      set up with the test tools, then the quick tests
#   make help      the other targets

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet
DEPENDENCIES := pyproject.toml constraints.txt

.PHONY: help run test test-all test-ml test-ml-all lint types docs docs-blocks wheel bench bench-ml clean
.DEFAULT_GOAL := help

help:
	@echo "make run          the whole chain on the default scenario"
	@echo "make test         the quick tests, with coverage"
	@echo "make test-all     the thorough tests as well (no torch needed)"
	@echo "make test-ml      the tests that need torch (installs it, some 200 MB as the CPU build, and ray)"
	@echo "make test-ml-all  the thorough ones of them as well: an hour and more"
	@echo "make lint types   style, import contracts; static types"
	@echo "make docs         the documentation's code blocks and its site"
	@echo "make wheel        the wheel, tried in a clean environment with the README's blocks"
	@echo "make bench        the benchmarks beside installable peers, in an environment of their own"
	@echo "make bench-ml     what protection of PyTorch programs costs (needs torch, installs it)"
	@echo "make clean        remove all of that; set PYTHON=python3.12 to choose another interpreter"

run: $(VENV)/installed
	$(BIN)/skyhall assess $(ARGS)

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term -m "not slow and not ml" $(ARGS)

test-all: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=term -m "not ml" $(ARGS)

test-ml: $(VENV)/installed-ml
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "ml and not slow" $(ARGS)

test-ml-all: $(VENV)/installed-ml
	$(BIN)/python -m pytest -m ml $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/installed-dev
	$(BIN)/mypy

docs: docs-blocks
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs-blocks: $(VENV)/installed-dev
	$(BIN)/python tools/run_docs_blocks.py docs

wheel: $(VENV)/installed-dev
	$(BIN)/python tools/check_wheel.py

# Peers bring dependencies (and one of them a top-level `tests` package) that must not touch ours.
bench: $(VENV)-bench/installed
	for file in $(filter-out benchmarks/integrity.py,$(wildcard benchmarks/[a-z]*.py)); do \
	  $(VENV)-bench/bin/python $$file $(ARGS) || exit 1; done

bench-ml: $(VENV)/installed-ml
	$(BIN)/python benchmarks/integrity.py $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-bench build dist site .coverage htmlcov
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

# Set-up. Each stamp file is newer than what it was made from, so that a second make installs nothing.
$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Skyhall needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another with PYTHON=, for example: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@rm -rf $(VENV)
	@# Some distributions ship Python without ensurepip; the pip outside then puts one inside.
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --disable-pip-version-check --quiet --python $(BIN)/python install pip; }
	@touch $@

$(VENV)/installed: $(VENV)/made $(DEPENDENCIES)
	@echo "installing Skyhall into $(VENV) (about a minute) ..."
	@$(INSTALL) --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/made $(DEPENDENCIES)
	@echo "installing Skyhall and its test tools into $(VENV) (a few minutes) ..."
	@$(INSTALL) --constraint constraints.txt --editable '.[dev]'
	@touch $(VENV)/installed $@

$(VENV)/installed-ml: $(VENV)/installed-dev constraints-ml.txt
	@echo "installing torch and ray into $(VENV) ..."
	@$(INSTALL) --constraint constraints.txt --constraint constraints-ml.txt --editable '.[dev,ml,ray]'
	@touch $@

$(VENV)-bench/installed: $(VENV)/made benchmarks/requirements.txt $(DEPENDENCIES)
	@echo "installing the benchmarks' peers into $(VENV)-bench ..."
	@rm -rf $(VENV)-bench
	@$(BIN)/python -m venv $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip install --disable-pip-version-check --quiet \
	  --editable . --requirement benchmarks/requirements.txt
	@touch $@
