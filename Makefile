# Organon: `make demo` shows it at work, `make test` proves it, `make start` opens it. Each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests that run whole processes mostly wait: one process more than there are cores.
PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1)
READY := $(VENV)/.ready

.PHONY: help setup demo start test lint format benchmark recovery gpu page clean

help:
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv (a second time costs nothing)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Organon needs Python 3.11 or newer; name one with: make PYTHON=python3.12 setup"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

demo: setup ## the main job: a finding from real measurements and from a simulated campaign
	$(BIN)/organon demo

start: setup ## broker, workers and pages, until Ctrl-C
	$(BIN)/organon start

test: export PYTHONDONTWRITEBYTECODE = # else each of the many processes that tests start compiles everything anew
test: setup ## all tests, in one process more than there are cores (PROCESSES=0: in one, as plain pytest does)
	$(BIN)/python -m pytest --numprocesses=$(PROCESSES) --maxprocesses=8 --dist=worksteal

lint: setup ## style, complexity, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: setup ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: setup ## reports of quality and speed (minutes)
	$(BIN)/python -m tests.benchmarks.simulation
	$(BIN)/organon benchmark source-location --runs 50 --contrasts 100000
	$(BIN)/python -m tests.benchmarks.harness_check --runs 100 --contrasts 100000

recovery: setup ## report: does the agent find the truth in every domain of the catalogue (half an hour)
	$(BIN)/python -m tests.benchmarks.identification

gpu: ## train the universal policy for seven minutes where a GPU is; leaves an agent and a report in $$OUT (installs nothing)
	$(PYTHON) -m meta_learner.training.job --seconds 420 --out $${OUT:-out}

page: setup ## BENCHMARKS.md, made from the files of results
	$(BIN)/python -m tests.benchmarks.page

clean: ## forget the environment
	rm -rf $(VENV)
