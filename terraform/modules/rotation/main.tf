# Tasks are given their secrets when they start, so a changed secret needs new tasks. Connections that are open when RDS
# changes the password go on; new ones with the old password are refused. Secrets Manager tells EventBridge as soon as the
# new value is the current one, and a state machine of one step deploys the service anew: tasks with the new password
# start, and the old ones drain. No CloudTrail and no Lambda function is needed for it.
#
# Should the event be lost: a task that needs a new connection is not ready any more, and ECS replaces it after five
# minutes; its successor has the new password.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition   = data.aws_partition.current.partition
  account     = data.aws_caller_identity.current.account_id
  service_arn = "arn:${local.partition}:ecs:${data.aws_region.current.region}:${local.account}:service/${var.cluster_name}/${var.service_name}"
}

resource "aws_cloudwatch_event_rule" "this" {
  name        = "${var.prefix}-secret-changed"
  description = "A secret of ${var.service_name} has a new value"
  event_pattern = jsonencode({
    source      = ["aws.secretsmanager"]
    detail-type = ["Secret Label Updated"]
    resources   = var.secret_arns
    detail      = { labelUpdated = ["AWSCURRENT"] }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  rule     = aws_cloudwatch_event_rule.this.name
  arn      = aws_sfn_state_machine.this.arn
  role_arn = aws_iam_role.this["events"].arn
}

resource "aws_sfn_state_machine" "this" {
  #checkov:skip=CKV_AWS_284:One step that calls one API: its history tells more than a trace.
  #checkov:skip=CKV_AWS_285:Standard executions keep their history for 90 days; an alarm watches for failures.
  name     = "${var.prefix}-redeploy"
  role_arn = aws_iam_role.this["states"].arn

  definition = jsonencode({
    Comment = "Start new tasks of ${var.service_name}, which read the secrets anew"
    StartAt = "Redeploy"
    States = {
      Redeploy = {
        Type       = "Task"
        Resource   = "arn:${local.partition}:states:::aws-sdk:ecs:updateService"
        Parameters = { Cluster = var.cluster_name, Service = var.service_name, ForceNewDeployment = true }
        ResultSelector = {
          "deployment.$" = "$.Service.Deployments[0].Id"
        }
        Retry = [{ ErrorEquals = ["States.ALL"], IntervalSeconds = 15, BackoffRate = 2, MaxAttempts = 6 }]
        End   = true
      }
    }
  })

  depends_on = [aws_iam_role_policy.states]
}

resource "aws_iam_role" "this" {
  for_each = toset(["events", "states"])

  name        = "${var.prefix}-redeploy-${each.key}"
  description = "Lets a changed secret start new tasks of ${var.service_name}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "${each.key}.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "events" {
  name = "start"
  role = aws_iam_role.this["events"].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "states:StartExecution", Resource = aws_sfn_state_machine.this.arn }]
  })
}

resource "aws_iam_role_policy" "states" {
  name = "redeploy"
  role = aws_iam_role.this["states"].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "ecs:UpdateService", Resource = local.service_arn }]
  })
}
