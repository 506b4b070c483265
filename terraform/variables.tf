# What an operator chooses. profiles/ has the two usual choices; terraform.tfvars.example what is left to say beside them.
# A choice that cannot work is refused while planning, with what would be right.

# ---- What and where --------------------------------------------------------------------------------------------------

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

# ---- Network ---------------------------------------------------------------------------------------------------------

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

# ---- Load balancer and firewall --------------------------------------------------------------------------------------

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

# ---- Tasks -----------------------------------------------------------------------------------------------------------

variable "image_tag" {
  description = "The tag of the first image. Null until one is pushed: then everything is made but the service. Deployments choose the image afterwards."
  type        = string
  default     = null

  validation {
    condition     = var.image_tag == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag))
    error_message = "image_tag must be a tag alone, such as the hash of a commit, without the repository."
  }

  validation {
    condition     = var.image_tag != "latest"
    error_message = "image_tag must not be latest: tags never change here, so say which image it is."
  }
}

variable "cpu" {
  description = "The CPU of a task, in 1024ths of a vCPU."
  type        = number
  default     = 256
}

variable "memory" {
  description = "The memory of a task, in MiB. Fargate has fixed pairs of CPU and memory."
  type        = number
  default     = 512

  validation {
    condition = contains(lookup({
      256  = [512, 1024, 2048]
      512  = range(1024, 4097, 1024)
      1024 = range(2048, 8193, 1024)
      2048 = range(4096, 16385, 1024)
      4096 = range(8192, 30721, 1024)
    }, var.cpu, []), var.memory)
    error_message = "Fargate has no tasks of this cpu and memory. It has 256 with 512, 1024 or 2048; 512 with 1024 to 4096; 1024 with 2048 to 8192; 2048 with 4096 to 16384; 4096 with 8192 to 30720, in steps of 1024."
  }
}

variable "cpu_architecture" {
  description = "ARM64, which costs a fifth less, or X86_64. The image must be built for it."
  type        = string
  default     = "ARM64"

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "cpu_architecture must be \"ARM64\" or \"X86_64\"."
  }
}

variable "min_tasks" {
  description = "The fewest tasks. Two or more survive the end of one."
  type        = number
  default     = 1

  validation {
    condition     = var.min_tasks >= 1 && floor(var.min_tasks) == var.min_tasks
    error_message = "min_tasks must be 1 or more."
  }
}

variable "max_tasks" {
  description = "The most tasks that scaling starts."
  type        = number
  default     = 2

  validation {
    condition     = var.max_tasks >= var.min_tasks && floor(var.max_tasks) == var.max_tasks
    error_message = "max_tasks must be min_tasks or more."
  }
}

variable "spot_share" {
  description = "How many tasks in a hundred run on Fargate Spot: for a third of the price, and taken away with two minutes' notice."
  type        = number
  default     = 0

  validation {
    condition     = var.spot_share >= 0 && var.spot_share <= 100 && floor(var.spot_share) == var.spot_share
    error_message = "spot_share must be a whole number from 0 to 100."
  }
}

variable "cpu_target" {
  description = "Scaling keeps the average CPU of the tasks near this, in percent."
  type        = number
  default     = 60

  validation {
    condition     = var.cpu_target >= 10 && var.cpu_target <= 90
    error_message = "cpu_target must be from 10 to 90: above it, tasks are late before new ones are there."
  }
}

variable "requests_target" {
  description = "Scaling keeps the requests a minute and task near this."
  type        = number
  default     = 3000

  validation {
    condition     = var.requests_target >= 1
    error_message = "requests_target must be 1 or more."
  }
}

variable "container_insights" {
  description = "CloudWatch's Container Insights, which cost for themselves: disabled, enabled or enhanced."
  type        = string
  default     = "disabled"

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights must be \"disabled\", \"enabled\" or \"enhanced\"."
  }
}

variable "settings" {
  description = "More environment variables of the server, such as CORS_ALLOWED_ORIGINS or GRAPHQL_INTROSPECTION; no secrets."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setintersection(keys(var.settings), [
      "BIND_ADDR", "DATABASE_MAX_CONNECTIONS", "DATABASE_PASSWORD", "DATABASE_URL", "JWT_SECRET_KEY", "LOG_FORMAT",
      "MAX_BODY_BYTES", "REQUEST_TIMEOUT_SECONDS", "SHUTDOWN_GRACE_SECONDS", "TRUSTED_PROXIES",
    ])) == 0
    error_message = "settings must not hold what this configuration sets itself, nor secrets: BIND_ADDR, DATABASE_*, JWT_SECRET_KEY, LOG_FORMAT, MAX_BODY_BYTES, REQUEST_TIMEOUT_SECONDS, SHUTDOWN_GRACE_SECONDS, TRUSTED_PROXIES."
  }

  validation {
    condition     = !contains(keys(var.settings), "JWT_JWKS_URL") || var.egress == "nat"
    error_message = "JWT_JWKS_URL is fetched from the internet, which needs egress = \"nat\"."
  }
}

# ---- Database --------------------------------------------------------------------------------------------------------

variable "database_version" {
  description = "The major version of PostgreSQL; minor ones come by themselves."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[4-9]$", var.database_version))
    error_message = "database_version must be a major version, such as \"17\"."
  }
}

variable "database_class" {
  description = "The size of the database's instance."
  type        = string
  default     = "db.t4g.micro"

  validation {
    condition     = startswith(var.database_class, "db.")
    error_message = "database_class must be a class of RDS, such as \"db.t4g.micro\"."
  }
}

variable "database_storage_gb" {
  description = "The database's storage at first; gp3 begins at 20."
  type        = number
  default     = 20

  validation {
    condition     = var.database_storage_gb >= 20
    error_message = "database_storage_gb must be 20 or more."
  }
}

variable "database_storage_limit_gb" {
  description = "Up to where storage grows by itself. It never shrinks."
  type        = number
  default     = 50

  validation {
    # RDS asks for a tenth more than there is, so that growing is worth it.
    condition     = var.database_storage_limit_gb >= var.database_storage_gb * 1.1
    error_message = "database_storage_limit_gb must be more than database_storage_gb by a tenth or more."
  }
}

variable "database_multi_az" {
  description = "A standby in another zone, which takes over within a minute or two. It doubles the price."
  type        = bool
  default     = false
}

variable "database_backup_days" {
  description = "How many days back the database can be restored, to the second."
  type        = number
  default     = 1

  validation {
    condition     = var.database_backup_days >= 1 && var.database_backup_days <= 35
    error_message = "database_backup_days must be from 1 to 35."
  }
}

variable "database_max_connections" {
  description = "How many connections PostgreSQL takes; about 10 MB of memory each. RDS keeps a few for itself."
  type        = number
  default     = 80

  validation {
    condition     = var.database_max_connections <= 5000
    error_message = "database_max_connections must be 5000 or fewer."
  }
}

variable "database_pool" {
  description = "The most connections of one task (DATABASE_MAX_CONNECTIONS)."
  type        = number
  default     = 10

  validation {
    # A deployment runs old and new tasks side by side; ten for a migration, an administrator and RDS.
    condition     = var.database_pool >= 1 && 2 * var.max_tasks * var.database_pool + 10 <= var.database_max_connections
    error_message = "During a deployment twice max_tasks run: 2 * max_tasks * database_pool + 10 must not exceed database_max_connections."
  }
}

variable "database_tls" {
  description = "How the server checks the database's certificate: require (not at all) or verify-full, for which the image must hold Amazon's certificates at /etc/rootstock/rds.pem."
  type        = string
  default     = "require"

  validation {
    condition     = contains(["require", "verify-full"], var.database_tls)
    error_message = "database_tls must be \"require\" or \"verify-full\"."
  }
}

variable "database_enhanced_monitoring" {
  description = "Record the metrics of the database's operating system every minute."
  type        = bool
  default     = false
}

variable "database_password_rotation_days" {
  description = "How often RDS changes the database's password. Tasks are replaced each time."
  type        = number
  default     = 30

  validation {
    condition     = var.database_password_rotation_days >= 1 && var.database_password_rotation_days <= 365
    error_message = "database_password_rotation_days must be from 1 to 365."
  }
}

# ---- Keeping and losing ----------------------------------------------------------------------------------------------

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

# ---- Logs and alarms -------------------------------------------------------------------------------------------------

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "alarm_email" {
  description = "Who hears of alarms. Null: nobody, until something subscribes to the topic (output alarm_topic_arn)."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@ ]+@[^@ ]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "latency_alarm_seconds" {
  description = "An alarm when one answer in a hundred takes longer."
  type        = number
  default     = 2

  validation {
    condition     = var.latency_alarm_seconds > 0 && var.latency_alarm_seconds <= 15
    error_message = "latency_alarm_seconds must be above 0 and at most 15, where the server gives a request up."
  }
}

# ---- Delivery --------------------------------------------------------------------------------------------------------

variable "github_repository" {
  description = "The repository on GitHub that deploys, as owner/name. Null: no role for it."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "github_repository must be owner/name, without wildcards."
  }
}

variable "github_environment" {
  description = "The environment of that repository in which the deploying job runs. Null: of the name of this environment."
  type        = string
  default     = null

  validation {
    condition     = var.github_environment == null || can(regex("^[A-Za-z0-9 ._-]+$", var.github_environment))
    error_message = "github_environment must be the name of an environment, without wildcards."
  }
}

variable "github_oidc_provider_arn" {
  description = "The account's identity provider for GitHub, where another deployment has made it already. Null: it is made."
  type        = string
  default     = null

  validation {
    condition     = var.github_oidc_provider_arn == null || can(regex(":oidc-provider/token\\.actions\\.githubusercontent\\.com$", var.github_oidc_provider_arn))
    error_message = "github_oidc_provider_arn must be the ARN of the provider token.actions.githubusercontent.com."
  }
}
