# One word each; `.ci/run` does the same in a fresh environment.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup test lint lab bench docs demo clean ci

setup:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test]'

test:
	$(BIN)/python -m pytest

lint:
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab:  # build and record every lab program with every toolchain (hours; see tests/lab/lab.py --help)
	$(BIN)/python tests/lab/lab.py build
	$(BIN)/python tests/lab/lab.py record

bench:  # speed and memory against the toolchain's own readers, in one run
	$(BIN)/python bench/bench.py

docs:  # docs/cli.md, the JSON schema, and the demo in README.md
	$(BIN)/python docs/generate.py

demo:
	$(BIN)/gopherdx demo

ci:
	.ci/run

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
