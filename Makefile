# Lethe. `make` lists the targets; every one sets up what it needs.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Files in the order that tests/kinds.py gives them, one thread to each process. Bytecode is kept, whatever the
# environment says: tests start hundreds of processes, and each would compile our modules anew.
PYTEST := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= \
	$(BIN)/pytest --dist loadfile --no-loadscope-reorder
NPM := cd frontend && ../scripts/npm --silent
WEB := $(shell find frontend/src frontend/public frontend/index.html frontend/vite.config.ts frontend/plugins docs -type f)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/installed frontend/dist/index.html ## Install packages, choose the sandbox, build its image and the web app
	@$(BIN)/lethe setup

demo: .venv/installed ## Run a whole competition on this machine and print its leaderboard (about 4 minutes)
	@$(BIN)/lethe setup
	@$(BIN)/lethe demo

up: setup ## Serve the platform at http://127.0.0.1:8000 until Ctrl-C
	@$(BIN)/lethe up

test: .venv/installed frontend/dist/index.html ## Run all tests, with Docker, Postgres, Redis and Chromium if they are installed
	@echo "Running the tests, three files at once: about 40 minutes on 2 cores."
	@# Two processes leave two cores idle at times, because many tests wait: for containers, leases, limits of time.
	@$(PYTEST) -n 3 --durations=25

test-fast: .venv/installed ## Run the tests that need no Docker, no browser, no training and no server (about 6 minutes on 2 cores)
	@$(PYTEST) -n logical --fast

attacks: .venv/installed ## Attack the sandbox on Docker, on gVisor if it is installed, and without either (about 8 minutes)
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 $(BIN)/pytest tests/sandbox

e2e: .venv/installed frontend/dist/index.html ## Test the web app in a real browser, in every role (about 3 minutes)
	@scripts/chromium >/dev/null
	@$(BIN)/pytest tests/web

screenshots: .venv/installed frontend/dist/index.html ## Save screenshots of every page, light, dark and narrow, to var/screenshots
	@scripts/chromium >/dev/null
	@$(BIN)/python -m tests.web.screenshots

check: .venv/installed frontend/node_modules/installed ## Check lint, formatting, types, import layers and the web app
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(NPM) run check
	@$(NPM) test

fix: .venv/installed frontend/node_modules/installed ## Apply the fixes of linters and formatters
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(NPM) run fix

bench: .venv/installed ## Measure the speed of our code beside plain implementations
	@$(BIN)/python -m benches.score_speed
	@$(BIN)/python -m benches.oracle_speed

gpu-check: .venv/installed ## Show that Lethe works on this machine's GPU, and how fast (at most 12 minutes; no Docker)
	@$(BIN)/python -m benches.gpu_check

load: .venv/installed ## Play 250 and 1,000 users and 2,000 event streams against a whole installation (about 20 minutes)
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benches.load

baselines: setup ## Evaluate every baseline with the whole pipeline and write docs/baselines.md (about 3 hours, resumable)
	@$(BIN)/python -m studies.baselines

release-benchmarks: .venv/installed ## Write faces-small, built if missing, with checksums to var/release for others to import
	@test -d var/benchmarks/faces-small || $(BIN)/lethe benchmark build faces-small
	@$(BIN)/lethe benchmark release faces-small --out var/release

faults: setup ## Break every part at random under 200 evaluations (Docker, Postgres, Redis)
	@$(BIN)/python -m tests.faults.matrix --evaluations 200 --sandbox docker

lock: .venv/installed ## Write requirements/*.lock from what is installed in .venv, with the hashes of PyPI
	@$(BIN)/python scripts/lock

dist: .venv/installed ## Build the distribution into var/dist, install its wheel apart, and try the client
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/try-distribution

frontend/node_modules/installed: frontend/package-lock.json .venv/installed
	@echo "Installing the web app's packages into frontend/node_modules: about a minute, 230 MB of disk."
	@$(NPM) ci
	@touch $@

frontend/dist/index.html: $(WEB) frontend/node_modules/installed
	@echo "Building the web app."
	@$(NPM) run build

.venv/installed: requirements/development.lock requirements/torch.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Lethe needs Python 3.11 or newer. Choose one, for example: make PYTHON=python3.11"; exit 1; }
	@echo "Installing Python packages into .venv: about 2 minutes, 2 GB of disk."
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing. Install it: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check $$($(BIN)/python scripts/torch-index) -r requirements/torch.txt
	@# pip repeats the warnings of the line before; they are shown only if it fails.
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e . 2>.venv/pip.log || { cat .venv/pip.log; exit 1; }
	@touch $@

.PHONY: help setup demo up test test-fast attacks faults e2e screenshots check fix bench gpu-check load baselines release-benchmarks \
	lock dist
