# One verb per task, the same for both languages. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

export PATH := $(CURDIR)/build/rust:$(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH

LIBRARY := backends/xg2g_backends/embedded/libxg2g_transcoder.$(if $(filter Darwin,$(shell uname -s)),dylib,so)
RUST_SOURCES := Cargo.toml Cargo.lock scripts/build-transcoder.sh $(wildcard scripts/build-codecs.sh) \
  $(shell find transcoder -type f -not -path '*/fuzz/*' -not -path '*/tests/*' -not -path '*/benches/*')
PAGE := xg2g/web/pages/built/index.html
PAGE_SOURCES := scripts/build-page.sh page/build.mjs page/package-lock.json licenses/Apache-2.0.txt $(shell find page/src -type f -not -name "*.test.ts*" -not -name schema.ts)
TRANSCODER := target/release/xg2g-transcoder
# pip that was interrupted leaves packages that it takes for installed the next time: begin anew.
$(shell [ ! -e .venv/.installing ] || kill -0 $$(cat .venv/.installing) 2>/dev/null || rm -rf .venv)
pip_install = @echo $$$$ > .venv/.installing && \
  scripts/counted.sh python '$(1)' $$(cat $(2) | grep -c ==) '^(Collecting|Requirement already) ' \
    .venv/bin/python -m pip install --require-hashes $(addprefix -r ,$(2)) && \
  rm .venv/.installing && touch $@
say = @printf '  %-10s %s\n' '$(1)' '$(2)'

.PHONY: help run build test check fix bench e2e coverage fuzz sanitize soak loss failover load fanout playback chaos siege watch binary dist cross clean lock system
help: ## list the verbs
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	  while IFS='|' read -r verb does; do printf '  make %-8s %s\n' "$$verb" "$$does"; done

run: build ## watch: RECEIVER=http://192.168.1.10 for yours, none for a simulated one; ARGS=...; EXTERNAL=1 for two processes
	@XG2G_STARTED_BY='make run$(if $(RECEIVER), RECEIVER=$(RECEIVER))$(if $(EXTERNAL), EXTERNAL=$(EXTERNAL))' ARGS="$${ARGS-}" \
	  $(if $(EXTERNAL),.venv/bin/python tools/run_external.py,.venv/bin/xg2g) $(if $(RECEIVER),serve --receiver '$(RECEIVER)',demo) $(ARGS)

build: $(LIBRARY) $(TRANSCODER) $(PAGE) .venv/bin/xg2g .venv/bin/xg2g-transcoder ## compile the remuxer, build the web page, and leave a working .venv/bin/xg2g
	@:

test: build .venv/.dev ## every test of both languages
	@scripts/bootstrap.sh test
	$(call say,test,cargo test)
	@cargo test --locked --features service,test-hooks
	$(call say,test,pytest)
	@.venv/bin/python -m pytest
	@scripts/build-page.sh test

e2e: build .venv/.dev ## the running daemon with real clients: ffmpeg, mpv, VLC, Kodi, hdhomerun_config, browsers
	@scripts/bootstrap.sh e2e
	@scripts/build-page.sh packages
	@tools/e2e.sh tests/e2e $(ARGS)

check: build .venv/.dev ## formatting, lints, types, and whether what is generated is fresh
	@scripts/bootstrap.sh check
	$(call say,check,rust)
	@cargo fmt --check
	@cargo clippy --quiet --locked --all-targets --features service,test-hooks -- -D warnings
	@RUSTDOCFLAGS='-D warnings' cargo doc --quiet --no-deps --locked -p xg2g-transcoder --features service
	$(call say,check,python)
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/ruff check --quiet
	@.venv/bin/mypy
	@.venv/bin/mypy --platform win32 --cache-dir .mypy_cache/win32 xg2g backends
	@scripts/build-page.sh check
	$(call say,check,shell and workflows)
	@.venv/bin/shellcheck $$(git grep -lE '^#!.*\bbash$$')
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@scripts/lint-workflows.sh
	$(call say,check,generated files)
	@.venv/bin/python scripts/notice.py --check
	@.venv/bin/python scripts/reference.py --check
	$(call say,check,paths of one machine)
	@! git grep -nIE '(^|[^[:alnum:]_.~}])/(home|root|Users|work)/' -- .

fix: build .venv/.dev ## format, and mend what the linters can
	@scripts/bootstrap.sh check
	@cargo fmt
	@.venv/bin/ruff format --quiet
	@.venv/bin/ruff check --quiet --fix
	@scripts/build-page.sh fix
	@.venv/bin/python scripts/notice.py
	@.venv/bin/python scripts/reference.py

bench: build .venv/.dev ## measure against ffmpeg, beside the budgets: ARGS="--live --json FILE"
	@scripts/bootstrap.sh test
	@.venv/bin/python -m bench $(ARGS)

coverage: build .venv/.dev ## lines that no test runs, of both languages: COVERAGE=python ARGS=tests/backends (Rust needs cargo-llvm-cov)
	@scripts/bootstrap.sh test
	@tools/coverage.sh $(ARGS)

fuzz: ## feed hostile bytes to every parser for FUZZ_SECONDS each (needs nightly and cargo-fuzz)
	@tools/fuzz.sh

soak: build .venv/.dev ## 27 hours of stream time over two wraps, in some ten minutes: ARGS="--hours 1"
	@.venv/bin/python -m tests.load.soak $(ARGS)

loss: build .venv/.dev ## sound missing after lost packets, beside ffmpeg: ARGS="--packets 3 --captures FOLDER"
	@.venv/bin/python -m tests.load.loss $(ARGS)

failover: build .venv/.dev ## 20 viewers for ten minutes while transcoders are killed; ARGS=two: one of two dies; ARGS=service: a rolling update of three
	@.venv/bin/python -m tests.load.failover $(ARGS)

load: build .venv/.dev ## 30 viewers for half an hour, and a receiver that misbehaves: ARGS="--minutes 3 --seed 2"
	@.venv/bin/python -m tests.load.load_test $(ARGS)

fanout: build .venv/.dev ## many viewers of few channels: ARGS="load --viewers 300 --channels 20 --until-it-breaks", ARGS=join
	@scripts/bootstrap.sh test
	@.venv/bin/python -m bench.fanout $(ARGS)

playback: build .venv/.dev ## what somebody sees of the page in Chromium: lip-sync, first picture, zapping, delay: ARGS="--rounds 9"
	@scripts/bootstrap.sh e2e
	@.venv/bin/python -m tests.load.playback $(ARGS)

# Names of before.
chaos: failover
siege: load
watch: playback

binary: system ## one file to copy and run, without Python: dist/xg2g, and dist/xg2g-transcoder
	@scripts/bootstrap.sh binary
	$(call say,binary,dist/xg2g dist/xg2g-transcoder)
	@scripts/build-binary.sh

dist: binary ## all that is published: wheel, source archive, archive of the executables
	$(call say,dist,wheel and archives)
	@scripts/build-dist.sh

cross: .venv/.runtime | system ## library, service and wheel for another platform: TARGET=aarch64-unknown-linux-gnu
	@scripts/cross.sh '$(TARGET)' wheel

sanitize: ## run the C ABI's tests in miri and with AddressSanitizer (needs nightly)
	@tools/sanitize.sh

clean: ## remove everything that was built
	@rm -rf target transcoder/fuzz/target transcoder/fuzz/corpus build dist .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	  page/node_modules page/src/api/schema.ts $(dir $(PAGE)) $(LIBRARY)

lock: ## resolve the locked versions anew
	@scripts/lock.sh

system:
	@scripts/bootstrap.sh build
	@[ -e $(LIBRARY) ] || printf '%s\n' \
	  'The first build compiles codecs, remuxer and service: some six minutes on two cores, less on' \
	  'more. Later ones compile what has changed.'

$(LIBRARY): $(RUST_SOURCES) | system
	@scripts/build-transcoder.sh

# The same build makes both.
$(TRANSCODER): $(LIBRARY)
	@[ -e $@ ] || scripts/build-transcoder.sh
	@touch $@

# Where Node is missing it says so, and nothing is made.
$(PAGE): $(PAGE_SOURCES) | system
	@scripts/build-page.sh

.venv/.base: | system
	$(call say,python,.venv)
	@"$$(scripts/bootstrap.sh python)" -m venv --clear .venv
	@touch $@

.venv/.runtime: requirements/runtime.txt requirements/build.txt | .venv/.base
	$(call pip_install,packages to run and to build,requirements/runtime.txt requirements/build.txt)

.venv/.dev: requirements/dev.txt .venv/.runtime
	$(call pip_install,packages to test and to check,requirements/dev.txt)

.venv/bin/xg2g-transcoder: | $(TRANSCODER) .venv/.base
	@ln -sf ../../$(TRANSCODER) $@

.venv/bin/xg2g: pyproject.toml hatch_build.py .venv/.runtime | $(LIBRARY)
	$(call say,python,$@)
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@
