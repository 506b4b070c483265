variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "load_balancer_arn" {
  description = "What is guarded."
  type        = string
}

variable "rate_limit" {
  description = "The most requests of one address in five minutes."
  type        = number
}

variable "auth_rate_limit" {
  description = "The most requests of one address below /auth in five minutes."
  type        = number
}

variable "max_body_bytes" {
  description = "The longest body that the server takes."
  type        = number
}

variable "log_retention_days" {
  description = "How long the log of what was blocked and counted is kept."
  type        = number
}

variable "kms_key_arn" {
  description = "What the log is encrypted with; null for AWS's own key."
  type        = string
}
