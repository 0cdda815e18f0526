# Lapsewatch. `make` lists what there is; everything it makes stays in the checkout.
.DEFAULT_GOAL := help
.PHONY: help install lock demo ui backfill psql lapsewatch test test-full profiles dictionary pictures bench evaluate lint format clean

PYTHON ?= python3
BIN := .venv/bin
# uv from the machine, else one in a private virtual environment.
UV := $(shell command -v uv || echo .uv/bin/uv)
# Its cache too stays in the checkout, unless the machine says otherwise.
export UV_CACHE_DIR ?= $(CURDIR)/.uv/cache

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

install: .venv/linked ## install everything into .venv, as requirements.lock says

.venv/installed: requirements.lock | $(UV)
	@echo "Installing into .venv ..."
	@$(UV) venv --quiet --clear --python $(PYTHON) .venv
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements.lock
	@touch $@

# The command `lapsewatch`, over the checkout as it stands.
.venv/linked: .venv/installed pyproject.toml | $(UV)
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.uv/bin/uv:
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir uv

lock: | $(UV) ## resolve pyproject.toml anew into requirements.lock
	@$(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 --upgrade pyproject.toml --group dev --output-file requirements.lock

demo: install ## a simulated world, the real DAG, a summary
	@$(BIN)/python -m local demo

ui: install ## Airflow's UI on 127.0.0.1 over the same databases
	@$(BIN)/python -m local ui

backfill: install ## assess the demo's users: FROM=2026-10-01 TO=2026-10-30 [ACTIVE=2] [CONF='{...}']; follow it: no FROM
	@$(BIN)/python -m local backfill $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO)) \
		$(if $(ACTIVE),--max-active-runs $(ACTIVE)) $(if $(CONF),--conf '$(CONF)')

psql: install ## SQL on the status database (make -s psql reads standard input too)
	@$(BIN)/python -m local psql

lapsewatch: install ## the command in the demo's world: make lapsewatch ARGS="explain bajesmun.org"
	@$(BIN)/python -m local lapsewatch $(ARGS)

profiles: install ## write README's table of profiles from their declarations
	@$(BIN)/python -m local.readme

# Where the machine keeps Python from it, each of a hundred processes would compile anew what it imports.
test: install ## all tests that need nothing but Python
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-full: install ## tests that need Debian's packages: a real browser, the alert rules, a real MariaDB
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest tests/browser tests/monitoring_rules tests/contracts/profiles/mariadb

dictionary: install ## write docs/data-dictionary.md anew, from the migrations
	@$(BIN)/python -m local dictionary

pictures: install ## take the README's pictures, in Debian's Chromium
	@$(BIN)/python -m local pictures

bench: install ## measure speed, memory and growth into benchmarks/results (twenty minutes; ARGS="--only dashboard")
	@$(BIN)/python -m benchmarks $(ARGS)

evaluate: install ## play a simulated year under every policy into docs/protection.md (a quarter of an hour)
	@$(BIN)/python -m evaluation $(ARGS)

lint: install ## ruff, mypy, import-linter
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@PYTHONPATH=plugins:. $(BIN)/lint-imports

format: install ## mend what ruff can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

clean: ## stop PostgreSQL, remove its data and everything that was installed
	@if [ -e .venv/installed ]; then $(BIN)/python -m local clean; fi
	@rm -rf .local .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
