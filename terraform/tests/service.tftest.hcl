# What runs, with which secrets, and who may start it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  prefix                = "rootstock-test"
  repository_arn        = "arn:aws:ecr:eu-central-1:123456789012:repository/rootstock-test"
  container_port        = 8000
  cpu                   = 256
  memory                = 512
  cpu_architecture      = "ARM64"
  min_tasks             = 2
  max_tasks             = 6
  cpu_target            = 60
  requests_target       = 3000
  container_insights    = "disabled"
  subnet_ids            = ["subnet-a", "subnet-b"]
  security_group_id     = "sg-tasks"
  target_group_arn      = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/0123456789abcdef"
  scaling_label         = "app/b/1/targetgroup/t/2"
  database_url          = "postgres://rootstock@db.example:5432/rootstock?sslmode=require"
  database_pool         = 10
  database_password_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-AbCdEf"
  jwt_key_arn           = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:JwtKey-AbCdEf"
  trusted_proxies       = ["10.20.0.0/20", "10.20.16.0/20"]
  max_body_bytes        = 1048576
  settings              = { GRAPHQL_INTROSPECTION = "off" }
  log_retention_days    = 14
  kms_key_arn           = null
}

run "on_two_kinds_of_capacity" {
  command = apply

  module {
    source = "./modules/service"
  }

  variables {
    image      = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/rootstock-test:abc"
    spot_share = 75
  }

  # Secrets.
  assert {
    condition = jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].secrets == [
      { name = "DATABASE_PASSWORD", valueFrom = "${var.database_password_arn}:password::" },
      { name = "JWT_SECRET_KEY", valueFrom = var.jwt_key_arn },
    ]
    error_message = "The server's secrets must come from Secrets Manager: the member password of RDS's, and the key that signs tokens."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.migrate[0].container_definitions)[0].secrets == [{ name = "DATABASE_PASSWORD", valueFrom = "${var.database_password_arn}:password::" }]
    error_message = "The migration must be given the database's password alone."
  }
  assert {
    condition = alltrue([
      for definition in [aws_ecs_task_definition.server[0], aws_ecs_task_definition.migrate[0]] : alltrue([
        for variable in jsondecode(definition.container_definitions)[0].environment :
        !can(regex("PASSWORD|SECRET|TOKEN|PRIVATE", variable.name)) && !can(regex("//[^@/]*:[^@/]*@", variable.value))
      ])
    ])
    error_message = "No secret may stand in the plain environment, nor a password in a URL."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.execution["server"].policy).Statement[3].Resource == [var.database_password_arn, var.jwt_key_arn] && jsondecode(aws_iam_role_policy.execution["migrate"].policy).Statement[3].Resource == [var.database_password_arn]
    error_message = "Each execution role must read the secrets of its own task alone."
  }
  assert {
    condition     = alltrue(flatten([for policy in aws_iam_role_policy.execution : [for statement in jsondecode(policy.policy).Statement : statement.Resource != "*" || statement.Action == "ecr:GetAuthorizationToken"]]))
    error_message = "Execution roles must name what they act on."
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.execution : jsondecode(role.assume_role_policy).Statement[0].Principal.Service == "ecs-tasks.amazonaws.com" && jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"])
    error_message = "Only tasks of this account may be started with the execution roles."
  }
  assert {
    condition     = aws_ecs_task_definition.server[0].task_role_arn == null && aws_ecs_task_definition.migrate[0].task_role_arn == null
    error_message = "The program calls no AWS API: its tasks must have no role."
  }

  # The container.
  assert {
    condition = alltrue([
      for definition in [aws_ecs_task_definition.server[0], aws_ecs_task_definition.migrate[0]] :
      jsondecode(definition.container_definitions)[0].readonlyRootFilesystem && jsondecode(definition.container_definitions)[0].user == "65532:65532" && jsondecode(definition.container_definitions)[0].linuxParameters.capabilities.drop == ["ALL"]
    ])
    error_message = "Containers must run as nobody in particular, on a read-only file system, without capabilities."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].command == ["serve", "--no-migrate"] && jsondecode(aws_ecs_task_definition.migrate[0].container_definitions)[0].command == ["migrate", "up"]
    error_message = "The one-off task migrates, and the server does not."
  }
  assert {
    condition     = { for variable in jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].environment : variable.name => variable.value }["TRUSTED_PROXIES"] == "10.20.0.0/20,10.20.16.0/20"
    error_message = "The load balancer's networks must be the trusted proxies."
  }
  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].environment : variable.name => variable.value } == {
      BIND_ADDR                = "0.0.0.0:8000"
      DATABASE_MAX_CONNECTIONS = "10"
      DATABASE_URL             = var.database_url
      GRAPHQL_INTROSPECTION    = "off"
      LOG_FORMAT               = "json"
      MAX_BODY_BYTES           = "1048576"
      REQUEST_TIMEOUT_SECONDS  = "15"
      SHUTDOWN_GRACE_SECONDS   = "20"
      TRUSTED_PROXIES          = "10.20.0.0/20,10.20.16.0/20"
    }
    error_message = "The server's environment must be what is written here: a change is one of the contract with the program."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].stopTimeout > tonumber({ for variable in jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].environment : variable.name => variable.value }["SHUTDOWN_GRACE_SECONDS"])
    error_message = "ECS must wait longer than the server takes to drain."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].healthCheck.command == ["CMD", "/usr/local/bin/rootstock", "health", "--url", "http://127.0.0.1:8000/livez"]
    error_message = "The container's health must not depend on the database, and there is no shell to ask with."
  }
  assert {
    condition = alltrue([
      for definition in [aws_ecs_task_definition.server[0], aws_ecs_task_definition.migrate[0]] :
      definition.cpu == "256" && definition.memory == "512" && definition.runtime_platform[0].cpu_architecture == "ARM64" && definition.network_mode == "awsvpc" && definition.requires_compatibilities == toset(["FARGATE"])
    ])
    error_message = "Tasks must have the size and architecture that were asked for, on Fargate."
  }

  # The service.
  assert {
    condition     = aws_ecs_service.this[0].network_configuration[0].assign_public_ip == false && aws_ecs_service.this[0].network_configuration[0].subnets == toset(["subnet-a", "subnet-b"]) && aws_ecs_service.this[0].network_configuration[0].security_groups == toset(["sg-tasks"])
    error_message = "Tasks must stand in the private subnets, without public addresses, in their own security group."
  }
  assert {
    condition     = aws_ecs_service.this[0].deployment_circuit_breaker[0].enable && aws_ecs_service.this[0].deployment_circuit_breaker[0].rollback
    error_message = "A deployment that fails must be rolled back."
  }
  assert {
    condition     = aws_ecs_service.this[0].deployment_minimum_healthy_percent == 100 && aws_ecs_service.this[0].health_check_grace_period_seconds >= 60
    error_message = "A deployment must not serve with fewer tasks, and a new task needs time for its first answer."
  }
  assert {
    condition     = { for strategy in aws_ecs_service.this[0].capacity_provider_strategy : strategy.capacity_provider => strategy.weight } == { FARGATE = 25, FARGATE_SPOT = 75 } && sum([for strategy in aws_ecs_service.this[0].capacity_provider_strategy : strategy.base]) == 1
    error_message = "A spot_share of 75 must be weights of 25 and 75, with one task that stays."
  }
  assert {
    condition     = aws_appautoscaling_target.this[0].min_capacity == 2 && aws_appautoscaling_target.this[0].max_capacity == 6 && aws_appautoscaling_target.this[0].resource_id == "service/rootstock-test/rootstock-test-api"
    error_message = "Scaling must stay between min_tasks and max_tasks of this service."
  }
  assert {
    condition = { for name, policy in aws_appautoscaling_policy.this : policy.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type => policy.target_tracking_scaling_policy_configuration[0].target_value } == {
      ECSServiceAverageCPUUtilization = 60
      ALBRequestCountPerTarget        = 3000
    }
    error_message = "Scaling must follow the CPU and the requests of a task."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 14 && jsondecode(aws_ecs_task_definition.server[0].container_definitions)[0].logConfiguration.options["awslogs-group"] == aws_cloudwatch_log_group.this.name
    error_message = "Lines must go to the log group, and not stay for ever."
  }
}

run "on_spot_alone" {
  command = apply

  module {
    source = "./modules/service"
  }

  variables {
    image       = "example:1"
    spot_share  = 100
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
  }

  assert {
    condition     = { for strategy in aws_ecs_service.this[0].capacity_provider_strategy : strategy.capacity_provider => strategy.weight } == { FARGATE_SPOT = 100 }
    error_message = "A spot_share of 100 must leave no task on the dearer capacity."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.execution["server"].policy).Statement[4].Action == "kms:Decrypt" && jsondecode(aws_iam_role_policy.execution["server"].policy).Statement[4].Resource == var.kms_key_arn && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
    error_message = "With a key of the customer's, secrets must be readable and logs be encrypted with it."
  }
}

run "without_an_image" {
  command = apply

  module {
    source = "./modules/service"
  }

  variables {
    image      = null
    spot_share = 0
  }

  assert {
    condition     = length(aws_ecs_service.this) + length(aws_ecs_task_definition.server) + length(aws_ecs_task_definition.migrate) + length(aws_appautoscaling_target.this) + length(aws_appautoscaling_policy.this) == 0
    error_message = "Before there is an image there must be no service, whose tasks could not start."
  }
  assert {
    condition     = output.service_name == "rootstock-test-api" && output.migrate_task_definition == "rootstock-test-migrate" && !output.deployed && length(output.execution_role_arns) == 2
    error_message = "What the workflow is told must be there before there is an image."
  }
}
