# Two commands are enough: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup lock audit check fix test surface demo cluster down docs site evidence bench mutants clean

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
STAMP := $(VENV)/.setup
AUDIT := var/audit
FILE ?=
COPY ?=
WORKERS ?= 2
# The machine's own certificates where it has them, so that a company's proxy is no stranger.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
endif
# Tests that import Airflow, a few seconds in each process; nearly all of them need stores too.
AIRFLOWS := browser dags journeys web
# Where a machine says that nothing compiled is kept, every process would compile all it imports again: seconds each.
unexport PYTHONDONTWRITEBYTECODE
CODE := include dags plugins config tests docs $(wildcard bench)

help:  ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP)  ## Make .venv with exactly the packages of requirements.txt

$(STAMP): requirements.txt requirements-bootstrap.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Sluice needs Python 3.11 to 3.13; try: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "Python has no venv module; on Debian: apt install python3-venv"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes --compile-bytecode requirements.txt
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --editable .
	@$(PY) -m compileall -q include
	@touch $@

lock: setup  ## Compile requirements.txt from pyproject.toml
	$(UV) pip compile pyproject.toml --all-extras --universal --generate-hashes --quiet \
	  --custom-compile-command "make lock" --output-file requirements.txt
	printf 'bandit\npip-audit\n' | $(UV) pip compile - --universal --python-version 3.11 --generate-hashes --quiet \
	  --custom-compile-command "make lock" --output-file requirements-audit.txt

audit: setup  ## Known vulnerabilities of the lock (pip-audit; COPY=advisories without a network), and bandit
	@test -x $(AUDIT)/bin/python || $(PYTHON) -m venv --without-pip $(AUDIT)
	@VIRTUAL_ENV=$(AUDIT) $(UV) pip sync --quiet --require-hashes requirements-audit.txt
	$(AUDIT)/bin/bandit --quiet --recursive --configfile pyproject.toml include/sluice dags plugins config
	$(if $(COPY),PYTHONPATH=tests $(PY) -m house.osv_copy $(COPY)) $(AUDIT)/bin/pip-audit --strict --disable-pip \
	  --require-hashes --progress-spinner off --requirement requirements.txt

check: setup  ## Format, lint, layers, types, size, tests without stores; under a minute
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m ruff check $(CODE)
	$(VENV)/bin/lint-imports
	$(PY) -m mypy
	PYTHONPATH=tests $(PY) -m house.budget
	$(PY) -m pytest -m "not stores and not journey and not slow and not long" -n 2 --hypothesis-profile loop $(AIRFLOWS:%=--ignore tests/%)

fix: setup  ## Format, and repair what the linter can
	$(PY) -m ruff check --fix $(CODE)
	$(PY) -m ruff format $(CODE)

test: setup  ## Every test, on real stores of its own; what is tried often is tried more often by `make evidence`
	@logs=$$(mktemp -d); trap "kill \$$journeys 2>/dev/null; rm -rf $$logs" EXIT; trap "exit 130" INT TERM; \
	$(PY) -m pytest tests/journeys -m "not long" >$$logs/journeys 2>&1 & journeys=$$!; \
	{ $(PY) -m pytest -m "not journey and not long" -n 3 --dist loadfile --no-loadscope-reorder; echo $$? >$$logs/status; } | tee $$logs/tests; \
	echo "journeys through a whole installation, beside the tests above:"; \
	wait $$journeys; status=$$?; cat $$logs/journeys; read tests <$$logs/status; \
	if [ $$((tests || status)) = 1 ]; then echo "what failed, again:"; grep -hE '^(E  |FAILED|ERROR)' $$logs/tests $$logs/journeys | tail -n 60; fi; \
	exit $$((tests || status))

surface: setup  ## Write down anew what somebody outside relies on (tests/surface), for git to show what changed
	SLUICE_GOLDEN=1 $(PY) -m pytest tests/surface

demo: setup  ## The whole story; or with FILE=... a CSV or XLSX of yours
	$(VENV)/bin/sluice demo $(FILE)

cluster: setup  ## The same DAGs on CeleryExecutor, a Redis and WORKERS=2 workers, on this machine
	$(VENV)/bin/sluice up --workers $(WORKERS)

down:  ## Stop what `make demo`, `make cluster` or `sluice up` started
	@test -x $(VENV)/bin/sluice || $(MAKE) setup  # never a newer lock below what runs, and no network to stop it
	$(VENV)/bin/sluice down

docs: setup  ## Make the reference pages from the code
	$(PY) -W ignore -m sluice.cli.reference docs/errors.md

site: setup  ## Build the documentation into var/site, to be read from disk
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet
	@echo "open var/site/index.html"

evidence: setup  ## Every test in its long form, with the acceptance figures at full size; hours
	SLUICE_LONG=1 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

mutants: setup  ## How many small changes to gate and identifiers the tests notice; ALL=1 takes hours; STORES=1: 60 to other rooms
	$(PY) -m $(if $(STORES),bench.mutants_stores run,bench.mutants $(if $(ALL),--all))

bench: setup  ## Ratios beside the floor of the same run; SIZE=full for the large one
	$(PY) -m bench

clean:  ## Remove .venv and caches; stores and secrets in var/ stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
