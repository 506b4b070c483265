variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "email" {
  description = "Who hears of alarms; null for nobody yet."
  type        = string
}

variable "kms_key_arn" {
  description = "What the topic is encrypted with; null for nothing."
  type        = string
}

variable "deployed" {
  description = "Whether there is a service to watch."
  type        = bool
}

variable "load_balancer" {
  description = "The load balancer, as metrics name it."
  type        = string
}

variable "target_group" {
  description = "The target group, as metrics name it."
  type        = string
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "service_name" {
  description = "The service."
  type        = string
}

variable "log_group" {
  description = "Where the server's lines are."
  type        = string
}

variable "database" {
  description = "The database, as metrics name it."
  type        = string
}

variable "database_class" {
  description = "The size of the database's instance."
  type        = string
}

variable "database_storage_gb" {
  description = "The database's storage at first."
  type        = number
}

variable "database_max_connections" {
  description = "How many connections the database takes."
  type        = number
}

variable "web_acl" {
  description = "The web ACL, as metrics name it; null for none."
  type        = string
}

variable "state_machine_arn" {
  description = "What deploys anew when a secret changes; null where there is no service."
  type        = string
}

variable "latency_seconds" {
  description = "The 99th percentile of the time to an answer above which there is an alarm."
  type        = number
}
