variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "image" {
  description = "The first image, with its tag; null for as long as there is none, and no service."
  type        = string
}

variable "repository_arn" {
  description = "Where tasks may pull images from."
  type        = string
}

variable "container_port" {
  description = "Where the server listens."
  type        = number
}

variable "cpu" {
  description = "Thousand and twenty-fourths of a vCPU."
  type        = number
}

variable "memory" {
  description = "MiB."
  type        = number
}

variable "cpu_architecture" {
  description = "ARM64 or X86_64, as the image is."
  type        = string
}

variable "min_tasks" {
  description = "The fewest tasks."
  type        = number
}

variable "max_tasks" {
  description = "The most tasks."
  type        = number
}

variable "spot_share" {
  description = "Which share of the tasks runs on Fargate Spot, in percent."
  type        = number
}

variable "cpu_target" {
  description = "The average CPU that scaling aims at, in percent."
  type        = number
}

variable "requests_target" {
  description = "The requests a minute and task that scaling aims at."
  type        = number
}

variable "container_insights" {
  description = "disabled, enabled or enhanced."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "Who may call tasks, and whom they call."
  type        = string
}

variable "target_group_arn" {
  description = "Where tasks are registered."
  type        = string
}

variable "scaling_label" {
  description = "Load balancer and target group, as the metric of requests per target names them."
  type        = string
}

variable "database_url" {
  description = "With TLS's parameters, without a password."
  type        = string
}

variable "database_pool" {
  description = "The most connections of one task to the database."
  type        = number
}

variable "database_password_arn" {
  description = "The secret with the member `password`."
  type        = string
}

variable "jwt_key_arn" {
  description = "The secret that signs tokens."
  type        = string
}

variable "trusted_proxies" {
  description = "The networks of the load balancer."
  type        = list(string)
}

variable "max_body_bytes" {
  description = "The longest body of a request."
  type        = number
}

variable "settings" {
  description = "More environment variables of the server."
  type        = map(string)
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "What logs and secrets are encrypted with; null for AWS's own keys."
  type        = string
}
