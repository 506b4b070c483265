# Nothing stands or falls with one zone, and nothing is lost by mistake. It needs HTTPS: give certificate_arn, or
# domain_name and hosted_zone_id, and alarm_email, in terraform.tfvars.
environment = "production"

egress               = "nat"
nat_gateway_per_zone = true
flow_logs            = true
firewall             = true

min_tasks          = 2
max_tasks          = 6
spot_share         = 0
container_insights = "enabled"

database_class               = "db.t4g.medium"
database_storage_gb          = 50
database_storage_limit_gb    = 500
database_multi_az            = true
database_backup_days         = 14
database_max_connections     = 200
database_pool                = 15
database_tls                 = "verify-full"
database_enhanced_monitoring = true

deletion_protection  = true
final_snapshot       = true
customer_managed_key = true
log_retention_days   = 90
