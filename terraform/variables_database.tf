# What an operator chooses about the database.

variable "database_version" {
  description = "The major version of PostgreSQL; minor ones come by themselves."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[4-9]$", var.database_version))
    error_message = "database_version must be a major version, such as \"17\"."
  }
}

variable "database_class" {
  description = "The size of the database's instance."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = startswith(var.database_class, "db.")
    error_message = "database_class must be a class of RDS, such as \"db.t4g.micro\"."
  }
}

variable "database_storage_gb" {
  description = "The database's storage at first; gp3 begins at 20."
  type        = number
  default     = 20

  validation {
    condition     = var.database_storage_gb >= 20
    error_message = "database_storage_gb must be 20 or more."
  }
}

variable "database_storage_limit_gb" {
  description = "Up to where storage grows by itself. It never shrinks."
  type        = number
  default     = 50

  validation {
    # RDS asks for a tenth more than there is, so that growing is worth it.
    condition     = var.database_storage_limit_gb >= var.database_storage_gb * 1.1
    error_message = "database_storage_limit_gb must be more than database_storage_gb by a tenth or more."
  }
}

variable "database_multi_az" {
  description = "A standby in another zone, which takes over within a minute or two. It doubles the price."
  type        = bool
  default     = false
}

variable "database_backup_days" {
  description = "How many days back the database can be restored, to the second."
  type        = number
  default     = 1

  validation {
    condition     = var.database_backup_days >= 1 && var.database_backup_days <= 35
    error_message = "database_backup_days must be from 1 to 35."
  }
}

variable "database_max_connections" {
  description = "How many connections PostgreSQL takes; about 10 MB of memory each. RDS keeps a few for itself."
  type        = number
  default     = 80

  validation {
    condition     = var.database_max_connections <= 5000
    error_message = "database_max_connections must be 5000 or fewer."
  }
}

variable "database_pool" {
  description = "The most connections of one task (DATABASE_MAX_CONNECTIONS)."
  type        = number
  default     = 10

  validation {
    # A deployment runs old and new tasks side by side; ten for a migration, an administrator and RDS.
    condition     = var.database_pool >= 1 && 2 * var.max_tasks * var.database_pool + 10 <= var.database_max_connections
    error_message = "During a deployment twice max_tasks run: 2 * max_tasks * database_pool + 10 must not exceed database_max_connections."
  }
}

variable "database_tls" {
  description = "How the server checks the database's certificate: require (not at all) or verify-full, for which the image must hold Amazon's certificates at /etc/rootstock/rds.pem."
  type        = string
  default     = "require"

  validation {
    condition     = contains(["require", "verify-full"], var.database_tls)
    error_message = "database_tls must be \"require\" or \"verify-full\"."
  }
}

variable "database_enhanced_monitoring" {
  description = "Record the metrics of the database's operating system every minute."
  type        = bool
  default     = false
}

variable "database_password_rotation_days" {
  description = "How often RDS changes the database's password. Tasks are replaced each time."
  type        = number
  default     = 30

  validation {
    condition     = var.database_password_rotation_days >= 1 && var.database_password_rotation_days <= 365
    error_message = "database_password_rotation_days must be from 1 to 365."
  }
}
