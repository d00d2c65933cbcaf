# make demo    a deal lives through its process on a pretend portal; then look around (ARGS="--lang en", CI=true ends by itself)
# make test    the whole test suite
# make lint    style, types, who may import whom
# make serve   the application against a real portal; settings come from the environment, see README

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --constraint constraints.txt

.PHONY: demo serve test lint

demo: .venv/runs
	$(BIN)/python -m demo $(ARGS)

serve: .venv/runs
	$(BIN)/flask --app app serve $(ARGS)

test: .venv/tests
	$(BIN)/pytest -n 3 --dist worksteal $(ARGS)

lint: .venv/tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/runs: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) .
	@touch $@

.venv/tests: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) '.[test]'
	@touch .venv/runs $@
