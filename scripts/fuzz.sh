#!/usr/bin/env bash
# Builds the fuzz targets and runs each of them for a while, over its seeds in fuzz/corpus. Stable Rust will do.
# In: seconds for each target, then the targets (all without). FUZZ_KEEP=folder keeps the inputs that lead to new code, and
# begins with those that are there.
# Out: a line a target, and exit code 0; or what a target has found, the input in fuzz/findings, and exit code 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:?how many seconds for each target}
shift

# What cargo says of the build goes to standard error; the program's path comes with its messages.
program=$(
  RUSTC_WORKSPACE_WRAPPER="$PWD/scripts/rustc-fuzz.sh" cargo build ${CI:+--locked} --package rootstock-fuzz \
    --message-format=json-render-diagnostics | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1
)
export program seconds
[ $# -gt 0 ] || mapfile -t targets < <(FUZZ_TARGET='' "$program" 2>/dev/null)
[ $# -eq 0 ] || targets=("$@")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export scratch

# One target. An input may be as long as a request's parts are, and take as much time, memory and stack as a request may:
# the stack is that of a worker of the server.
run() {
  local target=$1 log="$scratch/$1.log" kept="${FUZZ_KEEP:-$scratch}/$1" dictionary="fuzz/dictionaries/${1%%_*}.txt"
  mkdir -p "$kept" fuzz/findings
  ulimit -s 2048
  if FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="fuzz/findings/$target-" ${dictionary:+$([ ! -f "$dictionary" ] || echo "-dict=$dictionary")} \
    "$kept" "fuzz/corpus/$target" >"$log" 2>&1; then
    printf 'fuzz: %-20s %s inputs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    printf 'fuzz: %s has found something:\n' "$target"
    grep --text --invert-match --extended-regexp '^(#|INFO|NEW_FUNC|stat)|NEW_FUNC' "$log" | tail -n 60
    return 1
  fi
}
export -f run

printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I '{}' bash -euc 'run {}'
