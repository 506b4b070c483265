# What an operator chooses: what and where, here; the network, the tasks, the database and the operation, in the files
# beside. profiles/ has the two usual choices; terraform.tfvars.example what is left to say beside them. A choice that
# cannot work is refused while planning, with what would be right.

variable "name" {
  description = "Begins the names of everything, with the environment behind it."
  type        = string
  default     = "rootstock"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*[a-z0-9]$", var.name))
    error_message = "name must be lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "environment" {
  description = "Which of several deployments this is, such as development or production."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", var.environment))
    error_message = "environment must be lower-case letters, digits and hyphens."
  }

  validation {
    condition     = length("${var.name}-${var.environment}") <= 28
    error_message = "name and environment together must have 27 characters or fewer: a load balancer's name has 32."
  }
}

variable "region" {
  description = "The region of AWS."
  type        = string
  default     = "us-east-1"
}

variable "tags" {
  description = "More tags on everything, such as a cost centre."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Load balancer and database refuse to be deleted, and images stay. Off, `terraform destroy` takes all of it."
  type        = bool
  default     = true
}

variable "final_snapshot" {
  description = "Take a snapshot of the database before it is deleted. It stays, and costs, until it is deleted by hand."
  type        = bool
  default     = true
}

variable "customer_managed_key" {
  description = "Encrypt everything with a key of your own in KMS, not with AWS's. Choose before the first apply: changing it makes a new, empty database."
  type        = bool
  default     = false
}
