variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "cidr" {
  description = "The addresses of the network."
  type        = string
}

variable "zones" {
  description = "The letters of the availability zones, two or more."
  type        = list(string)
}

variable "egress" {
  description = "How tasks reach AWS: by `nat` or by `endpoints`."
  type        = string
}

variable "nat_gateway_per_zone" {
  description = "A NAT gateway in every zone, not in the first alone."
  type        = bool
}

variable "endpoint_zones" {
  description = "In how many zones the interface endpoints stand."
  type        = number
}

variable "ingress_cidrs" {
  description = "Who may call the load balancer."
  type        = list(string)
}

variable "container_port" {
  description = "Where the server listens."
  type        = number
}

variable "flow_logs" {
  description = "Whether refused connections are logged."
  type        = bool
}

variable "log_retention_days" {
  description = "How long the flow logs are kept."
  type        = number
}

variable "kms_key_arn" {
  description = "What the flow logs are encrypted with; null for AWS's own key."
  type        = string
}
