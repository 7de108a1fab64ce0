# `make help` lists what there is. Everything runs in .venv, which `make setup` makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_HOME ?= .harness
EXPERIMENT := suites/experiments/icd10_coding

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TOKENIZERS_PARALLELISM := false

.DEFAULT_GOAL := help
.PHONY: help setup model demo ui test check lint types bench bench-stats clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(STAMP) model ## make .venv, install everything, fetch the demonstration's model (about 100 MB)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,ui,report,quantization]'
	@touch $@

model: $(STAMP)
	@$(BIN)/harness models pull smollm2-135m-instruct

demo: setup ## fine-tune a real model, compare it with prompting and retrieval, judge it by a policy (CPU, minutes)
	$(BIN)/harness check $(EXPERIMENT) --home $(DEMO_HOME)
	$(BIN)/harness run $(EXPERIMENT) --home $(DEMO_HOME)
	$(BIN)/harness compare $(EXPERIMENT) --candidate lora --against zero_shot few_shot rag base --home $(DEMO_HOME)
	@$(BIN)/harness gate $(EXPERIMENT) --candidate lora --home $(DEMO_HOME); test $$? -ne 1  # 3 fail, 4 inconclusive
	$(BIN)/harness report $(EXPERIMENT) --candidate lora --out $(DEMO_HOME)/reports/evidence.html --home $(DEMO_HOME)
	@echo "next: make ui; your own data: see README.md"

ui: setup ## the pages, on the demonstration's ledger (DEMO_HOME=... for another)
	$(BIN)/harness ui --home $(DEMO_HOME)

test: setup ## run the tests, files side by side: one torch thread each, as more would wait for each other
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n logical --maxprocesses 4 --dist loadfile

check: setup lint types test ## everything that must hold before a commit: style, layers, types, sizes, tests

lint: $(STAMP) ## ruff and import-linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(STAMP) ## basedpyright
	$(BIN)/basedpyright

bench: setup ## benchmarks: ratios against what is compared with, a table each
	@for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

bench-stats: setup ## calibration of the statistics, by simulation and enumeration (minutes)
	$(BIN)/python tests/benchmarks/stats_calibration.py

clean: ## remove the environment and what tools left; .harness stays
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
