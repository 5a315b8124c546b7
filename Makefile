# One verb per task, the same for both languages. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH

LIBRARY := backends/embedded/libxg2g_transcoder.$(if $(filter Darwin,$(shell uname -s)),dylib,so)
RUST_SOURCES := Cargo.toml Cargo.lock scripts/build-library.sh \
  $(shell find transcoder -type f -not -path '*/fuzz/*' -not -path '*/tests/*' -not -path '*/benches/*')
PIP_INSTALL := .venv/bin/python -m pip install --quiet --require-hashes
say = @printf '  %-10s %s\n' '$(1)'

.PHONY: help build test check fix clean lock
help: ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

build: $(LIBRARY) .venv/bin/xg2g ## compile the remuxer and leave a working .venv/bin/xg2g
	@:

test: build .venv/.dev ## every test of both languages
	$(call say,test) cargo
	@cargo test --locked
	$(call say,test) pytest
	@python -m pytest

check: build .venv/.dev ## formatting, lints and types
	@cargo fmt --check
	@cargo clippy --quiet --locked --all-targets -- -D warnings
	@ruff format --check
	@ruff check
	@mypy

fix: .venv/.dev ## format, and mend what the linters can
	@cargo fmt
	@ruff format
	@ruff check --fix

clean: ## remove everything that was built
	@rm -rf target build dist .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis $(LIBRARY)

lock: ## resolve the locked versions anew
	@scripts/lock.sh

$(LIBRARY): $(RUST_SOURCES)
	$(call say,cargo) $@
	@scripts/build-library.sh --quiet

.venv/.base:
	$(call say,python) .venv
	@$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.runtime: requirements/runtime.txt requirements/build.txt | .venv/.base
	$(call say,python) 'packages to run and to build'
	@$(PIP_INSTALL) -r requirements/runtime.txt -r requirements/build.txt
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.runtime
	$(call say,python) 'packages to test and to check'
	@$(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

.venv/bin/xg2g: pyproject.toml hatch_build.py .venv/.runtime | $(LIBRARY)
	$(call say,python) $@
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@
