# The whole of it, by both profiles as they are in profiles/.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  region = "eu-central-1"
}

run "development_profile" {
  module {
    source = "./tests/profile"
  }
  variables {
    name = "development"
  }
}

run "development_before_the_first_image" {
  command = apply

  variables {
    environment          = run.development_profile.values.environment
    egress               = run.development_profile.values.egress
    endpoint_zones       = run.development_profile.values.endpoint_zones
    allow_plain_http     = run.development_profile.values.allow_plain_http
    firewall             = run.development_profile.values.firewall
    min_tasks            = run.development_profile.values.min_tasks
    max_tasks            = run.development_profile.values.max_tasks
    spot_share           = run.development_profile.values.spot_share
    database_class       = run.development_profile.values.database_class
    database_multi_az    = run.development_profile.values.database_multi_az
    database_backup_days = run.development_profile.values.database_backup_days
    database_tls         = run.development_profile.values.database_tls
    deletion_protection  = run.development_profile.values.deletion_protection
    final_snapshot       = run.development_profile.values.final_snapshot
    log_retention_days   = run.development_profile.values.log_retention_days
  }

  assert {
    condition = toset(keys(run.development_profile.values)) == toset([
      "environment", "egress", "endpoint_zones", "allow_plain_http", "firewall", "min_tasks", "max_tasks", "spot_share", "database_class",
      "database_multi_az", "database_backup_days", "database_tls", "deletion_protection", "final_snapshot", "log_retention_days",
    ])
    error_message = "This run must apply all that the profile says: add what is new above and here."
  }
  assert {
    condition     = module.network.nat_gateways == 0 && length(module.network.interface_endpoints) == 4
    error_message = "Development must do without NAT."
  }
  assert {
    condition     = !module.service.deployed && length(module.rotation) == 0 && length(module.firewall) == 0 && module.encryption.key_arn == null
    error_message = "The first apply must work without an image, and cost nothing that development does not need."
  }
  assert {
    condition     = output.cluster_name == "rootstock-development" && output.service_name == "rootstock-development-api" && output.migrate_task_definition == "rootstock-development-migrate" && output.log_group == "/ecs/rootstock-development" && output.region == "eu-central-1" && output.deploy_role_arn == null
    error_message = "The workflow must be told the same names before and after the first image."
  }
  assert {
    condition     = output.task_subnets == module.network.private_subnet_ids && length(output.task_subnets) == 2 && output.task_security_group == module.network.security_group_ids.tasks && output.ecr_repository_url == module.registry.url && startswith(output.api_url, "http://")
    error_message = "The workflow must be told where tasks run and where images go."
  }
}

run "production_profile" {
  module {
    source = "./tests/profile"
  }
  variables {
    name = "production"
  }
}

run "production_with_an_image" {
  command   = apply
  state_key = "production"

  variables {
    environment                  = run.production_profile.values.environment
    egress                       = run.production_profile.values.egress
    nat_gateway_per_zone         = run.production_profile.values.nat_gateway_per_zone
    flow_logs                    = run.production_profile.values.flow_logs
    firewall                     = run.production_profile.values.firewall
    min_tasks                    = run.production_profile.values.min_tasks
    max_tasks                    = run.production_profile.values.max_tasks
    spot_share                   = run.production_profile.values.spot_share
    container_insights           = run.production_profile.values.container_insights
    database_class               = run.production_profile.values.database_class
    database_storage_gb          = run.production_profile.values.database_storage_gb
    database_storage_limit_gb    = run.production_profile.values.database_storage_limit_gb
    database_multi_az            = run.production_profile.values.database_multi_az
    database_backup_days         = run.production_profile.values.database_backup_days
    database_max_connections     = run.production_profile.values.database_max_connections
    database_pool                = run.production_profile.values.database_pool
    database_tls                 = run.production_profile.values.database_tls
    database_enhanced_monitoring = run.production_profile.values.database_enhanced_monitoring
    deletion_protection          = run.production_profile.values.deletion_protection
    final_snapshot               = run.production_profile.values.final_snapshot
    customer_managed_key         = run.production_profile.values.customer_managed_key
    log_retention_days           = run.production_profile.values.log_retention_days

    domain_name       = "api.example.com"
    hosted_zone_id    = "Z0123456789ABCDEFGHIJ"
    alarm_email       = "operations@example.com"
    github_repository = "example/rootstock"
    image_tag         = "0123456789abcdef0123456789abcdef01234567"
    settings          = { JWT_JWKS_URL = "https://id.example.com/jwks.json" }
  }

  assert {
    condition = toset(keys(run.production_profile.values)) == toset([
      "environment", "egress", "nat_gateway_per_zone", "flow_logs", "firewall", "min_tasks", "max_tasks", "spot_share", "container_insights",
      "database_class", "database_storage_gb", "database_storage_limit_gb", "database_multi_az", "database_backup_days",
      "database_max_connections", "database_pool", "database_tls", "database_enhanced_monitoring", "deletion_protection", "final_snapshot",
      "customer_managed_key", "log_retention_days",
    ])
    error_message = "This run must apply all that the profile says: add what is new above and here."
  }
  assert {
    condition     = module.network.nat_gateways == 2 && run.production_profile.values.min_tasks >= 2
    error_message = "Production must survive the end of a zone and of a task."
  }
  assert {
    condition     = output.api_url == "https://api.example.com" && length(module.firewall) == 1 && module.encryption.key_arn != null
    error_message = "Production must have HTTPS, a firewall and a key of its own."
  }
  assert {
    condition     = one([for variable in module.service.containers.server.environment : variable.value if variable.name == "DATABASE_URL"]) == "postgres://rootstock@mocked.abcdefghijkl.eu-central-1.rds.amazonaws.com:5432/rootstock?sslmode=verify-full&sslrootcert=/etc/rootstock/rds.pem"
    error_message = "Production must check the database's certificate, and the URL hold no password."
  }
  assert {
    condition     = toset([for secret in module.service.containers.server.secrets : secret.valueFrom]) == toset(["${module.database.password_secret_arn}:password::", module.secrets.jwt_key_arn])
    error_message = "The server's secrets must be those of RDS and of modules/secrets."
  }
  assert {
    condition     = one([for variable in module.service.containers.server.environment : variable.value if variable.name == "TRUSTED_PROXIES"]) == join(",", module.network.public_cidrs) && module.service.containers.server.image == "${output.ecr_repository_url}:0123456789abcdef0123456789abcdef01234567"
    error_message = "The load balancer must be trusted, and the image be the one that was named."
  }
  assert {
    condition     = output.deploy_role_arn != null && length(module.rotation) == 1 && contains(module.monitoring.alarm_names, "rootstock-production-redeploy") && contains(module.monitoring.alarm_names, "rootstock-production-no-healthy-hosts")
    error_message = "Production must be deployable by its workflow, and watched."
  }
  assert {
    condition     = can(regex("run-task .*--cluster rootstock-production .*--task-definition rootstock-production-migrate .*subnets=\\[[^]]+,[^]]+\\].*assignPublicIp=DISABLED", output.migrate_command))
    error_message = "The migration's command line must be whole."
  }
}
