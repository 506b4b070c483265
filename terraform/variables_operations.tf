# What an operator chooses about logs, alarms and who deploys.

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "alarm_email" {
  description = "Who hears of alarms. Null: nobody, until something subscribes to the topic (output alarm_topic_arn)."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "latency_alarm_seconds" {
  description = "An alarm when one answer in a hundred takes longer."
  type        = number
  default     = 2

  validation {
    condition     = var.latency_alarm_seconds > 0 && var.latency_alarm_seconds <= 15
    error_message = "latency_alarm_seconds must be above 0 and at most 15, where the server gives a request up."
  }
}

variable "github_repository" {
  description = "The repository on GitHub that deploys, as owner/name. Null: no role for it."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository must be owner/name, without wildcards."
  }
}

variable "github_environment" {
  description = "The environment of that repository in which the deploying job runs. Null: of the name of this environment."
  type        = string
  default     = null

  validation {
    condition     = var.github_environment == null || can(regex("^[A-Za-z0-9 ._-]+$", var.github_environment))
    error_message = "github_environment must be the name of an environment, without wildcards."
  }
}

variable "github_oidc_provider_arn" {
  description = "The account's identity provider for GitHub, where another deployment has made it already. Null: it is made."
  type        = string
  default     = null

  validation {
    condition     = var.github_oidc_provider_arn == null || can(regex(":oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.github_oidc_provider_arn))
    error_message = "github_oidc_provider_arn must be the ARN of the provider token.actions.githubusercontent.com."
  }
}
