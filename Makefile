# Each target makes what it needs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CODE := domain monitor optimizer rules dashboards manifests serving trimtab tests benchmarks
ARGS ?=
# Files in the order of their names: the longest, the demonstration's, begins early and is not what all wait for in the end.
SIDE_BY_SIDE := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help setup servers demo test check format bench focus clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(READY) ## Make .venv with trimtab and everything `make check` needs

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Trimtab needs Python 3.11 or newer: on Debian or Ubuntu run 'apt-get install python3 python3-venv'"; exit 2; }
	@echo "setup: making $(VENV) with $$($(PYTHON) --version) from requirements.lock"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "setup: on Debian or Ubuntu run 'apt-get install python3-venv', then again"; exit 2; }
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9 2>/dev/null; then \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode -r requirements.lock && \
		VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps -e . ; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@

servers: ## See that Prometheus and Alertmanager are there; install them where that may be done
	@deploy/servers.sh

demo: setup ## The main job on real history (ARGS=--once ends by itself, ARGS=--embedded needs no servers)
	@[[ "$(ARGS)" == *--embedded* ]] || deploy/servers.sh
	@$(BIN)/trimtab demo $(ARGS)

test: setup servers ## Run all tests, a file at a time on each processor (ARGS="tests/x -k y"; ARGS="-n 0" in one process)
	@# With bytecode kept, also where Python is told to keep none: the tests start many processes, each of which would compile all modules.
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

check: setup ## Lint, format, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup servers ## Run every benchmark; each also runs alone
	@for b in $$(grep -lE '^if __name__' benchmarks/*.py); do echo "== $$b"; \
		$(BIN)/python $$b $(ARGS) || { [ $$? -eq 2 ] && echo "skipped: see the line above"; } || exit 1; done

focus: setup ## Check the FOCUS file with the FinOps Foundation's validator (needs Python 3.12)
	$(BIN)/python benchmarks/focus.py $(ARGS)

clean: ## Remove .venv and what tools left
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
