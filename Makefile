# The commands of people and of CI. `make` lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The stages of `test` stand in order: what a check finds is not worth a test run.
.NOTPARALLEL:
.PHONY: help run build web check test faults test-tools fuzz audit schema bench

# In CI a stale Cargo.lock is an error; at the desk cargo mends it.
CARGO_FLAGS := $(if $(CI),--locked)

# How long each target is fuzzed; `make test` only looks whether the seeds and what is near them still pass.
FUZZ_SECONDS ?= 60

# Folders too: theirs is the time that changes when a file is removed.
WEB_SOURCES := $(shell find web -mindepth 1 \( -path web/node_modules -o -path web/dist \) -prune -o -print)

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: web ## serve on SQLite at http://127.0.0.1:8000
	cargo run $(CARGO_FLAGS) -- serve

build: web ## the pages and the release binary, target/release/rootstock
	cargo build --release $(CARGO_FLAGS)

web: web/dist ## the pages, if their sources changed

check: ## format, lints and documentation; changes nothing
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(CARGO_FLAGS) -- -D warnings
# What is compiled for the fuzz targets alone.
	cargo clippy --package rootstock-fuzz $(CARGO_FLAGS) -- --cfg fuzzing -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items $(CARGO_FLAGS)

test: test-tools web check ## install what the tests need, then check and test everything
	cargo deny --log-level error --locked check --hide-inclusion-graph bans licenses sources
	ROOTSTOCK_FAULTS=1 cargo test --workspace $(CARGO_FLAGS)
	scripts/fuzz.sh 4

faults: test-tools ## only the tests that break things: servers, databases and what is between them
	ROOTSTOCK_FAULTS=1 cargo test $(CARGO_FLAGS) --test suite faults::

audit: test-tools ## what is known against the dependencies; asks the databases of advisories
	scripts/audit.sh

test-tools: ## install what the tests need and this machine lacks
	scripts/install-test-tools.sh

fuzz: ## fuzz the parsers; `make fuzz FUZZ_SECONDS=600 FUZZ="rest_query http"` does some for longer
	FUZZ_KEEP=fuzz/kept scripts/fuzz.sh $(FUZZ_SECONDS) $(FUZZ)

schema: ## rewrite the printed contracts: schema.graphql, openapi.json, the policy matrix
	cargo run --quiet $(CARGO_FLAGS) -- schema > schema.graphql.new
	mv schema.graphql.new schema.graphql
	cargo run --quiet $(CARGO_FLAGS) -- openapi > openapi.json.new
	mv openapi.json.new openapi.json
	ROOTSTOCK_REFRESH=1 cargo test --quiet $(CARGO_FLAGS) --test suite drift::the_policy_matrix >/dev/null

bench: ## the performance goals; `make bench BENCH="W3 memory"` measures some of it
	cargo bench --bench workloads $(CARGO_FLAGS) -- $(BENCH)

# A folder's time is that of its last new file, so it is set when all are there. Should the build fail, no folder is
# left that looks finished.
web/dist: web/node_modules/.package-lock.json $(WEB_SOURCES)
	npm --prefix web run --silent build || { rm -rf $@; exit 1; }
# A release build that was made without the folder does not look for it again by itself.
	@touch $@ src/http/pages.rs

# npm writes this file last, as the note of what it installed.
web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@
