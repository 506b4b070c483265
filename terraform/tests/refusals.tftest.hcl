# What cannot work is refused while planning. One run shows that the values beside are good, so that each refusal is for
# the one value that its run changes.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment    = "test"
  domain_name    = "api.example.com"
  hosted_zone_id = "Z0123456789ABCDEFGHIJ"
}

run "good_values_are_taken" {
  command = plan
}

run "nonsense_is_refused" {
  command = plan

  variables {
    name                            = "Root_stock"
    region                          = "eu-central-1"
    vpc_cidr                        = "10.20.0.0/28"
    zones                           = ["a"]
    egress                          = "proxy"
    ingress_cidrs                   = ["everybody"]
    certificate_arn                 = "my-certificate"
    rate_limit                      = 5
    max_body_bytes                  = 12.5
    image_tag                       = "latest"
    memory                          = 768
    cpu_architecture                = "arm"
    min_tasks                       = 0
    spot_share                      = 101
    cpu_target                      = 100
    requests_target                 = 0
    container_insights              = "yes"
    database_version                = "17.2"
    database_class                  = "t4g.micro"
    database_storage_gb             = 10
    database_backup_days            = 0
    database_max_connections        = 6000
    database_tls                    = "disable"
    database_password_rotation_days = 0
    log_retention_days              = 10
    alarm_email                     = "operations"
    latency_alarm_seconds           = 60
    github_repository               = "example/*"
    github_environment              = "*"
    github_oidc_provider_arn        = "arn:aws:iam::123456789012:oidc-provider/example.com"
  }

  expect_failures = [
    var.name, var.vpc_cidr, var.zones, var.egress, var.ingress_cidrs, var.certificate_arn, var.rate_limit,
    var.max_body_bytes, var.image_tag, var.memory, var.cpu_architecture, var.min_tasks, var.spot_share, var.cpu_target,
    var.requests_target, var.container_insights, var.database_version, var.database_class, var.database_storage_gb,
    var.database_backup_days, var.database_max_connections, var.database_tls, var.database_password_rotation_days,
    var.log_retention_days, var.alarm_email, var.latency_alarm_seconds, var.github_repository, var.github_environment,
    var.github_oidc_provider_arn,
  ]
}

run "contradictions_are_refused" {
  command = plan

  variables {
    environment               = "an-environment-of-a-very-long-name"
    hosted_zone_id            = null # so there is no certificate, and plain HTTP was not allowed
    endpoint_zones            = 3
    auth_rate_limit           = 4000
    min_tasks                 = 4
    max_tasks                 = 3
    database_storage_limit_gb = 20
    settings                  = { JWT_JWKS_URL = "https://id.example.com/jwks.json" }
  }

  expect_failures = [
    var.environment, var.allow_plain_http, var.endpoint_zones, var.auth_rate_limit, var.max_tasks,
    var.database_storage_limit_gb, var.settings,
  ]
}

run "secrets_in_settings_and_too_many_connections_are_refused" {
  command = plan

  variables {
    settings      = { JWT_SECRET_KEY = "a key that would stand in the plain environment" }
    max_tasks     = 2
    database_pool = 18 # 2 * 2 * 18 + 10 is more than the 80 that the smallest database takes
  }

  expect_failures = [var.settings, var.database_pool]
}
