#!/usr/bin/env bash
# Installs what the tests need and this machine lacks: PostgreSQL's server programs, PgBouncer, Chromium, curl, jq,
# Python, a C++ compiler, cargo-deny, and the npm and Python packages of tests/browser and tests/clients.
# In: a machine with Rust, Node.js and make; apt-get, as root or with sudo, where something is missing.
# Out: nothing said and exit code 0 when all is there; else what could not be installed, in words, and exit code 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lacking=0
lacks() {
  printf 'install-test-tools: %s\n' "$*" >&2
  lacking=1
}

# The same places as in tests/suite/support/cluster.rs.
has_postgres() {
  local folder
  for folder in ${PG_BIN:+"$PG_BIN"} "$(dirname "$(command -v initdb || echo /nowhere)")" /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/pg_basebackup" ]; then return 0; fi
  done
  return 1
}

# The same places as in tests/suite/support/pgbouncer.rs. Where the package starts a service, that is not the one which is
# tested, and does not matter.
has_pgbouncer() { command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ]; }

# The same places as in tests/browser.
has_chromium() { [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; }

# Debian has a Python without the parts that make an environment of its own.
has_python() {
  python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# libFuzzer is C++; the variable is the one by which its build finds a compiler.
has_compiler() { command -v "${CXX:-c++}" >/dev/null; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT

packages=()
has_postgres || packages+=(postgresql)
has_pgbouncer || packages+=(pgbouncer)
has_chromium || packages+=(chromium)
has_python || packages+=(python3 python3-venv)
command -v curl >/dev/null || packages+=(curl)
command -v jq >/dev/null || packages+=(jq)
has_compiler || packages+=(g++)

if [ ${#packages[@]} -gt 0 ] && command -v apt-get >/dev/null; then
  if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
  elif sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; then
    as_root=(sudo env)
  fi
  if [ -n "${as_root+set}" ]; then
    echo "install-test-tools: apt-get installs ${packages[*]}"
    apt=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -qq)
    # What apt-get says is of interest only if something is missing in the end. Nor does one source that is away matter,
    # as long as the packages can be had.
    "${apt[@]}" update >"$log" 2>&1 || true
    "${apt[@]}" install --yes --no-install-recommends "${packages[@]}" >>"$log" 2>&1 </dev/null || cat "$log" >&2
  fi
fi

has_postgres || lacks "PostgreSQL's server programs are missing: install them (Debian: postgresql), or name their" \
  "folder in PG_BIN"
has_pgbouncer || lacks "PgBouncer is missing: install it (Debian: pgbouncer)"
has_chromium || lacks "Chromium is missing: install it (Debian: chromium), or name the program in CHROMIUM"
for tool in curl jq; do
  command -v "$tool" >/dev/null || lacks "$tool is missing: install it (Debian: $tool)"
done
has_compiler || lacks "a C++ compiler is missing: install one (Debian: g++), or name it in CXX"

# These come with the toolchain: which one it is, is not ours to change.
for tool in rustfmt clippy; do
  cargo "${tool/rustfmt/fmt}" --version >/dev/null 2>&1 || lacks "$tool is missing: rustup component add $tool"
done

# Into the folder of cargo's programs, which is kept from one run to the next.
if ! cargo deny --version >/dev/null 2>&1; then
  echo "install-test-tools: cargo installs cargo-deny"
  cargo install --quiet --locked cargo-deny@0.20.2 >"$log" 2>&1 || {
    cat "$log" >&2
    lacks "cargo-deny could not be installed: cargo install --locked cargo-deny@0.20.2"
  }
fi

# npm writes the file in node_modules last, as the note of what it installed.
if ! command -v npm >/dev/null; then
  lacks "npm is missing: install Node.js 20 or later"
else
  for folder in tests/browser tests/clients; do
    if [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
      npm --prefix "$folder" ci --no-audit --no-fund --loglevel=error ||
        lacks "npm could not install the packages of $folder"
    fi
  done
fi

# What was installed is noted last, as npm does. A half-made environment has no note, and is made anew.
clients=tests/clients
if ! has_python; then
  lacks "Python 3.11 or later with venv is missing: install it (Debian: python3 and python3-venv)"
elif ! cmp -s "$clients/requirements.txt" "$clients/.venv/installed.txt"; then
  echo "install-test-tools: pip installs the packages of $clients"
  if python3 -m venv --clear "$clients/.venv" >"$log" 2>&1 &&
    "$clients/.venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
      --requirement "$clients/requirements.txt" >>"$log" 2>&1; then
    cp "$clients/requirements.txt" "$clients/.venv/installed.txt"
  else
    cat "$log" >&2
    lacks "pip could not install the packages of $clients"
  fi
fi

exit "$lacking"
