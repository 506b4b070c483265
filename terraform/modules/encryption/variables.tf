variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "enabled" {
  description = "Whether there is a key of the customer's; else AWS's own keys encrypt."
  type        = bool
}
