variable "prefix" {
  description = "Begins the names of everything."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets in two zones or more."
  type        = list(string)
}

variable "security_group_id" {
  description = "Who may call, and who is called."
  type        = string
}

variable "container_port" {
  description = "Where the server listens."
  type        = number
}

variable "certificate_arn" {
  description = "A certificate of ACM; null for one that is made for domain_name, or for none."
  type        = string
}

variable "domain_name" {
  description = "The name of the API in hosted_zone_id; null for the load balancer's own."
  type        = string
}

variable "hosted_zone_id" {
  description = "The zone of Route 53 where domain_name is written; null for none."
  type        = string
}

variable "access_logs_bucket" {
  description = "A bucket that takes the load balancer's access logs; null for none."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
}
