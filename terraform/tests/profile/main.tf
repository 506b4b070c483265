# Reads a profile, so that the tests plan what profiles/ says and not a copy of it.

terraform {
  required_providers {
    terraform = { source = "terraform.io/builtin/terraform" }
  }
}

variable "name" {
  description = "Which of profiles/."
  type        = string
}

output "values" {
  description = "What the profile says."
  value       = provider::terraform::decode_tfvars(file("${path.root}/../../profiles/${var.name}.tfvars"))
}
