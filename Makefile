# One verb a chore; `make help` lists them. They need only Python 3.11 or later, git and a network.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
E2E := tests/e2e tests/plugins/modal tests/modal_control_plane tests/test_locks.py# has all tests marked `e2e`
WORKERS ?= 2# that tests run in, side by side; end-to-end tests have a core each
SEEDED := $(if $(SEED),--seed $(SEED))# `make drill SEED=7` draws the same moments again

.PHONY: help quickstart check test test-all lint unit e2e bench drill clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "make %-11s %s\n", $$1, $$2}'

quickstart: $(BIN)/ftrun ## Fine-tune a small model on this machine's CPU: about 10 minutes
	$(BIN)/ftrun recipe=quickstart

check: $(BIN)/ftrun ## Lint, types, import contracts and unit tests: at most 4 minutes on two cores
	$(MAKE) --no-print-directory -j 2 lint unit

test: check e2e ## `check`, and the end-to-end tests of each stage, a kill, a Modal run, a server: at most 15 minutes

test-all: lint environments ## All tests but drills
	$(BIN)/pytest -q -m "not e2e and not drill" -n $(WORKERS)
	$(BIN)/pytest -q -m "e2e and not drill" -n $(WORKERS) --dist loadfile $(E2E)

# Rehearses every recipe, then kills runs again and again; run it before an issue is closed.
drill: environments ## Rehearse all recipes, kill runs again and again: more than an hour
	$(BIN)/python tests/drill/rehearsals.py
	$(BIN)/pytest -q -m drill
	$(BIN)/python tests/drill/drill.py $(SEEDED)
	$(BIN)/python tests/drill/aimed_kills.py $(SEEDED)
	$(BIN)/python tests/drill/modal_drill.py

lint: $(BIN)/ftrun ## Lint, format, types and import contracts
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(BIN)/ftrun ## Unit tests
	$(BIN)/pytest -q -m "not e2e and not drill and not slow" -n $(WORKERS)

e2e: environments ## End-to-end tests of `make test`
	$(BIN)/pytest -q -m "e2e and not drill and not slow" -n $(WORKERS) --dist loadfile $(E2E)

# Ratios and figures of one machine in one run; the trainer's interpreter runs the other side.
bench: quickstart ## Benchmarks
	$(BIN)/python benchmarks/bench_cli.py --cached recipe=quickstart
	$(BIN)/python benchmarks/bench_format.py --compare "$$($(BIN)/ftrun envs path trainer)"
	$(BIN)/python benchmarks/bench_modal.py
	$(BIN)/python benchmarks/bench_pipeline.py "$$($(BIN)/ftrun envs path trainer)"
	$(BIN)/ftrun envs make server_cpu
	"$$($(BIN)/ftrun envs path server_cpu)" benchmarks/bench_generate.py
	$(BIN)/python benchmarks/bench_serve.py last

.PHONY: environments
environments: $(BIN)/ftrun
	$(BIN)/ftrun envs make trainer server_cpu

$(BIN)/ftrun: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ftrun needs Python 3.11 or later: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "uv>=0.9"
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --editable . --group dev
	@touch $(BIN)/ftrun

clean: ## Remove what the targets made here
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
