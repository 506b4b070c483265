#!/usr/bin/env bash
# Brings an image to the ECS service: migrates by a task of its own, whose exit code decides, then replaces the running
# tasks. A release that does not become healthy is taken back.
# In: the image; the outputs of terraform/ as variables: CLUSTER_NAME, SERVICE_NAME, MIGRATE_TASK_DEFINITION, TASK_SUBNETS
# (a JSON array) and TASK_SECURITY_GROUP; the AWS CLI with its credentials, and jq.
# Out: exit code 0 when all tasks run the image; 1 when the tasks that ran before go on running.
#
# The schema is not taken back: a migration only adds, or takes away what no release since the one before has used, so that
# the release that runs while it is applied, and after a rollback, works on both schemas.
set -euo pipefail

image=${1:?which image}
: "${CLUSTER_NAME:?}" "${SERVICE_NAME:?}" "${MIGRATE_TASK_DEFINITION:?}" "${TASK_SUBNETS:?}" "${TASK_SECURITY_GROUP:?}"
# How long a rollout may take, in rounds of POLL_SECONDS: a quarter of an hour.
rounds=${ROLLOUT_ROUNDS:-90} pause=${POLL_SECONDS:-10}

say() { printf 'deploy: %s\n' "$*" >&2; }

# Registers the newest definition of the family $1 with the image, and prints its ARN. The newest, not the running one:
# that has the settings of the last `terraform apply`.
# Here and below, what fails is passed on by hand: `set -e` does not hold in what is asked for its success.
register() {
  local definition
  definition=$(aws ecs describe-task-definition --task-definition "$1" --query taskDefinition --output json |
    jq --arg image "$image" '
      # What is told of a definition and is not part of it.
      del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt,
          .deregisteredAt, .registeredBy)
      | .containerDefinitions[0].image = $image') || return
  aws ecs register-task-definition --cli-input-json "$definition" --query taskDefinition.taskDefinitionArn --output text
}

migrate() {
  local definition network task arn stopped
  definition=$(register "$MIGRATE_TASK_DEFINITION") || return
  network=$(jq --null-input --argjson subnets "$TASK_SUBNETS" --arg group "$TASK_SECURITY_GROUP" \
    '{awsvpcConfiguration: {subnets: $subnets, securityGroups: [$group], assignPublicIp: "DISABLED"}}') || return
  task=$(aws ecs run-task --cluster "$CLUSTER_NAME" --task-definition "$definition" --launch-type FARGATE \
    --network-configuration "$network" --started-by deploy --output json) || return
  if ! arn=$(jq --exit-status --raw-output '.tasks[0].taskArn' <<<"$task"); then
    say "the task that migrates did not start: $(jq --compact-output '.failures' <<<"$task")"
    return 1
  fi
  say "migrating in $arn"
  # It gives up after ten minutes; a migration of a large table may take longer.
  for _ in 1 2 3; do
    if aws ecs wait tasks-stopped --cluster "$CLUSTER_NAME" --tasks "$arn"; then break; fi
  done
  stopped=$(aws ecs describe-tasks --cluster "$CLUSTER_NAME" --tasks "$arn" --query 'tasks[0]' --output json) || return
  if [ "$(jq --raw-output .lastStatus <<<"$stopped")" != STOPPED ]; then
    say "the migration goes on in $arn, for longer than is waited for here: run this again when it has ended"
    return 1
  fi
  # There is no exit code where the container never ran: an image that cannot be pulled, a secret that cannot be read.
  if ! jq --exit-status '.containers[0].exitCode == 0' <<<"$stopped" >/dev/null; then
    say "the migration failed: $(jq --compact-output '{lastStatus, stoppedReason, exitCode: .containers[0].exitCode,
      reason: .containers[0].reason}' <<<"$stopped"); its lines are in the log group of the service"
    return 1
  fi
}

service() {
  aws ecs describe-services --cluster "$CLUSTER_NAME" --services "$SERVICE_NAME" --query 'services[0]' --output json
}

# Gives the service the definition $1, and waits until all of its tasks run it.
roll_out() {
  local deployment state round
  deployment=$(aws ecs update-service --cluster "$CLUSTER_NAME" --service "$SERVICE_NAME" --task-definition "$1" \
    --query "service.deployments[?status=='PRIMARY'] | [0].id" --output text) || return
  # Not `aws ecs wait services-stable`: a service that ECS itself has rolled back is stable too.
  for ((round = 0; round < rounds; round++)); do
    state=$(service | jq --raw-output --arg id "$deployment" \
      '[.deployments[] | select(.id == $id)][0] | .rolloutState // "REPLACED"') || state='could not be asked'
    case $state in
      COMPLETED) return 0 ;;
      FAILED | REPLACED)
        say "the rollout of $1 ended: $state"
        return 1
        ;;
    esac
    sleep "$pause"
  done
  say "the rollout of $1 took too long"
  return 1
}

if ! before=$(service | jq --exit-status --raw-output '.taskDefinition // empty'); then
  say "there is no service $SERVICE_NAME yet: its first image is an argument of terraform (image_tag=${image##*:})"
  exit 1
fi
# Without its revision.
family=${before##*/}
family=${family%:*}

migrate || {
  say "nothing was deployed"
  exit 1
}
after=$(register "$family")
say "$before is replaced by $after"
if roll_out "$after"; then
  say "$image runs"
  exit 0
fi
# ECS may have begun to do so itself (its circuit breaker), which does no harm.
say "back to $before"
roll_out "$before" || say "$before does not become healthy either: look at the events of the service"
exit 1
