PY ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=

.PHONY: help setup run test check bench ui schema lock

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 10

setup: $(BIN)/.ready  ## Make the virtual environment with everything locked

$(BIN)/.ready: requirements-dev.txt pyproject.toml
	$(PY) -m venv .venv
	-$(BIN)/python -m pip install -q "uv>=0.5" 2>/dev/null
	if [ -x $(BIN)/uv ]; then \
		$(BIN)/uv pip install -q -p $(BIN)/python --require-hashes -r requirements-dev.txt; \
	else \
		$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.txt; \
	fi
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@

run: setup  ## The main job: compare the textbook's strategies
	$(BIN)/deploysim compare textbook --save runs/textbook

test: setup  ## The whole suite
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: setup  ## Format, lint, types and the import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## Speed, as ratios measured in one run
	$(BIN)/python bench/bench.py

ui: setup  ## The web app on this machine
	$(BIN)/deploysim ui

schema: setup  ## Write the JSON Schema of scenario files
	$(BIN)/deploysim schema > scenarios/scenario.schema.json

lock: setup  ## Resolve the dependencies anew
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --extra dev -o requirements-dev.txt pyproject.toml
