#!/usr/bin/env bash
# Stands between cargo and rustc when fuzz targets are built (RUSTC_WORKSPACE_WRAPPER): the crates of this workspace, and
# they alone, get libFuzzer's instrumentation, which stable Rust passes on to LLVM. Dependencies stay those of other builds.
# In: rustc and its arguments. Out: what rustc says.
set -euo pipefail

# Optimised, since what fuzzing finds depends on how much is tried; with every check that a build of the tests has.
exec "$@" --cfg fuzzing \
  -Copt-level=1 -Cdebug-assertions=on -Coverflow-checks=on \
  -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares
