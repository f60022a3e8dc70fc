PY ?= python3
UV ?= uv>=0.5
BIN := .venv/bin
PYTEST_ARGS ?=
LOCK_ARGS ?=

.PHONY: help setup run test check bench fast many fuzz validate platforms ui pictures schema lock

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 10

setup: $(BIN)/.ready  ## Make the virtual environment with everything locked (UV= for pip alone)

# uv only makes it faster: without it pip installs the same files with the same hashes. Everything is
# compiled here, as pip does: where Python may not write byte code, each process would do it anew.
$(BIN)/.ready: requirements-dev.txt pyproject.toml
	@$(PY) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PY=python3.12 ...")'
	$(PY) -m venv .venv
	@if [ -n "$(UV)" ]; then $(BIN)/python -m pip install -q "$(UV)" || echo "no uv: pip goes on alone"; fi
	if [ -n "$(UV)" ] && [ -x $(BIN)/uv ]; then \
		$(BIN)/uv pip install -q --compile-bytecode -p $(BIN)/python --require-hashes -r requirements-dev.txt; \
	else \
		$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.txt; \
	fi
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q simulator tests
	@touch $@

run: setup  ## The main job: compare the textbook's strategies
	$(BIN)/deploysim compare textbook --save runs/textbook

test: setup  ## The whole suite (PYTEST_ARGS="-n 2" for two processes)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: setup  ## Format, lint, types and the import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy simulator
	$(BIN)/lint-imports

bench: setup  ## Speed, as ratios measured in one run
	$(BIN)/python -m bench.bench

fast: setup  ## Compile what counts requests to machine code: the same numbers, nearly twice as fast (needs cc)
	$(BIN)/python -c 'from simulator.play.compiled import main; main()'

many: setup fast  ## Fifty services in one batch: time, cost of a replication, memory
	$(BIN)/python -m bench.many

fuzz: setup  ## Ten thousand mutated manifests: each is read or refused
	$(BIN)/python -m tests.bring.fuzz --count 10000

validate: setup  ## Closed forms against simulation, written to docs/validation.md
	$(BIN)/python -m tests.validation
	$(BIN)/python -m tests.scenarios.incidents

platforms: setup  ## What is simulated of every heading, written to docs/platforms.md
	$(BIN)/python -c 'from simulator.report.headings import markdown; print(markdown(), end="")' > .venv/made
	@mv .venv/made docs/platforms.md

ui: setup  ## The web app on this machine
	$(BIN)/deploysim ui

pictures: setup  ## Pictures of every page of the web app, into docs/images
	$(BIN)/python -m tests.browser.pictures

schema: setup  ## Write the JSON Schema of scenario files
	$(BIN)/deploysim schema > .venv/made
	@mv .venv/made scenarios/scenario.schema.json

lock: setup  ## Resolve the dependencies anew (LOCK_ARGS=--upgrade for newer versions)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --extra dev $(LOCK_ARGS) -o requirements-dev.txt pyproject.toml
