# make repro: install what is missing and run the pipeline. make test: lint, types and tests. make ui: runs side by side.
# The environment is keyed by a hash of what defines it (of pyproject.toml all before the tools' settings) and shared between
# clones; .venv points to it.
SHELL := /usr/bin/env bash
PYTHON ?= python3.11
KEY := $(shell (sed '/^.tool/,$$d' pyproject.toml; cat constraints.txt constraints/*.txt) | sha256sum | cut -c1-16)
VENVS ?= $(HOME)/.cache/retrace
VENV := $(VENVS)/$(KEY)
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: install repro results review train test lint unit soak coverage bench ui clean-venvs help
help:  ## this list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ {printf "%-13s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## the virtual environment, once per version of the dependency files
	@ln -sfn $(VENV) .venv

$(VENV)/.installed:
	@mkdir -p $(VENVS)
	@flock $(VENVS)/lock bash -ec 'test -e $@ && exit; echo "Installing into $(VENV) (some minutes, 7 GB)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); \
		$(VENV)/bin/pip install --disable-pip-version-check --quiet -c constraints.txt ".[dev]"; touch $@'

repro: install  ## run what changed (dvc repro)
	@python -m stages.mend_lock && dvc repro

train: install  ## train the networks (training/; hours), never part of repro
	@dvc repro training/dvc.yaml

test: lint unit  ## ruff, mypy, pytest

lint: install
	@ruff check .
	@ruff format --check .
	@mypy stages tests training

unit: install
	@pytest -n auto --dist worksteal

soak: install  ## the long campaigns behind "What Retrace promises" (hours): changed dependencies, kills, faults, malformed inputs, ten hours of video
	@pytest -m soak
	@python -m tests.campaigns.dependencies
	@python -m tests.campaigns.kills --kills 200
	@python -m tests.campaigns.faults
	@python -m tests.campaigns.fuzz --inputs 100000
	@python -m tests.campaigns.hours

coverage: install  ## lines of stages/ that the tests run, in processes of their own as well; compiled functions left out
	@pytest -n auto --cov --cov-report=term:skip-covered

bench: $(VENV)/.benchmarks  ## the tracker's speed beside other trackers (tests/benchmarks/README.md)
	@python -m tests.benchmarks.tracker

$(VENV)/.benchmarks: | install
	@$(VENV)/bin/pip install --disable-pip-version-check --quiet -c constraints.txt ".[benchmarks]"
	@touch $@

results: install  ## the figures of the last result again
	@python -m stages.show

review: install  ## see the tracks in the browser and put them right
	@python -m stages.review

ui: install  ## MLflow on http://127.0.0.1:5000
	@MLFLOW_DISABLE_TELEMETRY=true mlflow ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5000

clean-venvs:  ## delete the environments of other versions
	@find $(VENVS) -mindepth 1 -maxdepth 1 -type d ! -name $(KEY) -exec rm -rf {} +
