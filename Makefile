# Every target works from a clean clone with Python 3.11+ and make alone; `make` lists them.
# DATABASE_URL and REDIS_URL, where set, replace the SQLite file and the embedded queue.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The first of these that is new enough; `make PYTHON=…` names another.
PYTHON ?= $(firstword $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each; done) python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One pytest process for each core. `make test TESTS=tests/slots` runs a part, ARGS passes options on.
TESTS ?= tests
ARGS ?=
# How long `make fuzz` looks, from which seed, and which single case instead (it is printed with what was found).
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 1
FUZZ_CASE ?=
# The tests are about a machine without configuration; only its servers may be named.
# Compiled tests are kept, whatever the shell says: to compile them anew takes every process of pytest eight seconds.
PYTEST := env -u PYTHONDONTWRITEBYTECODE -u DJANGO_SECRET_KEY -u DEBUG -u ALLOWED_HOSTS -u HTTPS -u PHOENIX_DEMO -u PHOENIX_VAR $(BIN)/python -m pytest
# Who is done takes tests from who is not; the ways that hand out single tests count all that were, again after each.
PARALLEL := --numprocesses auto --dist worksteal

# What a production machine would set; the queue is named, not asked.
PRODUCTION := env -u DEBUG -u DATABASE_URL ALLOWED_HOSTS=shop.example.org REDIS_URL=redis://127.0.0.1:6379/0 \
  DJANGO_SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')"

.PHONY: help install demo serve test e2e slow screenshots coverage check format clean \
  check-format check-lint check-types check-layers check-templates check-django check-deploy check-migrations check-requirements

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make the environment (quick when nothing changed)

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "INSTALL_PYTHON: $(PYTHON) is missing or older than 3.11. Install Python 3.11 or newer, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "INSTALL_VENV: $(PYTHON) cannot make environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --upgrade-deps $(VENV)
	@echo "Installing the libraries into $(VENV); this takes a minute or two…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

demo: $(INSTALLED) ## Load the sample shop, do the main job, print a report
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo

serve: $(INSTALLED) ## Run site, admin, demo shop, worker and reconciler until Ctrl-C
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py serve $(ARGS)

test: $(INSTALLED) ## Run the tests (TESTS=tests/slots for a part)
	@$(PYTEST) $(PARALLEL) $(ARGS) $(TESTS)

e2e: $(INSTALLED) ## Run the tests in a browser (Debian's package chromium)
	@$(PYTEST) $(PARALLEL) -m e2e $(ARGS) $(if $(filter tests,$(TESTS)),tests/e2e,$(TESTS))

slow: $(INSTALLED) ## Run the tests that take longer, and those at full length of which `test` tries a part
	@LAWS=thorough $(PYTEST) $(PARALLEL) -m '(slow or hypothesis or scaled) and not (e2e or fuzz)' $(ARGS) $(TESTS)

screenshots: $(INSTALLED) ## Make the pictures in docs/images anew (needs Debian's package chromium)
	@$(BIN)/python -m tests.screenshots

coverage: $(INSTALLED) ## Run the tests and list the lines they do not reach
	@$(PYTEST) $(PARALLEL) --cov --cov-report=term-missing:skip-covered $(ARGS) $(TESTS)

bench: $(INSTALLED) ## Measure engine and rendering beside their peers (ARGS=--render for one)
	@$(BIN)/python manage.py bench $(ARGS)

fuzz: $(INSTALLED) ## Try hostile input for FUZZ_SECONDS (60)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$(FUZZ_SEED) FUZZ_CASE=$(FUZZ_CASE) $(PYTEST) -m fuzz $(ARGS) tests/fuzz

check: check-format check-lint check-types check-layers check-templates check-django check-deploy check-migrations check-requirements ## Run all static checks (make -k goes on past a failure)
	@echo "All static checks passed."

check-format: $(INSTALLED)
	@echo "format: ruff format --check" && $(BIN)/ruff format --check --quiet .

check-lint: $(INSTALLED)
	@echo "lint: ruff check" && $(BIN)/ruff check --quiet .

check-types: $(INSTALLED)
	@echo "types: mypy" && $(BIN)/mypy --no-error-summary phoenix slots migration rollout

check-layers: $(INSTALLED)
	@echo "layers: lint-imports" && $(BIN)/lint-imports --no-logo >$(VENV)/layers.log || { cat $(VENV)/layers.log >&2; exit 1; }

check-templates: $(INSTALLED)
	@echo "templates: djlint" && $(BIN)/djlint --lint --quiet . >$(VENV)/djlint.log 2>&1 || { cat $(VENV)/djlint.log >&2; exit 1; }

check-django: $(INSTALLED)
	@echo "django: check" && $(BIN)/python manage.py check --fail-level WARNING >/dev/null

check-deploy: $(INSTALLED)
	@echo "django: check --deploy, as in production" && $(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING >/dev/null

check-migrations: $(INSTALLED)
	@echo "django: makemigrations --check" && $(BIN)/python manage.py makemigrations --check --dry-run >$(VENV)/migrations.log || { cat $(VENV)/migrations.log >&2; exit 1; }

check-requirements:
	@echo "requirements: every line pinned, and saying what it is for"
	@bad=$$(grep -nHvE '^(#|-r |$$)|==[^ ]+( *;[^#]*)? +# .+' requirements.txt requirements-dev.txt || true); \
	  test -z "$$bad" || { echo "$$bad" >&2; echo "REQUIREMENT_BARE: pin the version and add a comment that says what it is for." >&2; exit 1; }

format: $(INSTALLED) ## Format the code and mend what can be mended mechanically
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove the environment, the local database and all caches
	rm -rf $(VENV) var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
