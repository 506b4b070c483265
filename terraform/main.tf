# Rootstock on AWS: a load balancer, tasks on Fargate, PostgreSQL on RDS, and what belongs to running them.
#
#   internet ─ firewall ─ load balancer ─ tasks ─ database
#              (WAF)      (public)        (private)  (isolated)

locals {
  prefix = "${var.name}-${var.environment}"

  container_port = 8000

  database_url = "${module.database.url}?sslmode=${var.database_tls}${var.database_tls == "require" ? "" : "&sslrootcert=/etc/rootstock/rds.pem"}"
}

module "encryption" {
  source = "./modules/encryption"

  prefix  = local.prefix
  enabled = var.customer_managed_key
}

module "network" {
  source = "./modules/network"

  prefix               = local.prefix
  cidr                 = var.vpc_cidr
  zones                = var.zones
  egress               = var.egress
  nat_gateway_per_zone = var.nat_gateway_per_zone
  endpoint_zones       = var.endpoint_zones
  ingress_cidrs        = var.ingress_cidrs
  container_port       = local.container_port
  flow_logs            = var.flow_logs
  log_retention_days   = var.log_retention_days
  kms_key_arn          = module.encryption.key_arn
}

module "load_balancer" {
  source = "./modules/load_balancer"

  prefix              = local.prefix
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.public_subnet_ids
  security_group_id   = module.network.security_group_ids.load_balancer
  container_port      = local.container_port
  certificate_arn     = var.certificate_arn
  domain_name         = var.domain_name
  hosted_zone_id      = var.hosted_zone_id
  access_logs_bucket  = var.access_logs_bucket
  deletion_protection = var.deletion_protection
}

module "firewall" {
  source = "./modules/firewall"
  count  = var.firewall ? 1 : 0

  prefix             = local.prefix
  load_balancer_arn  = module.load_balancer.arn
  rate_limit         = var.rate_limit
  auth_rate_limit    = var.auth_rate_limit
  max_body_bytes     = var.max_body_bytes
  log_retention_days = var.log_retention_days
  kms_key_arn        = module.encryption.key_arn
}

module "registry" {
  source = "./modules/registry"

  prefix       = local.prefix
  kms_key_arn  = module.encryption.key_arn
  force_delete = !var.deletion_protection
}

module "secrets" {
  source = "./modules/secrets"

  prefix      = local.prefix
  kms_key_arn = module.encryption.key_arn
}

module "database" {
  source = "./modules/database"

  prefix                 = local.prefix
  subnet_ids             = module.network.database_subnet_ids
  security_group_id      = module.network.security_group_ids.database
  engine_version         = var.database_version
  instance_class         = var.database_class
  storage_gb             = var.database_storage_gb
  storage_limit_gb       = var.database_storage_limit_gb
  multi_az               = var.database_multi_az
  backup_retention_days  = var.database_backup_days
  deletion_protection    = var.deletion_protection
  final_snapshot         = var.final_snapshot
  max_connections        = var.database_max_connections
  enhanced_monitoring    = var.database_enhanced_monitoring
  password_rotation_days = var.database_password_rotation_days
  log_retention_days     = var.log_retention_days
  kms_key_arn            = module.encryption.key_arn
}

module "service" {
  source = "./modules/service"

  prefix                = local.prefix
  image                 = var.image_tag == null ? null : "${module.registry.url}:${var.image_tag}"
  repository_arn        = module.registry.arn
  container_port        = local.container_port
  cpu                   = var.cpu
  memory                = var.memory
  cpu_architecture      = var.cpu_architecture
  min_tasks             = var.min_tasks
  max_tasks             = var.max_tasks
  spot_share            = var.spot_share
  cpu_target            = var.cpu_target
  requests_target       = var.requests_target
  container_insights    = var.container_insights
  subnet_ids            = module.network.private_subnet_ids
  security_group_id     = module.network.security_group_ids.tasks
  target_group_arn      = module.load_balancer.target_group_arn
  scaling_label         = "${module.load_balancer.arn_suffix}/${module.load_balancer.target_group_arn_suffix}"
  database_url          = local.database_url
  database_pool         = var.database_pool
  database_password_arn = module.database.password_secret_arn
  jwt_key_arn           = module.secrets.jwt_key_arn
  trusted_proxies       = module.network.public_cidrs
  max_body_bytes        = var.max_body_bytes
  settings              = var.settings
  log_retention_days    = var.log_retention_days
  kms_key_arn           = module.encryption.key_arn
}

module "rotation" {
  source = "./modules/rotation"
  count  = var.image_tag == null ? 0 : 1

  prefix       = local.prefix
  cluster_name = module.service.cluster_name
  service_name = module.service.service_name
  secret_arns  = [module.database.password_secret_arn, module.secrets.jwt_key_arn]
}

module "monitoring" {
  source = "./modules/monitoring"

  prefix                   = local.prefix
  email                    = var.alarm_email
  kms_key_arn              = module.encryption.key_arn
  deployed                 = var.image_tag != null
  load_balancer            = module.load_balancer.arn_suffix
  target_group             = module.load_balancer.target_group_arn_suffix
  cluster_name             = module.service.cluster_name
  service_name             = module.service.service_name
  log_group                = module.service.log_group
  database                 = module.database.identifier
  database_class           = var.database_class
  database_storage_gb      = var.database_storage_gb
  database_max_connections = var.database_max_connections
  web_acl                  = one(module.firewall[*].web_acl_name)
  state_machine_arn        = one(module.rotation[*].state_machine_arn)
  latency_seconds          = var.latency_alarm_seconds
}

module "delivery" {
  source = "./modules/delivery"
  count  = var.github_repository == null ? 0 : 1

  prefix                  = local.prefix
  github_repository       = var.github_repository
  github_environment      = coalesce(var.github_environment, var.environment)
  oidc_provider_arn       = var.github_oidc_provider_arn
  repository_arn          = module.registry.arn
  cluster_name            = module.service.cluster_name
  service_name            = module.service.service_name
  migrate_task_definition = module.service.migrate_task_definition
  execution_role_arns     = module.service.execution_role_arns
}
