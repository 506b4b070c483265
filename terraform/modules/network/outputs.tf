output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Where the load balancer stands."
  value       = values(aws_subnet.public)[*].id
}

output "public_cidrs" {
  description = "The networks of the load balancer's own addresses, whose X-Forwarded-For is to be believed."
  value       = values(local.blocks.public)
}

output "private_subnet_ids" {
  description = "Where tasks run."
  value       = values(aws_subnet.private)[*].id
  # A task that starts before its way to ECR is there cannot pull its image.
  depends_on = [
    aws_route.nat, aws_route_table_association.private, aws_vpc_endpoint.s3, aws_vpc_endpoint.interface,
    aws_vpc_security_group_egress_rule.tasks_to_s3, aws_vpc_security_group_egress_rule.tasks_to_endpoints,
    aws_vpc_security_group_egress_rule.tasks_to_internet, aws_vpc_security_group_ingress_rule.endpoints_from_tasks,
  ]
}

output "database_subnet_ids" {
  description = "Where the database stands."
  value       = values(aws_subnet.database)[*].id
}

output "security_group_ids" {
  description = "The security groups by what they guard."
  value = {
    load_balancer = aws_security_group.load_balancer.id
    tasks         = aws_security_group.tasks.id
    database      = aws_security_group.database.id
  }
}

output "nat_gateways" {
  description = "How many NAT gateways there are."
  value       = length(aws_nat_gateway.this)
}

output "interface_endpoints" {
  description = "Which services are reached by an interface endpoint."
  value       = keys(aws_vpc_endpoint.interface)
}
