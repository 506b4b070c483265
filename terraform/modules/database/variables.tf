variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "subnet_ids" {
  description = "Isolated subnets in two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "Who may connect."
  type        = string
}

variable "engine_version" {
  description = "The major version of PostgreSQL."
  type        = string
}

variable "instance_class" {
  description = "The size of the instance."
  type        = string
}

variable "storage_gb" {
  description = "Storage at first."
  type        = number
}

variable "storage_limit_gb" {
  description = "Up to where storage grows by itself."
  type        = number
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over."
  type        = bool
}

variable "backup_retention_days" {
  description = "How far back the database can be restored."
  type        = number
}

variable "deletion_protection" {
  description = "Whether the database refuses to be deleted."
  type        = bool
}

variable "final_snapshot" {
  description = "Whether a snapshot is taken before the database is deleted."
  type        = bool
}

variable "max_connections" {
  description = "How many connections PostgreSQL takes."
  type        = number
}

variable "enhanced_monitoring" {
  description = "Whether the operating system's metrics are recorded every minute."
  type        = bool
}

variable "password_rotation_days" {
  description = "How often RDS changes the password."
  type        = number
}

variable "log_retention_days" {
  description = "How long PostgreSQL's log is kept."
  type        = number
}

variable "kms_key_arn" {
  description = "What storage, password and logs are encrypted with; null for AWS's own keys."
  type        = string
}
