#!/usr/bin/env bash
# Holds scripts/deploy.sh to what it promises, with a stand-in for the AWS CLI: one service, which runs release 1.
# Out: nothing and exit code 0, or what a deployment did instead, and 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/bin"
# Answers as AWS does, but for --query, which it leaves to itself; and writes down what would change something.
cat >"$scratch/bin/aws" <<'AWS'
#!/usr/bin/env bash
set -euo pipefail
value() { while [ "$1" != "$name" ]; do shift; done; printf '%s' "$2"; }
running=$(cat "$scratch/running")
case "$1 $2" in
  "ecs describe-services")
    [ -z "${NO_SERVICE:-}" ] || { echo null; exit; }
    state=${ROLLOUT:-COMPLETED}
    [ "$running" != "arn:aws:ecs:eu-west-1:1:task-definition/api:1" ] || state=COMPLETED
    [ "$state" != REPLACED ] || running=other
    jq -n --arg running "$running" --arg state "$state" \
      '{taskDefinition: $running, deployments: [{id: $running, rolloutState: $state}]}' ;;
  "ecs describe-task-definition")
    name=--task-definition
    jq -n --arg family "$(value "$@")" '{family: $family, revision: 1, status: "ACTIVE", cpu: "256",
      taskDefinitionArn: "arn", containerDefinitions: [{name: "api", image: "old", command: ["migrate", "up"]}]}' ;;
  "ecs register-task-definition")
    name=--cli-input-json
    jq -e 'has("revision") or has("status") or has("taskDefinitionArn") | not' <<<"$(value "$@")" >/dev/null
    echo "register $(jq -r '"\(.family) \(.cpu) \(.containerDefinitions[0].image)"' <<<"$(value "$@")")" >>"$scratch/done"
    echo "arn:aws:ecs:eu-west-1:1:task-definition/$(jq -r .family <<<"$(value "$@")"):2" ;;
  "ecs run-task")
    name=--network-configuration
    echo "run $(jq -c .awsvpcConfiguration.subnets <<<"$(value "$@")")" >>"$scratch/done"
    [ -z "${NO_TASK:-}" ] || { echo '{"tasks": [], "failures": [{"reason": "RESOURCE:ENI"}]}'; exit; }
    echo '{"tasks": [{"taskArn": "task"}], "failures": []}' ;;
  "ecs wait") [ "$3" = tasks-stopped ] ;;
  "ecs describe-tasks") echo "{\"lastStatus\": \"STOPPED\", \"containers\": [{\"exitCode\": ${MIGRATED:-0}}]}" ;;
  "ecs update-service")
    name=--task-definition
    echo "update $(value "$@")" >>"$scratch/done"
    value "$@" | tee "$scratch/running" ;;
  *) echo "no stand-in for: aws $*" >&2; exit 2 ;;
esac
AWS
chmod +x "$scratch/bin/aws"
export scratch PATH="$scratch/bin:$PATH" POLL_SECONDS=0 ROLLOUT_ROUNDS=3
export CLUSTER_NAME=cluster SERVICE_NAME=api MIGRATE_TASK_DEFINITION=api-migrate TASK_SECURITY_GROUP=sg-1
export TASK_SUBNETS='["subnet-a","subnet-b"]'

first='arn:aws:ecs:eu-west-1:1:task-definition/api:1'
second='arn:aws:ecs:eu-west-1:1:task-definition/api:2'
migrates=('register api-migrate 256 repository:tag' 'run ["subnet-a","subnet-b"]')
deploys=("${migrates[@]}" 'register api 256 repository:tag' "update $second")

# A deployment ends with exit code $2 and has done what follows; what is set before the call says how AWS behaves.
deployment() {
  local name=$1 code=$2 ended=0
  shift 2
  printf '%s' "$first" >"$scratch/running"
  : >"$scratch/done"
  scripts/deploy.sh repository:tag >"$scratch/log" 2>&1 || ended=$?
  if [ "$ended" != "$code" ] || ! diff <([ $# -eq 0 ] || printf '%s\n' "$@") "$scratch/done"; then
    printf 'deploy: %s: exit code %s, and it said:\n' "$name" "$ended"
    cat "$scratch/log"
    exit 1
  fi
}

deployment 'a release that becomes healthy' 0 "${deploys[@]}"
NO_SERVICE=1 deployment 'a first release' 1
MIGRATED=1 deployment 'a migration that fails' 1 "${migrates[@]}"
MIGRATED=null deployment 'a migration that never ran' 1 "${migrates[@]}"
NO_TASK=1 deployment 'a migration that finds no room' 1 "${migrates[@]}"
ROLLOUT=FAILED deployment 'a release that ECS gives up' 1 "${deploys[@]}" "update $first"
ROLLOUT=REPLACED deployment 'a release that ECS has rolled back' 1 "${deploys[@]}" "update $first"
ROLLOUT=IN_PROGRESS deployment 'a release that never becomes healthy' 1 "${deploys[@]}" "update $first"
