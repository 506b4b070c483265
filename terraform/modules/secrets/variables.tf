variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "kms_key_arn" {
  description = "What the secret is encrypted with; null for AWS's own key."
  type        = string
}
