# The database, as each profile asks for it.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  prefix            = "rootstock-test"
  subnet_ids        = ["subnet-a", "subnet-b"]
  security_group_id = "sg-database"
  engine_version    = "17"
}

run "production_profile" {
  module {
    source = "./tests/profile"
  }
  variables {
    name = "production"
  }
}

run "in_production" {
  command = apply

  module {
    source = "./modules/database"
  }

  variables {
    instance_class         = run.production_profile.values.database_class
    storage_gb             = run.production_profile.values.database_storage_gb
    storage_limit_gb       = run.production_profile.values.database_storage_limit_gb
    multi_az               = run.production_profile.values.database_multi_az
    backup_retention_days  = run.production_profile.values.database_backup_days
    deletion_protection    = run.production_profile.values.deletion_protection
    final_snapshot         = run.production_profile.values.final_snapshot
    max_connections        = run.production_profile.values.database_max_connections
    enhanced_monitoring    = run.production_profile.values.database_enhanced_monitoring
    password_rotation_days = 30
    log_retention_days     = run.production_profile.values.log_retention_days
    kms_key_arn            = "arn:aws:kms:eu-central-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
  }

  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.deletion_protection && aws_db_instance.this.backup_retention_period >= 7 && !aws_db_instance.this.skip_final_snapshot && startswith(aws_db_instance.this.final_snapshot_identifier, "rootstock-test-final-")
    error_message = "In production the database must have a standby, backups of a week or more, and be protected from deletion."
  }
  assert {
    condition     = aws_db_instance.this.delete_automated_backups == false && aws_db_instance.this.apply_immediately == false
    error_message = "In production backups must outlive the database, and changes wait for their window."
  }
  assert {
    condition     = aws_db_instance.this.monitoring_interval == 60 && aws_db_instance.this.monitoring_role_arn == aws_iam_role.monitoring[0].arn
    error_message = "In production the operating system must be watched."
  }
  assert {
    condition     = aws_db_instance.this.kms_key_id == var.kms_key_arn && aws_db_instance.this.master_user_secret_kms_key_id == var.kms_key_arn && aws_db_instance.this.performance_insights_kms_key_id == var.kms_key_arn && alltrue([for group in aws_cloudwatch_log_group.this : group.kms_key_id == var.kms_key_arn])
    error_message = "With a key of the customer's everything of the database must be encrypted with it."
  }
}

run "development_profile" {
  module {
    source = "./tests/profile"
  }
  variables {
    name = "development"
  }
}

run "in_development" {
  command = apply

  module {
    source = "./modules/database"
  }

  variables {
    instance_class         = run.development_profile.values.database_class
    storage_gb             = 20
    storage_limit_gb       = 50
    multi_az               = run.development_profile.values.database_multi_az
    backup_retention_days  = run.development_profile.values.database_backup_days
    deletion_protection    = run.development_profile.values.deletion_protection
    final_snapshot         = run.development_profile.values.final_snapshot
    max_connections        = 80
    enhanced_monitoring    = false
    password_rotation_days = 30
    log_retention_days     = run.development_profile.values.log_retention_days
    kms_key_arn            = null
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.delete_automated_backups
    error_message = "In development nothing of the database may be left when it is destroyed."
  }
  assert {
    condition     = !aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period == 1 && aws_db_instance.this.monitoring_interval == 0 && length(aws_iam_role.monitoring) == 0
    error_message = "In development nothing must be paid for that only production needs."
  }

  # In every profile.
  assert {
    condition     = aws_db_instance.this.publicly_accessible == false && aws_db_instance.this.vpc_security_group_ids == toset(["sg-database"]) && aws_db_subnet_group.this.subnet_ids == toset(["subnet-a", "subnet-b"]) && aws_db_instance.this.db_subnet_group_name == aws_db_subnet_group.this.name
    error_message = "The database must never be public: isolated subnets, its own security group."
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && startswith(aws_db_instance.this.final_snapshot_identifier, "rootstock-test-final-")
    error_message = "Storage must be encrypted, and a final snapshot have a name even where none is taken yet."
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null && aws_db_instance.this.password_wo == null
    error_message = "RDS must make the password: Terraform may not know it."
  }
  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value } == {
      "rds.force_ssl"                     = "1"
      "max_connections"                   = "80"
      "log_min_duration_statement"        = "1000"
      "log_parameter_max_length"          = "0"
      "log_parameter_max_length_on_error" = "0"
    } && aws_db_instance.this.parameter_group_name == aws_db_parameter_group.this.name
    error_message = "PostgreSQL must refuse connections without TLS, and log no values of clients."
  }
  assert {
    condition     = aws_secretsmanager_secret_rotation.password.rotation_rules[0].automatically_after_days == 30 && aws_secretsmanager_secret_rotation.password.rotate_immediately == false && aws_secretsmanager_secret_rotation.password.rotation_lambda_arn == null
    error_message = "RDS must rotate the password itself, as often as asked, and not while Terraform applies."
  }
  assert {
    condition     = toset([for group in aws_cloudwatch_log_group.this : group.name]) == toset([for log in aws_db_instance.this.enabled_cloudwatch_logs_exports : "/aws/rds/instance/${aws_db_instance.this.identifier}/${log}"]) && alltrue([for group in aws_cloudwatch_log_group.this : group.retention_in_days == 7])
    error_message = "Every log that RDS writes must have a group of ours, or it is kept for ever."
  }
  assert {
    condition     = output.url == "postgres://rootstock@mocked.abcdefghijkl.eu-central-1.rds.amazonaws.com:5432/rootstock"
    error_message = "The URL must hold no password."
  }
}
