# The server on Fargate, and the task that migrates the database.
#
# Who owns what: Terraform owns the shape of a task (the latest revision of its family), the deployment owns which image
# runs. A deployment takes the latest revision, puts its image in, registers that, migrates, and moves the service to it.
# So Terraform names an image only for the first start, and never moves the service afterwards.

data "aws_region" "current" {}

locals {
  names = {
    cluster = var.prefix
    service = "${var.prefix}-api"
    migrate = "${var.prefix}-migrate"
  }
  deployed = var.image != null

  # What the tasks have in common. The last three lists are what ECS would add, and then tell as a difference.
  container = {
    name                   = "rootstock"
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"], add = [] } }
    # More than SHUTDOWN_GRACE_SECONDS, so that the server ends by itself.
    stopTimeout    = 30
    mountPoints    = []
    volumesFrom    = []
    systemControls = []
  }

  log_options = {
    awslogs-group  = aws_cloudwatch_log_group.this.name
    awslogs-region = data.aws_region.current.region
    # When CloudWatch is away lines are lost, not requests.
    mode            = "non-blocking"
    max-buffer-size = "4m"
  }

  shared_environment = {
    DATABASE_URL = var.database_url
    LOG_FORMAT   = "json"
  }
  server_environment = merge(var.settings, local.shared_environment, {
    BIND_ADDR                = "0.0.0.0:${var.container_port}"
    DATABASE_MAX_CONNECTIONS = tostring(var.database_pool)
    MAX_BODY_BYTES           = tostring(var.max_body_bytes)
    REQUEST_TIMEOUT_SECONDS  = "15"
    SHUTDOWN_GRACE_SECONDS   = "20"
    TRUSTED_PROXIES          = join(",", var.trusted_proxies)
  })

  # RDS keeps JSON; ECS takes one member of it.
  database_password = { name = "DATABASE_PASSWORD", valueFrom = "${var.database_password_arn}:password::" }
  jwt_key           = { name = "JWT_SECRET_KEY", valueFrom = var.jwt_key_arn }

  server = merge(local.container, {
    command          = ["serve", "--no-migrate"]
    environment      = [for name, value in local.server_environment : { name = name, value = value }]
    secrets          = [local.database_password, local.jwt_key]
    portMappings     = [{ containerPort = var.container_port, hostPort = var.container_port, protocol = "tcp" }]
    logConfiguration = { logDriver = "awslogs", options = merge(local.log_options, { awslogs-stream-prefix = "api" }) }
    # Whether the process is up, not whether the database is: see the target group's health check for the other one.
    healthCheck = {
      command     = ["CMD", "/usr/local/bin/rootstock", "health", "--url", "http://127.0.0.1:${var.container_port}/livez"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 15
    }
  })

  migrate = merge(local.container, {
    command          = ["migrate", "up"]
    environment      = [for name, value in local.shared_environment : { name = name, value = value }]
    secrets          = [local.database_password]
    logConfiguration = { logDriver = "awslogs", options = merge(local.log_options, { awslogs-stream-prefix = "migrate" }) }
  })
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long is the operator's choice, by log_retention_days.
  #checkov:skip=CKV_AWS_158:Encrypted with the customer's key where customer_managed_key says so, else with AWS's.
  name              = "/ecs/${var.prefix}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:By container_insights: on in production; what the alarms watch is there without it.
  name = local.names.cluster

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  # For one-off tasks: a migration must not be interrupted.
  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}

# The server calls no AWS API, so its tasks have no role of their own: the execution roles are what ECS itself uses to
# pull the image, to fetch the secrets and to write the logs.

resource "aws_ecs_task_definition" "server" {
  count = local.deployed ? 1 : 0

  family                   = local.names.service
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution["server"].arn
  container_definitions    = jsonencode([local.server])
  # Old revisions stay, so that a rollback finds them.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}

resource "aws_ecs_task_definition" "migrate" {
  count = local.deployed ? 1 : 0

  family                   = local.names.migrate
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution["migrate"].arn
  container_definitions    = jsonencode([local.migrate])
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}

# There is none before there is an image: its tasks could not start, and the circuit breaker would have nothing to go
# back to.
resource "aws_ecs_service" "this" {
  count = local.deployed ? 1 : 0

  name            = local.names.service
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.server[0].arn
  desired_count   = var.min_tasks

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  availability_zone_rebalancing      = "ENABLED"
  # For the first start, which waits for the migration: until then /readyz is 503.
  health_check_grace_period_seconds = 300

  enable_execute_command  = false # there is no shell in the image
  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"
  # Without it the provider replaces the service, and so stops it, when the strategy below changes.
  force_new_deployment = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = { for provider, weight in { FARGATE = 100 - var.spot_share, FARGATE_SPOT = var.spot_share } : provider => weight if weight > 0 }
    content {
      capacity_provider = capacity_provider_strategy.key
      weight            = capacity_provider_strategy.value
      # One task that is never taken away, where not all run on Spot.
      base = capacity_provider_strategy.key == "FARGATE" ? 1 : 0
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = local.container.name
    container_port   = var.container_port
  }

  depends_on = [aws_ecs_cluster_capacity_providers.this, aws_iam_role_policy.execution]

  lifecycle {
    # The deployment's, and the scaling's.
    ignore_changes = [task_definition, desired_count]
  }
}
