# Small, and gone when you say so: one task on Spot, the smallest database, no NAT, nothing kept on destroy.
# What is not said here is as variables*.tf has it.
environment = "development"

egress           = "endpoints"
endpoint_zones   = 1
allow_plain_http = true
firewall         = false

min_tasks  = 1
max_tasks  = 2
spot_share = 100

database_class       = "db.t4g.micro"
database_multi_az    = false
database_backup_days = 1
database_tls         = "require"

deletion_protection = false
final_snapshot      = false
log_retention_days  = 7
