# Two commands: `make demo` runs the main job and the examples on a lab fleet, `make test` passes every test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Kerberos is compiled against the system's libraries, so it is set up where their headers are (libkrb5-dev).
EXTRAS := dev$(if $(shell command -v krb5-config),$(shell echo ,kerberos))

EXAMPLES :=

.PHONY: help demo examples test check lint types unit docs benchmark clean

help:
	@echo 'make demo       set up, start 24 hosts on loopback, look at them, kill and resume a run, run the examples'
	@echo 'make examples   the examples of Invoke-Command alone, all or some: make examples EXAMPLES="04 16"'
	@echo 'make test       set up and run everything: lint, types, all tests'
	@echo 'make check      the quick part of it: lint, types, unit tests'
	@echo 'make docs       write the generated reference pages anew'
	@echo 'make benchmark  speed and scale beside peers, as ratios (installs the peers)'

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'setting up $(VENV), which takes a minute or two ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(STAMP)
	@RUNNER='$(BIN)/runner' sh playbooks/demo.sh

examples: $(STAMP)
	@RUNNER='$(BIN)/runner' sh playbooks/invoke-command/run.sh $(EXAMPLES)

test: $(STAMP) lint types
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(STAMP) lint types unit

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

unit: $(STAMP)
	$(BIN)/python -m pytest tests/unit

docs: $(STAMP)
	$(BIN)/python -m docs.generate

benchmark: $(STAMP)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
