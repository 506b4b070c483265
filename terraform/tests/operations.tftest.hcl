# Alarms, the redeployment when a secret changes, images, secrets, the key, and who may deploy.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  prefix       = "rootstock-test"
  cluster_name = "rootstock-test"
  service_name = "rootstock-test-api"
  kms_key_arn  = null
}

run "alarms" {
  command = apply

  module {
    source = "./modules/monitoring"
  }

  variables {
    email                    = "operations@example.com"
    deployed                 = true
    load_balancer            = "app/b/1"
    target_group             = "targetgroup/t/2"
    log_group                = "/ecs/rootstock-test"
    database                 = "rootstock-test"
    database_class           = "db.t4g.micro"
    database_storage_gb      = 20
    database_max_connections = 80
    web_acl                  = "rootstock-test"
    state_machine_arn        = "arn:aws:states:eu-central-1:123456789012:stateMachine:redeploy"
    latency_seconds          = 2
  }

  assert {
    condition = toset(output.alarm_names) == toset([for name in [
      "5xx", "load-balancer-5xx", "latency", "unhealthy-hosts", "no-healthy-hosts", "cpu", "memory", "errors", "database-cpu",
      "database-storage", "database-connections", "database-credits", "redeploy",
    ] : "rootstock-test-${name}"])
    error_message = "An alarm is missing, or there is one that this list does not know."
  }
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.this), [aws_cloudwatch_metric_alarm.errors_share]) : alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn]) && alarm.actions_enabled != false])
    error_message = "Every alarm must be told, when it begins and when it ends."
  }
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.this), [aws_cloudwatch_metric_alarm.errors_share]) : length(alarm.alarm_description) > 10])
    error_message = "Every alarm must say what it means."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : (alarm.statistic == null) != (alarm.extended_statistic == null) && alarm.threshold != null])
    error_message = "Every alarm must have one statistic and a bound."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["database-storage"].threshold == 2147483648 && aws_cloudwatch_metric_alarm.this["database-storage"].comparison_operator == "LessThanThreshold" && aws_cloudwatch_metric_alarm.this["database-connections"].threshold == 64 && aws_cloudwatch_metric_alarm.this["database-connections"].dimensions == tomap({ DBInstanceIdentifier = "rootstock-test" })
    error_message = "The database's alarms must be at a tenth of its storage and four fifths of its connections."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["no-healthy-hosts"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["no-healthy-hosts"].threshold == 1 && aws_cloudwatch_metric_alarm.this["no-healthy-hosts"].comparison_operator == "LessThanThreshold"
    error_message = "No task at all must be an alarm as well."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["latency"].extended_statistic == "p99" && aws_cloudwatch_metric_alarm.this["cpu"].dimensions == tomap({ ClusterName = "rootstock-test", ServiceName = "rootstock-test-api" })
    error_message = "Latency must be a high percentile, and the CPU that of this service."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["errors"].namespace == aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].namespace && aws_cloudwatch_metric_alarm.this["errors"].metric_name == aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name && aws_cloudwatch_log_metric_filter.errors.log_group_name == "/ecs/rootstock-test"
    error_message = "The alarm on defects must watch the metric that is made of the server's lines."
  }
  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "operations@example.com" && aws_sns_topic_subscription.email[0].topic_arn == aws_sns_topic.alarms.arn && jsondecode(aws_sns_topic_policy.alarms.policy).Statement[0].Principal.Service == "cloudwatch.amazonaws.com"
    error_message = "The topic must take alarms and reach the address."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 11 && length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.x} ${widget.y}"])) == 11
    error_message = "The dashboard must have its widgets, each in its own place."
  }
}

run "alarms_before_there_is_a_service" {
  command = apply

  module {
    source = "./modules/monitoring"
  }

  variables {
    email                    = null
    deployed                 = false
    load_balancer            = "app/b/1"
    target_group             = "targetgroup/t/2"
    log_group                = "/ecs/rootstock-test"
    database                 = "rootstock-test"
    database_class           = "db.m7g.large"
    database_storage_gb      = 50
    database_max_connections = 400
    web_acl                  = null
    state_machine_arn        = null
    latency_seconds          = 2
  }

  assert {
    condition     = length(setintersection(keys(aws_cloudwatch_metric_alarm.this), ["no-healthy-hosts", "redeploy", "database-credits"])) == 0 && length(aws_sns_topic_subscription.email) == 0
    error_message = "What there is not must not be alarmed about."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 10
    error_message = "Without a firewall the dashboard must not show one."
  }
}

run "rotation" {
  command = apply

  module {
    source = "./modules/rotation"
  }

  variables {
    secret_arns = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:JwtKey-AbCdEf"]
  }

  assert {
    condition = aws_cloudwatch_event_rule.this.event_pattern == jsonencode({
      source      = ["aws.secretsmanager"]
      detail-type = ["Secret Label Updated"]
      resources   = var.secret_arns
      detail      = { labelUpdated = ["AWSCURRENT"] }
    })
    error_message = "A new current value of each secret, and of no other, must be noticed."
  }
  assert {
    condition     = aws_cloudwatch_event_target.this.rule == aws_cloudwatch_event_rule.this.name && aws_cloudwatch_event_target.this.arn == aws_sfn_state_machine.this.arn
    error_message = "The event must start the redeployment."
  }
  assert {
    condition = jsondecode(aws_sfn_state_machine.this.definition).States.Redeploy.Parameters == {
      Cluster            = "rootstock-test"
      Service            = "rootstock-test-api"
      ForceNewDeployment = true
    } && length(jsondecode(aws_sfn_state_machine.this.definition).States.Redeploy.Retry) == 1
    error_message = "The redeployment must start new tasks of the service, and try again when that fails."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.states.policy).Statement == [{ Action = "ecs:UpdateService", Effect = "Allow", Resource = "arn:aws:ecs:eu-central-1:123456789012:service/rootstock-test/rootstock-test-api" }]
    error_message = "The state machine may touch nothing but the service."
  }
}

run "registry" {
  command = apply

  module {
    source = "./modules/registry"
  }

  variables {
    force_delete = false
  }

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && !aws_ecr_repository.this.force_delete && aws_ecr_repository.this.encryption_configuration[0].encryption_type == "AES256"
    error_message = "Tags must not change, images be scanned, and a repository with images stay."
  }
  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection.countNumber if rule.selection.tagStatus == "tagged" && rule.selection.countType == "imageCountMoreThan"] == [5]
    error_message = "The last five images must stay."
  }
}

run "secrets" {
  command = apply

  module {
    source = "./modules/secrets"
  }

  assert {
    condition     = jsondecode(aws_cloudformation_stack.jwt_key.template_body).Resources.JwtKey.Properties.GenerateSecretString.PasswordLength >= 32 && !can(jsondecode(aws_cloudformation_stack.jwt_key.template_body).Resources.JwtKey.Properties.SecretString)
    error_message = "Secrets Manager must make the key, of 32 bytes or more; it may not be written here."
  }
  assert {
    condition     = aws_cloudformation_stack.jwt_key.parameters == null || length(aws_cloudformation_stack.jwt_key.parameters) == 0
    error_message = "No key may be handed to the stack."
  }
  assert {
    condition     = keys(jsondecode(aws_cloudformation_stack.jwt_key.template_body).Outputs) == ["Arn"] && output.jwt_key_arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:JwtKey-AbCdEf"
    error_message = "The stack must tell the secret's ARN and nothing else."
  }
}

run "encryption" {
  command = apply

  module {
    source = "./modules/encryption"
  }

  variables {
    enabled = true
  }

  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation && output.key_arn == aws_kms_key.this[0].arn
    error_message = "The key must be rotated."
  }
  assert {
    condition     = toset([for statement in jsondecode(aws_kms_key.this[0].policy).Statement : try(statement.Principal.Service, statement.Principal.AWS)]) == toset(["arn:aws:iam::123456789012:root", "logs.eu-central-1.amazonaws.com", "cloudwatch.amazonaws.com"])
    error_message = "The key must be usable by this account, by its logs and by its alarms, and by nobody else."
  }
}

run "delivery" {
  command = apply

  module {
    source = "./modules/delivery"
  }

  variables {
    github_repository       = "example/rootstock"
    github_environment      = "production"
    oidc_provider_arn       = null
    repository_arn          = "arn:aws:ecr:eu-central-1:123456789012:repository/rootstock-test"
    migrate_task_definition = "rootstock-test-migrate"
    execution_role_arns     = ["arn:aws:iam::123456789012:role/rootstock-test-migrate", "arn:aws:iam::123456789012:role/rootstock-test-server"]
  }

  assert {
    condition = jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = "repo:example/rootstock:environment:production"
      }
    } && length(jsondecode(aws_iam_role.deploy.assume_role_policy).Statement) == 1
    error_message = "Only jobs of that repository, in that environment, may deploy."
  }
  assert {
    condition     = jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Principal.Federated == aws_iam_openid_connect_provider.github[0].arn && aws_iam_openid_connect_provider.github[0].url == "https://token.actions.githubusercontent.com"
    error_message = "GitHub must say who is asking."
  }
  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement if statement.Action == "iam:PassRole"]).Resource == [for arn in var.execution_role_arns : arn] && one([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement if statement.Action == "iam:PassRole"]).Condition.StringEquals["iam:PassedToService"] == "ecs-tasks.amazonaws.com"
    error_message = "A deployment may pass on the two execution roles, to tasks alone."
  }
  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Action if statement.Resource == "*"])) == toset(["ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"])
    error_message = "Everything that can name what it acts on must."
  }
  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Action])) == toset([
      "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
      "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart", "ecs:DescribeServices",
      "ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:UpdateService", "iam:PassRole",
    ])
    error_message = "The deploying role may do what is listed here, and nothing else: no deletion, no secrets."
  }
}

run "delivery_beside_another" {
  command = apply

  module {
    source = "./modules/delivery"
  }

  variables {
    github_repository       = "example/rootstock"
    github_environment      = "staging"
    oidc_provider_arn       = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    repository_arn          = "arn:aws:ecr:eu-central-1:123456789012:repository/rootstock-test"
    migrate_task_definition = "rootstock-test-migrate"
    execution_role_arns     = []
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0 && jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Principal.Federated == var.oidc_provider_arn
    error_message = "An account has one provider for GitHub: the second deployment must use the first one's."
  }
}
