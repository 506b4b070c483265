#!/usr/bin/env bash
# Asks what is known against the dependencies: of crates by cargo deny, as deny.toml says, and of the npm packages of the
# pages and the tests by npm audit.
# In: the lock files, and the databases of advisories, over the network.
# Out: exit code 0 when nothing is known, else what is, and 1. A database that is away is told in one line and left out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

found=0
away() { printf 'audit: %s\n' "$*" >&2; }

cargo deny --log-level error --locked check --hide-inclusion-graph bans licenses sources || found=1
# What was fetched before is better than nothing. That no crate is to be fetched either does no harm: they are there.
cargo deny --log-level off --locked fetch db >/dev/null 2>&1 ||
  away "the advisories about crates cannot be fetched; those that were fetched before are asked"
if [ -n "$(find "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" -mindepth 2 -maxdepth 2 -name crates 2>/dev/null)" ]; then
  cargo deny --log-level error --frozen check --hide-inclusion-graph advisories || found=1
fi

for folder in web tests/browser tests/clients tests/operations; do
  # Findings and a registry that is away end alike, but only a report has a version.
  if report=$(npm --prefix "$folder" audit --json 2>/dev/null); then continue; fi
  if grep -q '"auditReportVersion"' <<<"$report"; then
    printf 'audit: packages of %s have advisories:\n' "$folder" >&2
    npm --prefix "$folder" audit >&2 || found=1
  else
    away "the advisories of npm cannot be asked about the packages of $folder"
  fi
done

exit "$found"
