# What an operator chooses about the network, and about what stands between it and the callers.

variable "vpc_cidr" {
  description = "The addresses of the network, a /16 to a /20. Another network that this one is to be joined with has others."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 20, false)
    error_message = "vpc_cidr must be a network of 16 to 20 bits, such as 10.20.0.0/16."
  }
}

variable "zones" {
  description = "The availability zones, by their letters. A load balancer and a database need two."
  type        = list(string)
  default     = ["a", "b"]

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones) && alltrue([for zone in var.zones : can(regex("^[a-z]$", zone))])
    error_message = "zones must be two to four different letters, such as [\"a\", \"b\"]: with one zone AWS refuses the load balancer and the database."
  }
}

variable "egress" {
  description = "How tasks reach AWS: `endpoints` (nothing else is reached) or `nat` (the internet too, which JWT_JWKS_URL needs)."
  type        = string
  default     = "endpoints"

  validation {
    condition     = contains(["endpoints", "nat"], var.egress)
    error_message = "egress must be \"endpoints\" or \"nat\"."
  }
}

variable "nat_gateway_per_zone" {
  description = "With egress = \"nat\": a NAT gateway in every zone, so that a zone that fails takes no other with it."
  type        = bool
  default     = false
}

variable "endpoint_zones" {
  description = "With egress = \"endpoints\": in how many zones the interface endpoints stand. Each costs for itself."
  type        = number
  default     = 1

  validation {
    condition     = var.endpoint_zones >= 1 && var.endpoint_zones <= length(var.zones)
    error_message = "endpoint_zones must be from 1 to the number of zones."
  }
}

variable "flow_logs" {
  description = "Log the connections that the network refuses."
  type        = bool
  default     = false
}

variable "ingress_cidrs" {
  description = "Who may call the API."
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = length(var.ingress_cidrs) > 0 && alltrue([for cidr in var.ingress_cidrs : can(cidrnetmask(cidr))])
    error_message = "ingress_cidrs must be one IPv4 network or more, such as [\"0.0.0.0/0\"]."
  }
}

variable "certificate_arn" {
  description = "A certificate of ACM in this region. Null: one is made for domain_name."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of a certificate of ACM: arn:aws:acm:…"
  }
}

variable "domain_name" {
  description = "The name of the API, such as api.example.com. With hosted_zone_id it is written there."
  type        = string
  default     = null
}

variable "hosted_zone_id" {
  description = "The zone of Route 53 that domain_name is in."
  type        = string
  default     = null
}

variable "allow_plain_http" {
  description = "Serve HTTP for want of a certificate: passwords and tokens then cross the internet in the clear."
  type        = bool
  default     = false

  validation {
    condition     = var.allow_plain_http || var.certificate_arn != null || (var.domain_name != null && var.hosted_zone_id != null)
    error_message = "Without HTTPS passwords travel in the clear. Give certificate_arn, or domain_name and hosted_zone_id; or say allow_plain_http = true for a trial."
  }
}

variable "access_logs_bucket" {
  description = "A bucket that load balancers of this region may log to. Null: no access logs; the server logs every request."
  type        = string
  default     = null
}

variable "firewall" {
  description = "Guard the load balancer by a web ACL of AWS WAF."
  type        = bool
  default     = true
}

variable "rate_limit" {
  description = "The most requests of one address in five minutes."
  type        = number
  default     = 3000

  validation {
    condition     = var.rate_limit >= 10 && var.rate_limit <= 2000000000
    error_message = "rate_limit must be 10 or more: AWS WAF counts no fewer."
  }
}

variable "auth_rate_limit" {
  description = "The most requests of one address to /auth/… in five minutes."
  type        = number
  default     = 200

  validation {
    condition     = var.auth_rate_limit >= 10 && var.auth_rate_limit <= var.rate_limit
    error_message = "auth_rate_limit must be 10 or more, and no more than rate_limit."
  }
}

variable "max_body_bytes" {
  description = "The longest body of a request, for the server and for the firewall."
  type        = number
  default     = 1048576

  validation {
    condition     = var.max_body_bytes >= 1024 && var.max_body_bytes <= 104857600 && floor(var.max_body_bytes) == var.max_body_bytes
    error_message = "max_body_bytes must be a whole number from 1024 to 104857600 (100 MiB)."
  }
}
