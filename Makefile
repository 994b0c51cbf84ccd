# Two commands: `make demo` shows the hub at work, `make test` proves it. The rest are for contributors.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: demo test lint format bench bench-pull bench-serve bench-identity clean install install-dev

demo: install
	$(BIN)/hub demo $(ARGS)

test: install-dev
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install-dev
	$(BIN)/python tests/bench/bench_sync.py $(ARGS)

bench-pull: install-dev
	$(BIN)/python -m tests.bench.bench_pull $(ARGS)

bench-serve: install-dev
	$(BIN)/python -m tests.bench.bench_serve $(ARGS)

bench-identity: install-dev
	$(BIN)/python -m tests.bench.bench_identity $(ARGS)

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)' || { \
	  echo "customer hub needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make demo PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "python venv is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
