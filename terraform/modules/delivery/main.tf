# What the deploying workflow may do, without a key that could be lost: GitHub signs who is asking, AWS checks it.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  issuer = "token.actions.githubusercontent.com"
  ecs    = "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"

  cluster  = "${local.ecs}:cluster/${var.cluster_name}"
  provider = var.oidc_provider_arn == null ? aws_iam_openid_connect_provider.github[0].arn : var.oidc_provider_arn
}

# An account has one for each issuer, so a second deployment in the account names the first one's.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.oidc_provider_arn == null ? 1 : 0

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deploy" {
  name        = "${var.prefix}-deploy"
  description = "Deploys ${var.prefix} from ${var.github_repository}, environment ${var.github_environment}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider }
      Action    = "sts:AssumeRoleWithWebIdentity"
      # The environment's own rules say which branches may deploy, and who must agree.
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = "repo:${var.github_repository}:environment:${var.github_environment}"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "deploy" {
  #checkov:skip=CKV_AWS_289:What a task definition may name is bounded by PassRole, to the two execution roles.
  #checkov:skip=CKV_AWS_290:RegisterTaskDefinition, DescribeTaskDefinition and GetAuthorizationToken know no resource.
  #checkov:skip=CKV_AWS_355:As above: these three actions alone have no resource.
  name = "deploy"
  role = aws_iam_role.deploy.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WithoutResource"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"]
        Resource = "*"
      },
      {
        Sid    = "Push"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = var.repository_arn
      },
      {
        Sid       = "Migrate"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${local.ecs}:task-definition/${var.migrate_task_definition}:*"
        Condition = { ArnEquals = { "ecs:cluster" = local.cluster } }
      },
      {
        Sid      = "WatchTheMigration"
        Effect   = "Allow"
        Action   = "ecs:DescribeTasks"
        Resource = "${local.ecs}:task/${var.cluster_name}/*"
      },
      {
        Sid      = "RollOut"
        Effect   = "Allow"
        Action   = ["ecs:DescribeServices", "ecs:UpdateService"]
        Resource = "${local.ecs}:service/${var.cluster_name}/${var.service_name}"
      },
      {
        Sid       = "PassTheExecutionRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = var.execution_role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}
