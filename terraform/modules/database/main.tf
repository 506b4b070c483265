# PostgreSQL, in subnets without a way in or out but the tasks'. RDS makes the password, keeps it in Secrets Manager and
# rotates it; Terraform knows the secret's ARN alone.

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

locals {
  port = 5432
  user = "rootstock"
  name = "rootstock"
}

resource "aws_db_subnet_group" "this" {
  name        = var.prefix
  description = "Isolated subnets of ${var.prefix}"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.prefix}-"
  family      = "postgres${var.engine_version}"
  description = "PostgreSQL of ${var.prefix}"

  # No connection without TLS. It is the default since PostgreSQL 15; here it stays so.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Said, not derived from the memory, because the pools of all tasks are counted against it: see variables_database.tf of the root.
  parameter {
    name         = "max_connections"
    value        = var.max_connections
    apply_method = "pending-reboot"
  }

  # Statements that took a second or more, without what clients sent in them.
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "log_parameter_max_length_on_error"
    value = "0"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Made before the database, which else makes them itself: kept for ever, and left behind when it is gone.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long is the operator's choice, by log_retention_days.
  #checkov:skip=CKV_AWS_158:Encrypted with the customer's key where customer_managed_key says so, else with AWS's.
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.prefix}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_157:By multi_az: on in production; a development database may be away for a while.
  #checkov:skip=CKV_AWS_161:The server signs in by password, which RDS rotates; it does not speak IAM's tokens.
  #checkov:skip=CKV_AWS_293:By deletion_protection: on in production, off where destroying at will is the point.
  #checkov:skip=CKV_AWS_354:Encrypted with the customer's key where customer_managed_key says so, else with AWS's.
  #checkov:skip=CKV2_AWS_30:log_statement writes the text of statements, passwords in it; slow ones are logged instead.
  #checkov:skip=CKV_AWS_118:By enhanced_monitoring: on in production; it writes to CloudWatch, which costs.
  identifier     = var.prefix
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class

  db_name  = local.name
  username = local.user
  port     = local.port

  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  storage_type          = "gp3"
  allocated_storage     = var.storage_gb
  max_allocated_storage = var.storage_limit_gb
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  multi_az               = var.multi_az
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  parameter_group_name   = aws_db_parameter_group.this.name

  # At night in Europe and America, the backup before the maintenance.
  backup_window           = "03:00-04:00"
  maintenance_window      = "sun:04:30-sun:05:30"
  backup_retention_period = var.backup_retention_days
  copy_tags_to_snapshot   = true

  auto_minor_version_upgrade = true
  # Who can lose the database can also stand its restart; a database that must stay waits for its maintenance window.
  apply_immediately = !var.deletion_protection

  deletion_protection       = var.deletion_protection
  delete_automated_backups  = !var.deletion_protection
  skip_final_snapshot       = !var.final_snapshot
  final_snapshot_identifier = "${var.prefix}-final-${formatdate("YYYYMMDDhhmmss", plantimestamp())}"

  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  # Seven days of it cost nothing.
  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  performance_insights_kms_key_id       = var.kms_key_arn

  monitoring_interval = var.enhanced_monitoring ? 60 : 0
  monitoring_role_arn = one(aws_iam_role.monitoring[*].arn)

  depends_on = [aws_cloudwatch_log_group.this]

  lifecycle {
    # The snapshot's name holds the time when the database was made, so that the next database's has another. There is
    # one even where no snapshot is taken, because that may be changed later.
    ignore_changes = [final_snapshot_identifier]
  }
}

# RDS rotates every seven days by itself; this says how often. The new password reaches the tasks by modules/rotation.
resource "aws_secretsmanager_secret_rotation" "password" {
  secret_id          = aws_db_instance.this.master_user_secret[0].secret_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = var.password_rotation_days
  }
}

resource "aws_iam_role" "monitoring" {
  count = var.enhanced_monitoring ? 1 : 0

  name_prefix = "${var.prefix}-rds-"
  description = "Lets RDS record the metrics of ${var.prefix}'s operating system"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  count = var.enhanced_monitoring ? 1 : 0

  role       = aws_iam_role.monitoring[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
