# Bongsu. Needs Python 3.11 or newer (with pip and venv) and make; everything else it brings itself.
#   make test ARGS="tests/setup -k stale"    what comes after ARGS= reaches the program as it is
#   make test QUICK=1                        without the tests that run whole processes, and without chaos
#   make demo EXIT=1                         stops after its report
#   make demo PROVIDER_DOWN=twilio           while that provider answers nothing but 503

.DEFAULT_GOAL := help
PYTHON ?= $(firstword $(foreach version,3.11 3.12 3.13,$(shell command -v python$(version) 2>/dev/null)) python3)
PY     := .venv/bin/python
READY  := .venv/ready
JOBS   ?= 2
ARGS   ?=
# Kept byte code halves the time of every start after the first.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo run test lint format bench chaos services stop clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

setup: $(READY) ## Make .venv and install the pinned packages

$(READY): requirements.txt requirements-dev.txt constraints.txt
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing the pinned packages into .venv …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

demo: $(READY) ## Start everything, send through every channel, show each rule at work
	@$(PY) -m config.demo $(if $(EXIT),--exit) $(if $(PROVIDER_DOWN),--down $(PROVIDER_DOWN)) $(ARGS)

run: services ## Start all processes; Ctrl-C stops them (ARGS="web ios=2": only these)
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) -m config.supervisor $(ARGS)

test: $(READY) ## Run all tests, then a quick chaos on the quiet machine
	@$(PY) -m pytest -n $(JOBS) $(if $(QUICK),-m "not processes") $(ARGS)
	@$(if $(QUICK)$(ARGS),,$(PY) -m benchmarks.chaos --quick --no-file)

lint: services ## Check format, lint, types, imports, migrations, API schema, packages, spelling
	$(PY) -m ruff format --check --output-format concise .
	$(PY) -m ruff check --output-format concise .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PY) manage.py check --fail-level WARNING
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	.ci/migrations
	.venv/bin/deptry .
	.venv/bin/codespell

format: $(READY) ## Format the code and mend what can be mended
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .

bench: $(READY) ## Run the benchmarks and print their table (QUICK=1: in a minute)
	@$(PY) -m benchmarks $(if $(QUICK),--quick) $(ARGS)

chaos: $(READY) ## Break things in the middle of a campaign, and count what is lost and doubled (QUICK=1, BROKER=rabbitmq)
	@$(PY) -m benchmarks.chaos $(if $(QUICK),--quick) $(if $(BROKER),--broker $(BROKER)) $(ARGS)

services: $(READY) ## Start the embedded PostgreSQL and Redis, and print their addresses
	@$(PY) -m config.embedded start

stop: $(READY) ## Stop the embedded PostgreSQL and Redis
	@$(PY) -m config.embedded stop

clean: ## Stop the servers; remove their data, .venv and all caches
	@! test -x $(PY) || $(PY) -m config.embedded remove
	@rm -rf .run .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
