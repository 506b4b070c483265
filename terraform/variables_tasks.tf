# What an operator chooses about the tasks.

variable "image_tag" {
  description = "The tag of the first image. Null until one is pushed: then everything is made but the service. Deployments choose the image afterwards."
  type        = string
  default     = null

  validation {
    condition     = var.image_tag == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag))
    error_message = "image_tag must be a tag alone, such as the hash of a commit, without the repository."
  }

  validation {
    condition     = var.image_tag != "latest"
    error_message = "image_tag must not be latest: tags never change here, so say which image it is."
  }
}

variable "cpu" {
  description = "The CPU of a task, in 1024ths of a vCPU."
  type        = number
  default     = 256
}

variable "memory" {
  description = "The memory of a task, in MiB. Fargate has fixed pairs of CPU and memory."
  type        = number
  default     = 512

  validation {
    condition = contains(lookup({
      256  = [512, 1024, 2048]
      512  = range(1024, 4097, 1024)
      1024 = range(2048, 8193, 1024)
      2048 = range(4096, 16385, 1024)
      4096 = range(8192, 30721, 1024)
    }, var.cpu, []), var.memory)
    error_message = "Fargate has no tasks of this cpu and memory. It has 256 with 512, 1024 or 2048; 512 with 1024 to 4096; 1024 with 2048 to 8192; 2048 with 4096 to 16384; 4096 with 8192 to 30720, in steps of 1024."
  }
}

variable "cpu_architecture" {
  description = "ARM64, which costs a fifth less, or X86_64. The image must be built for it."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "cpu_architecture must be \"ARM64\" or \"X86_64\"."
  }
}

variable "min_tasks" {
  description = "The fewest tasks. Two or more survive the end of one."
  type        = number
  default     = 1

  validation {
    condition     = var.min_tasks >= 1 && floor(var.min_tasks) == var.min_tasks
    error_message = "min_tasks must be 1 or more."
  }
}

variable "max_tasks" {
  description = "The most tasks that scaling starts."
  type        = number
  default     = 2

  validation {
    condition     = var.max_tasks >= var.min_tasks && floor(var.max_tasks) == var.max_tasks
    error_message = "max_tasks must be min_tasks or more."
  }
}

variable "spot_share" {
  description = "How many tasks in a hundred run on Fargate Spot: for a third of the price, and taken away with two minutes' notice."
  type        = number
  default     = 0

  validation {
    condition     = var.spot_share >= 0 && var.spot_share <= 100 && floor(var.spot_share) == var.spot_share
    error_message = "spot_share must be a whole number from 0 to 100."
  }
}

variable "cpu_target" {
  description = "Scaling keeps the average CPU of the tasks near this, in percent."
  type        = number
  default     = 60

  validation {
    condition     = var.cpu_target >= 10 && var.cpu_target <= 90
    error_message = "cpu_target must be from 10 to 90: above it, tasks are late before new ones are there."
  }
}

variable "requests_target" {
  description = "Scaling keeps the requests a minute and task near this."
  type        = number
  default     = 3000

  validation {
    condition     = var.requests_target >= 1
    error_message = "requests_target must be 1 or more."
  }
}

variable "container_insights" {
  description = "CloudWatch's Container Insights, which cost for themselves: disabled, enabled or enhanced."
  type        = string
  default     = "disabled"

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights must be \"disabled\", \"enabled\" or \"enhanced\"."
  }
}

variable "settings" {
  description = "More environment variables of the server, such as CORS_ALLOWED_ORIGINS or GRAPHQL_INTROSPECTION; no secrets."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setintersection(keys(var.settings), [
      "BIND_ADDR", "DATABASE_MAX_CONNECTIONS", "DATABASE_PASSWORD", "DATABASE_URL", "JWT_SECRET_KEY", "LOG_FORMAT",
      "MAX_BODY_BYTES", "REQUEST_TIMEOUT_SECONDS", "SHUTDOWN_GRACE_SECONDS", "TRUSTED_PROXIES",
    ])) == 0
    error_message = "settings must not hold what this configuration sets itself, nor secrets: BIND_ADDR, DATABASE_*, JWT_SECRET_KEY, LOG_FORMAT, MAX_BODY_BYTES, REQUEST_TIMEOUT_SECONDS, SHUTDOWN_GRACE_SECONDS, TRUSTED_PROXIES."
  }

  validation {
    condition     = !contains(keys(var.settings), "JWT_JWKS_URL") || var.egress == "nat"
    error_message = "JWT_JWKS_URL is fetched from the internet, which needs egress = \"nat\"."
  }
}
