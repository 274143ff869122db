# One verb a chore. `make quickstart` and `make test` need only Python 3.11 or later, git and a network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: quickstart test unit e2e lint bench drill clean

quickstart: $(BIN)/ftrun
	$(BIN)/ftrun recipe=quickstart

test: lint unit e2e

unit: $(BIN)/ftrun
	$(BIN)/pytest -q -m "not e2e and not drill" -n 2

e2e: $(BIN)/ftrun
	$(BIN)/ftrun envs make trainer server_cpu
	$(BIN)/pytest -q -m "e2e and not drill"

lint: $(BIN)/ftrun
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Ratios and figures of one machine in one run; the trainer's interpreter runs the other side.
bench: quickstart
	$(BIN)/python benchmarks/bench_cli.py --cached recipe=quickstart
	$(BIN)/python benchmarks/bench_format.py --compare "$$($(BIN)/ftrun envs path trainer)"
	$(BIN)/python benchmarks/bench_modal.py
	$(BIN)/python benchmarks/bench_pipeline.py "$$($(BIN)/ftrun envs path trainer)"
	$(BIN)/ftrun envs make server_cpu
	"$$($(BIN)/ftrun envs path server_cpu)" benchmarks/bench_generate.py
	$(BIN)/python benchmarks/bench_serve.py last

# Rehearses every recipe, then kills a run again and again; long, so run before an issue is closed and not in `test`.
drill: $(BIN)/ftrun
	$(BIN)/ftrun envs make trainer server_cpu
	$(BIN)/python tests/drill/rehearsals.py
	$(BIN)/pytest -q -m drill
	$(BIN)/python tests/drill/drill.py
	$(BIN)/python tests/drill/modal_drill.py

$(BIN)/ftrun: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ftrun needs Python 3.11 or later: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "uv>=0.9"
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --editable . --group dev
	@touch $(BIN)/ftrun

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
