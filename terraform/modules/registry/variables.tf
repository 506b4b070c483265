variable "prefix" {
  description = "The name of the repository."
  type        = string
}

variable "kms_key_arn" {
  description = "What images are encrypted with; null for AWS's own key."
  type        = string
}

variable "force_delete" {
  description = "Whether the repository is deleted with the images in it."
  type        = bool
}
