# Every task of the project; `make` alone lists them.
PYTHON ?= python3.11
BIN := .venv/bin
PY := $(BIN)/python
SHELL := bash
SERVING := requirements-serving.txt constraints.txt
PINS := requirements.txt requirements-training.txt $(SERVING)
# uv installs several times as fast where it is at hand.
INSTALL := $(if $(shell command -v uv),uv pip install --quiet --python $(PY),$(PY) -m pip install -qq --disable-pip-version-check --no-compile) -r
# The page compiles what it imports; the rest, for which nobody should wait, is compiled after it has opened.
COMPILE := $(PY) -W ignore -m compileall -qq -j 0 .venv/lib || true

.DEFAULT_GOAL := help
.PHONY: help install demo experiments compare ui bench bench-replicas bench-mixed bench-faults bench-model test test-browser test-system test-all test-spark attack soak lint audit format video space lock clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 24

install: .venv/installed ## make .venv with the pinned packages (Python 3.11; skipped when up to date)

# Job control (set -m) makes a group of each, which hears Ctrl-C; the page's end, whatever its cause, ends the other too.
demo: .venv/installed-serving ## open the page; beside it, at low priority, install what trains and run the three experiments
	@set -m; trap 'trap "" INT TERM HUP; kill -INT -- $$(jobs -p | sed s/^/-/); wait' EXIT; trap 'trap "" INT TERM HUP; exit 0' INT TERM HUP; \
	$(PY) demo.py --open & \
	nice -n 19 $(MAKE) --no-print-directory experiments & \
	exec 2>/dev/null; wait %1

experiments: install ## run the three experiments and register the best model
	@$(PY) -m experiments

compare: install ## print the runs of the store side by side
	@$(PY) -m experiments compare

ui: install ## open the MLflow UI on port 5000, and print the links that list and compare the runs
	@$(PY) -m experiments links
	@$(PY) -m mlflow ui --port 5000 --workers 1 \
		--backend-store-uri "$$($(PY) -c 'from settings import Settings; print(Settings().mlflow_tracking_uri)')"

bench: .venv/installed-dev ## put the same load on this API and its peers, side by side (about 4 minutes)
	@$(PY) -m benchmarks.peers
	@$(PY) -m benchmarks.batch

bench-replicas: .venv/installed-dev ## load one process, then three behind nginx (about 4 minutes)
	@$(PY) -m benchmarks.replicas

bench-mixed: .venv/installed-dev ## put a mixed load of 200 users on the server (about 5 minutes)
	@$(PY) -m benchmarks.mixed

bench-faults: .venv/installed-dev ## have the database and MLflow hang, be down and be slow under load (about 20 minutes)
	@$(PY) -m benchmarks.faults

bench-model: install ## measure the latency of one prediction and the accuracy on drawn digits
	@$(PY) -m benchmarks.latency
	@$(PY) -m benchmarks.latency --dataset cifar10
	@$(PY) -m experiments drawn

# Test files in parallel, one per core.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: .venv/installed-dev ## run the unit tests (about 11 minutes on two cores)
	@$(PY) -m pytest $(SIDE_BY_SIDE) $(COVERED) tests/unit

test-browser: .venv/installed-dev ## use the page in a browser, and ask the shipped models (about 15 minutes)
	@$(PY) -m pytest $(SIDE_BY_SIDE) $(COVERED) tests/browser tests/model

video: .venv/installed-dev ## record the whole tour as tour.mp4 (about 5 minutes; needs chromium and ffmpeg)
	@$(PY) -m docs.video

space: install ## write a Hugging Face Space to a new folder, DIR=~/space
	@$(PY) -m deploy.space "$(DIR)"

# The longest first, so that no core waits for one at the end.
LONGEST := tests/system/test_journey.py tests/system/test_retraining.py
SYSTEM := $(LONGEST) $(filter-out $(LONGEST),$(wildcard tests/system/test_*.py))

test-system: .venv/installed-dev ## run the slow tests: training, registry, containers, the whole loop, attacks (about 32 minutes)
	@$(PY) -m pytest $(SIDE_BY_SIDE) $(SYSTEM)
	@$(PY) -m pytest $(SIDE_BY_SIDE) $(COVERED) tests/slow
	@$(PY) -m pytest tests/attacks

# Alone and one after another, since it is asserted that nobody else is kept waiting.
attack: .venv/installed-dev ## attack a page that it starts, and show what others notice and how much memory it takes
	@$(PY) -m pytest -m "" tests/attacks

soak: .venv/installed-dev ## kill parts of the product again and again under load, and let retrainings end
	@$(PY) -m pytest -rP -m soak tests/system

test-all: .venv/installed-dev ## run every test as CI does, with coverage (about 60 minutes)
	@rm -f .coverage
	@$(MAKE) --no-print-directory test test-browser test-system COVERED="--cov --cov-append --cov-report= --cov-fail-under=0"
	@$(BIN)/coverage report --skip-covered

test-spark: .venv/installed-dev ## score 20,000 drawings on a local Spark and compare with the API; weekly on GitHub (needs Java)
	@command -v java >/dev/null || { echo "java was not found. Spark needs it: apt-get install default-jre-headless"; exit 1; }
	@$(INSTALL) requirements-spark.txt
	@$(PY) -m pytest -rP tests/spark

lint: .venv/installed-dev ## check code, types, Dockerfile, compose.yaml, manifests and workflows
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@found=$$($(BIN)/lint-imports --no-logo --no-cache 2>&1) || { echo "$$found"; exit 1; }
	@$(BIN)/hadolint Dockerfile
	@$(PY) -m yamllint --strict .github compose.yaml deploy
	@$(PY) -m check_jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(PY) -m check_jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@$(BIN)/zizmor --offline --quiet .github/workflows

audit: .venv/installed-dev ## look for known vulnerabilities in the pinned packages (skipped without internet)
	@if curl --silent --fail --max-time 20 https://pypi.org/pypi/jinja2/2.4.1/json | grep -q '"aliases"'; then \
		$(BIN)/pip-audit --progress-spinner off --disable-pip --no-deps --requirement constraints.txt; \
	else \
		echo "The audit is skipped: https://pypi.org, which knows the vulnerabilities, can't be reached."; \
	fi

format: .venv/installed-dev ## format the code and fix what the linter can
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

lock: ## pin every package in constraints.txt again, after a change of requirements*.txt
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	@cat requirements-serving.txt requirements-training.txt requirements-dev.txt | sed '/^-/d' > .venv-lock/direct.txt
	@.venv-lock/bin/python -m pip install -qq --disable-pip-version-check -r .venv-lock/direct.txt
	@{ echo '# Every package at the version it was tested with. Written by `make lock`.'; \
		.venv-lock/bin/python -m pip freeze; } > constraints.txt
	@rm -rf .venv-lock

clean: ## remove caches and .venv; data, runs and models stay
	@rm -rf .venv .venv-lock .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	@find . -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found. Install Python 3.11, or name yours: make install PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/installed-serving: $(SERVING) | .venv/bin/python
	@echo "Installing the packages of the page into .venv (less than a minute)"
	@$(INSTALL) requirements-serving.txt
	@touch $@

.venv/installed: $(PINS) | .venv/installed-serving
	@echo "Installing the packages that train models into .venv (a minute)"
	@$(INSTALL) requirements.txt
	@$(COMPILE)
	@touch .venv/installed-serving $@

.venv/installed-dev: requirements-dev.txt $(PINS) | .venv/bin/python
	@echo "Installing the pinned packages, test tools included, into .venv (one to two minutes)"
	@$(INSTALL) requirements-dev.txt
	@$(COMPILE)
	@touch .venv/installed-serving .venv/installed $@
