# Each target works alone, on a machine with Python 3.11 or newer (with venv), make and a network for packages.
#
#   make run        the shipped project, as of 2026-07-01: the table here, the report under reports/
#   make test       all tests
#   make check      format, lint, types, import contracts
#   make test-full  the tests at full size: many more random examples (EXAMPLES=…), every project on every database, all kills,
#                   races, a year of schedules, a long-running daemon
#   make golden     rewrite the files that tests compare with (never in CI)
#   make bench      the small benchmarks, as ratios
#   make bench-project  the whole sample project beside SQL by hand (ROUNDS=3)
#   make bench-scale  cadran beside SQL by hand, over millions of rows (SIZE=1 or 10, ROUNDS=3)
#   make clean      remove what the targets made
#
# Another Python: make run PYTHON=python3.12

PYTHON ?= python3
AS_OF ?= 2026-07-01
EXAMPLES ?= 400
DATABASE_EXAMPLES ?= 40
PYTEST_ARGS ?=
SIZE ?= 1
ROUNDS ?= 3

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
PYTEST := $(PY) -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

# Stamps: the environment is made once, and again only when pyproject.toml changes.
INSTALLED := $(VENV)/.cadran-installed
WITH_TOOLS := $(VENV)/.cadran-with-tools

.DEFAULT_GOAL := run
.PHONY: run test test-full check golden bench bench-project bench-scale clean

run: $(INSTALLED)
	$(VENV)/bin/cadran run --as-of $(AS_OF)
	@echo "The report is in $(CURDIR)/reports: open it in a browser."

test: $(WITH_TOOLS)
	$(PYTEST)

test-full: $(WITH_TOOLS)
	CADRAN_FULL=1 CADRAN_EXAMPLES=$(EXAMPLES) CADRAN_DATABASE_EXAMPLES=$(DATABASE_EXAMPLES) $(PYTEST)

check: $(WITH_TOOLS)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

golden: $(WITH_TOOLS)
	@if [ -n "$$CI" ]; then echo "make golden rewrites what the tests expect, so it is refused where CI is set" >&2; exit 1; fi
	$(PY) -m pytest --golden $(PYTEST_ARGS)

bench: $(WITH_TOOLS)
	$(PY) -m pytest benchmarks --benchmark-disable-gc -p no:xdist $(PYTEST_ARGS)

bench-project: $(WITH_TOOLS)
	$(PY) -m benchmarks.project.run --rounds $(ROUNDS)

bench-scale: $(WITH_TOOLS)
	$(PY) -m benchmarks.scale.run --size $(SIZE) --rounds $(ROUNDS)

clean:
	rm -rf $(VENV) .browser reports public dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks

# --- the environment ---------------------------------------------------------------------------------------------------

# An environment that stands already is kept; one that broke off half-way (no pip in it) is completed.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "cadran needs Python 3.11 or newer, and there is no '$(PYTHON)' here." >&2; \
	  echo "Install it, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "cadran needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -c 'import platform; print(platform.python_version())')." >&2; \
	  echo "Install a newer one, or name it: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -f $@; \
	  echo "$(PYTHON) cannot make environments; on Debian and Ubuntu install python3-venv." >&2; exit 1; }

$(INSTALLED): $(VENV)/bin/python pyproject.toml
	@echo "Installing cadran into $(VENV) (the first time takes a minute) ..."
	@$(PIP) --editable .
	@touch $@

# The extra 'dev' and not a dependency group: pip learned --group in 25.1, and Python 3.11 brings an older one.
$(WITH_TOOLS): $(VENV)/bin/python pyproject.toml
	@echo "Installing cadran and the tools for its tests into $(VENV) ..."
	@$(PIP) --editable '.[dev]'
	@touch $@ $(INSTALLED)
