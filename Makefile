# Lethe. `make` lists the targets; every one sets up what it needs.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
NPM := cd frontend && ../scripts/npm --silent
WEB := $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts -type f)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/installed frontend/dist/index.html ## Install packages, choose the sandbox, build its image and the web app
	@$(BIN)/lethe setup

demo: .venv/installed ## Hold a whole competition on this machine and print its leaderboard (about 3 minutes)
	@$(BIN)/lethe setup
	@$(BIN)/lethe demo

up: setup ## Serve the platform at http://127.0.0.1:8000 until Ctrl-C
	@$(BIN)/lethe up

test: .venv/installed frontend/dist/index.html ## Run all tests; Docker, Postgres, Redis and Chromium are used for real where they are there
	@# In the order given, so that browser tests come last: Playwright's loop stays in its thread to the end.
	@echo "Running the tests, two files at once: about 30 minutes on 2 cores."
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

e2e: .venv/installed frontend/dist/index.html ## Walk through the web app in a real browser, as every role (about 3 minutes)
	@scripts/chromium >/dev/null
	@$(BIN)/pytest tests/web

screenshots: .venv/installed frontend/dist/index.html ## Picture every page in light, dark and narrow into var/screenshots
	@scripts/chromium >/dev/null
	@$(BIN)/python -m tests.web.screenshots

check: .venv/installed frontend/node_modules/installed ## Lint, check formatting, types, layers of imports, the web app
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(NPM) run check
	@$(NPM) test

fix: .venv/installed frontend/node_modules/installed ## Mend what the linters and formatters can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(NPM) run fix

bench: .venv/installed ## Time our code against plain implementations, side by side
	@$(BIN)/python -m benches.score_speed
	@$(BIN)/python -m benches.oracle_speed

baselines: setup ## Run every baseline through the whole pipeline and write docs/baselines.md (about 3 hours, resumable)
	@$(BIN)/python -m studies.baselines

lock: .venv/installed ## Write requirements/ from pyproject.toml; UPGRADE=--upgrade takes the newest versions
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/lock $(UPGRADE)

dist: .venv/installed ## Build the distribution into var/dist, install its wheel apart, and try the client
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/try-distribution

frontend/node_modules/installed: frontend/package-lock.json .venv/installed
	@echo "Installing the web app's packages into frontend/node_modules: about a minute, 300 MB of disk."
	@$(NPM) ci
	@touch $@

frontend/dist/index.html: $(WEB) frontend/node_modules/installed
	@echo "Building the web app."
	@$(NPM) run build

.venv/installed: requirements/development.lock requirements/torch.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Lethe needs Python 3.11 or newer. Name one: make PYTHON=python3.11"; exit 1; }
	@echo "Installing Python packages into .venv: about 2 minutes, 2 GB of disk."
	@$(PYTHON) -m venv .venv || { echo "Install the venv module: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/torch.txt
	@# Its warnings about indexes are those of the line before; they are shown where it fails.
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e . 2>.venv/pip.log || { cat .venv/pip.log; exit 1; }
	@touch $@

.PHONY: help setup demo up test e2e screenshots check fix bench baselines lock dist
