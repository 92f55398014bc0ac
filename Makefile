# make demo   a class of notebooks released, handed in, graded; then look at the pages
# make test   environment, lint, types, import contracts, the tests that people wait for
#             make test T=tests/report, T=grader/report/charts.py: those tests alone
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TORCH ?= torch==2.13.0
PYTEST_ARGS ?=
# A file's tests stay together, so that a sandbox that they share starts once; files that take long
# come first, and `auto` is one process more than there are processors (tests/conftest.py).
PARALLEL := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
FUZZ_SECONDS ?= 60
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where it is set, every process of every test compiles what it imports anew.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo          release an assignment, hand in its sample class, grade it"
	@echo "make desk-demo     a course in the middle of its marking, in a browser"
	@echo "make test          environment, lint, type check, import contracts, tests"
	@echo "make test T=…      the tests of a room, a file or a module alone, such as T=tests/report"
	@echo "make test-long     what takes longer: samples, attacks, faults, semesters, shortened"
	@echo "make image         build the sandbox image (needs a Docker engine)"
	@echo "make test-samples  the sample classes of every assignment, in every sandbox (long)"
	@echo "make test-attacks  every attack in every sandbox, and where a wall is missing (long)"
	@echo "make test-faults   parts of a batch killed, stopped, cut off, at many moments (long)"
	@echo "make test-podman   the sandbox over Podman's socket, where podman is installed"
	@echo "make test-versions the quick tests with the oldest and the newest versions allowed (long)"
	@echo "make test-gpu      what needs a GPU, on a machine that has one"
	@echo "make test-semesters  a class of forty in each course to its LMS, one of 32 at the desk (long)"
	@echo "make soak          a thousand submissions: nothing may grow (long)"
	@echo "make fuzz          coverage-guided fuzzing of every parser, a minute each (long)"
	@echo "make mutants ROOM=wire  faults put into a room on purpose: which do its tests notice? (long)"
	@echo "make nightly       fuzzing by damage, faults, attacks, samples, soak: all that is long"
	@echo "make bench         this grader beside nbgrader and Otter (an hour, on a quiet machine)"
	@echo "make clean         remove what the demo made"

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

# The user's torch is left as it is; a bare "torch" would fetch gigabytes of CUDA.
$(VENV)/.torch: | $(VENV)/bin/python
	$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/pip install --quiet '$(TORCH)'
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.torch
	$(BIN)/pip install --quiet -e .
	@touch $@

$(VENV)/.developing: pyproject.toml $(VENV)/.installed
	$(BIN)/pip install --quiet -e '.[dev]'
	@touch $@

# npm's oidc-provider and axe-core, for tests alone; they need Debian's nodejs and npm.
$(VENV)/.node: tests/helpers/package.json | $(VENV)/bin/python
	@mkdir -p $(VENV)/node && cp tests/helpers/package.json $(VENV)/node/
	npm install --prefix $(VENV)/node --no-audit --no-fund --no-package-lock --silent
	@touch $@

desk-demo: $(VENV)/.developing
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python .ci/desk-demo

demo: $(VENV)/.installed
	@PATH="$(abspath $(BIN)):$$PATH" sh ./.ci/demo

# With T, the tests of a room, a file or a module of ours, and nothing else.
ifdef T
test: $(VENV)/.developing
	nice $(BIN)/python -m pytest -m 'not slow' $$($(BIN)/python -m tests.finding $(T)) $(PYTEST_ARGS)
else
test: $(VENV)/.developing
	$(MAKE) --jobs 3 lint types contracts
	nice $(BIN)/python -m pytest $(PARALLEL) -m 'not slow' $(PYTEST_ARGS)
endif

test-long: $(VENV)/.developing
	nice $(BIN)/python -m pytest $(PARALLEL) -m slow $(PYTEST_ARGS)

lint: $(VENV)/.developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.developing
	$(BIN)/mypy

contracts: $(VENV)/.developing
	$(BIN)/lint-imports

image: $(VENV)/.installed
	$(BIN)/grader sandbox build

test-samples: $(VENV)/.developing
	GRADER_SAMPLES=everywhere nice $(BIN)/python -m pytest -n auto --maxprocesses 4 tests/assignments $(PYTEST_ARGS)

test-attacks: $(VENV)/.developing
	GRADER_ATTACKS=everywhere nice $(BIN)/python -m pytest tests/attacks $(PYTEST_ARGS)

test-faults: $(VENV)/.developing
	GRADER_FAULTS=everywhere nice $(BIN)/python -m pytest tests/faults $(PYTEST_ARGS)

test-gpu: $(VENV)/.developing
	GRADER_REQUIRE_GPU=1 nice $(BIN)/python -m pytest -m gpu tests/sandbox $(PYTEST_ARGS)

# Podman builds the image itself; `GRADER_PODMAN=load` takes Docker's, which is quicker.
test-podman: $(VENV)/.developing
	GRADER_PODMAN=$${GRADER_PODMAN:-build} nice $(BIN)/python -m pytest -m podman tests/sandbox/test_podman.py $(PYTEST_ARGS)

# The oldest versions that pyproject.toml allows, then the newest. torch stays the one of TORCH: those
# of other versions come with gigabytes of CUDA.
VERSIONS_TESTS ?= -m 'not slow and not docker and not browser and not local_box and not gpu' \
	--ignore tests/attacks --ignore tests/faults --ignore tests/semester --ignore tests/assignments
test-versions: $(VENV)/bin/python
	$(BIN)/pip install --quiet 'uv>=0.5,<1'
	mkdir -p .versions
	echo "torch; sys_platform == 'never'" >.versions/without-torch.txt
	for which in lowest-direct highest; do \
	  echo "== $$which"; \
	  $(BIN)/uv pip compile --quiet --resolution $$which --extra dev --no-header --no-annotate \
	    --override .versions/without-torch.txt -o .versions/$$which.txt pyproject.toml && \
	  $(PYTHON) -m venv .versions/$$which && \
	  .versions/$$which/bin/pip install --quiet '$(TORCH)' && \
	  .versions/$$which/bin/pip install --quiet -r .versions/$$which.txt && \
	  .versions/$$which/bin/pip install --quiet --no-deps -e . && \
	  nice .versions/$$which/bin/python -m pytest $(PARALLEL) $(VERSIONS_TESTS) $(PYTEST_ARGS) || exit 1; \
	done

test-semesters: $(VENV)/.developing
	GRADER_SEMESTERS=everywhere nice $(BIN)/python -m pytest tests/semester $(PYTEST_ARGS)

soak: $(VENV)/.developing
	nice $(BIN)/python -m tests.faults.soak $(SOAK_ARGS)

fuzz: $(VENV)/.developing
	$(BIN)/pip install --quiet -e '.[fuzz]'
	for target in notebook archive wire tree verdict receipt spec stored roster marks course export names; do \
	  nice $(BIN)/python -m tests.fuzz $$target -max_total_time=$(FUZZ_SECONDS) || exit 1; done

nightly: $(VENV)/.developing
	GRADER_FUZZ=nightly nice $(BIN)/python -m pytest tests/fuzz tests/sandbox/test_hostile_child.py \
	  tests/grading/test_hostile_relay.py tests/grading/test_hostile_cluster.py $(PYTEST_ARGS)
	$(MAKE) test-faults test-attacks test-samples test-semesters soak

# The rooms are those of benchmarks/mutants.py; without ROOM the table of what is recorded.
mutants: $(VENV)/.developing
	$(BIN)/pip install --quiet -e '.[mutants]'
	nice $(BIN)/python benchmarks/mutants.py $(ROOM) $(MUTANTS_ARGS)

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/compare.py $(BENCH_ARGS)

clean:
	rm -rf demo

.PHONY: help demo test test-long lint types contracts image test-samples test-attacks test-faults test-gpu test-podman test-versions test-semesters soak fuzz mutants nightly bench clean
