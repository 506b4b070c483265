variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "github_repository" {
  description = "The repository whose workflow deploys, as owner/name."
  type        = string
}

variable "github_environment" {
  description = "The environment of that repository in which the deploying job runs."
  type        = string
}

variable "oidc_provider_arn" {
  description = "The account's provider for GitHub; null where there is none yet, to make it."
  type        = string
}

variable "repository_arn" {
  description = "Where images are pushed."
  type        = string
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "service_name" {
  description = "The service that is moved to the new image."
  type        = string
}

variable "migrate_task_definition" {
  description = "The family of the task that is run before."
  type        = string
}

variable "execution_role_arns" {
  description = "The roles that a task definition may name."
  type        = list(string)
}
