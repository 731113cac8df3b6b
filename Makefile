# Two commands do all the set-up on a fresh machine with Python 3.11+ and make: `make demo`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Some machines switch bytecode off; every Prefect process then starts 1.6 s later.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo up down test contract-server check lint format types house soak bench clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv with everything, so that .venv/bin/catchment works

# The pip of Python 3.11 takes three times as long to find versions as a new one, and compiles on one core only;
# samples among the modules that are no Python are no reason to stop.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Catchment and what it needs into $(VENV) (a minute or two) ..."
	@$(BIN)/python -m pip install -qq --no-compile --constraint constraints.txt --upgrade pip
	@$(BIN)/python -m pip install -qq --no-compile --constraint constraints.txt --editable '.[test,dev,bench]'
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@touch $(STAMP)

demo: $(STAMP) ## Sync a folder (SOURCE=..., by default the shipped corpus), search it, sync it again
	@$(BIN)/python examples/demo.py $(if $(SOURCE),"$(SOURCE)")

up: $(STAMP) ## Run the local stack in the foreground; Ctrl-C stops it
	@$(BIN)/catchment up

down: $(STAMP) ## Stop the local stack
	@$(BIN)/catchment down

test: $(STAMP) ## Run every test, with the servers that they need (ARGS=... for some of them)
ifeq ($(strip $(ARGS)),)
	@echo "Tests without Prefect run beside those with it, which mostly wait, and yield to them ..."
	@nice -n 15 $(BIN)/python -m pytest -m "not prefect" --numprocesses 2 --dist loadfile --durations 15 >.test-plain.log 2>&1 & plain=$$!; \
	CATCHMENT_STACK_WORKER_NICENESS=0 CATCHMENT_STACK_WORKER_POLL_SECONDS=1 \
		$(BIN)/python -m pytest -m prefect --durations 25; with=$$?; \
	wait $$plain; without=$$?; cat .test-plain.log; \
	test $$with -eq 0 && test $$without -eq 0
else
	$(BIN)/python -m pytest $(ARGS)
endif

contract-server: $(STAMP) ## Run the stack on an empty store for contract clients: ENV=file [PORT=n]
	@test -n "$(ENV)" || { echo "Name the file that gets the variables: make contract-server ENV=env.json"; exit 2; }
	@exec $(BIN)/python -m tests.contract.server "$(ENV)" $(PORT)

check: lint types house ## Check style, types and the directions of imports

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

house: $(STAMP)
	$(BIN)/lint-imports

format: $(STAMP) ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: $(STAMP) ## Run the crash, model and memory tests with their full counts (two hours or more)
	CATCHMENT_SOAK=1 $(BIN)/python -m pytest tests/journey tests/sync tests/connectors/s3/test_s3_memory.py $(ARGS)

bench: $(STAMP) ## Measure beside a hand-written script, peers and the physical floor
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## Remove what the targets above made, .venv included
	rm -rf $(VENV) .test-plain.log .demo .bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
