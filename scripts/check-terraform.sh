#!/usr/bin/env bash
# Checks terraform/: its form, that it is valid, its tests, and, where checkov is installed, its policies.
# In: Terraform 1.11 or later, and a network for the provider. No account: the tests plan against a mocked provider.
# Out: exit code 0 when all is well, else 1 after everything was checked. The checkout is not written to; the provider is
# kept in TF_PLUGIN_CACHE_DIR, else in the user's cache folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v terraform >/dev/null || {
  echo "check-terraform: terraform is missing: install version 1.11 or later" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Without what an operator has here: a state, a backend, values of their own.
tar --create --exclude=.terraform --exclude='*.tfstate*' --exclude=terraform.tfvars --exclude=backend.tf terraform |
  tar --extract --directory "$work"

export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
export TF_PLUGIN_CACHE_DIR=${TF_PLUGIN_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/terraform-plugins}
mkdir -p "$TF_PLUGIN_CACHE_DIR"
# Else the cache is not used without a lock file, and the provider, of some hundred megabytes, is fetched each time.
export TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE=1

failed=0
check() {
  echo "check-terraform: $*"
  "$@" || failed=1
}

check terraform -chdir="$work/terraform" fmt -check -diff -recursive
if terraform -chdir="$work/terraform" init -backend=false -input=false -no-color >"$work/init.log" 2>&1; then
  check terraform -chdir="$work/terraform" validate
  check terraform -chdir="$work/terraform" test
else
  cat "$work/init.log" >&2
  failed=1
fi

if command -v checkov >/dev/null; then
  # Else it first asks its maker for guidelines, which need an account.
  check checkov --directory "$work/terraform" --framework terraform --quiet --compact --skip-download
else
  echo "check-terraform: policies are not checked: install checkov 3.3 (pipx install checkov==3.3.30)"
fi

exit "$failed"
