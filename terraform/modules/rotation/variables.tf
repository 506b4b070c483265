variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "service_name" {
  description = "The service that is deployed anew."
  type        = string
}

variable "secret_arns" {
  description = "The secrets that its tasks are given when they start."
  type        = list(string)
}
