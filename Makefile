# One word each; `.ci/run` does the same in a fresh environment.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test lint lab services fit accuracy eval bench corpus docs demo clean ci

setup:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test]'

test:
	$(BIN)/python -m pytest

lint:
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab:  # record every program of the lab with every toolchain (hours; goes on where it was stopped)
	$(BIN)/python tests/lab/lab.py matrix $(LABFLAGS)

fit:  # weights of evidence, and what is found in every recording: likelihoods.yaml, tests/lab/results.json.gz
	$(BIN)/python tests/lab/score.py fit $(FITFLAGS)

services:  # run real software under load and diagnose all that it gives up: tests/lab/services.json
	$(BIN)/python tests/lab/services.py all $(SERVICESFLAGS)

accuracy:  # docs/accuracy.md and its plot, from tests/lab/results.json.gz and services.json
	$(BIN)/python tests/lab/accuracy.py

eval:  # how well retrieval, text and a whole conversation find the right archetype
	$(BIN)/python bench/triage.py $(EVALFLAGS)

corpus:  # check the corpus, and write its vectors and the fit of likeness that are shipped
	$(BIN)/python corpus/check.py --vectors

bench:  # speed and memory against the toolchain's own readers, in one run; a query over a million vectors
	$(BIN)/python bench/bench.py
	$(BIN)/python bench/vectors.py

docs:  # docs/cli.md, the JSON schema, and the demo in README.md
	$(BIN)/python docs/generate.py

demo:
	$(BIN)/gopherdx demo

ci:
	.ci/run

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
