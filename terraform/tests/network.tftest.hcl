# Who can reach whom, and how tasks reach AWS.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  prefix               = "rootstock-test"
  cidr                 = "10.20.0.0/16"
  zones                = ["a", "b", "c"]
  nat_gateway_per_zone = false
  endpoint_zones       = 1
  ingress_cidrs        = ["0.0.0.0/0"]
  container_port       = 8000
  flow_logs            = true
  log_retention_days   = 14
  kms_key_arn          = null
}

run "with_endpoints" {
  command = apply # ids are known after the (mocked) apply alone

  module {
    source = "./modules/network"
  }

  variables {
    egress = "endpoints"
  }

  # The S3 endpoint.
  assert {
    condition     = length(aws_route_table.private) == 3 && length(setsubtract(values(aws_route_table.private)[*].id, aws_vpc_endpoint.s3.route_table_ids)) == 0
    error_message = "The S3 endpoint must be on every private route table, or the tasks of a zone cannot pull their image."
  }
  assert {
    condition     = contains(aws_vpc_endpoint.s3.route_table_ids, aws_route_table.database.id) && !contains(aws_vpc_endpoint.s3.route_table_ids, aws_route_table.public.id)
    error_message = "The S3 endpoint belongs on the database's route table too, and not on the public one."
  }
  assert {
    condition     = alltrue([for zone, subnet in aws_subnet.private : aws_route_table_association.private[zone].subnet_id == subnet.id && aws_route_table_association.private[zone].route_table_id == aws_route_table.private[zone].id])
    error_message = "Every private subnet must use the private route table of its zone."
  }
  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && jsondecode(aws_vpc_endpoint.s3.policy).Statement[0].Resource == "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*"
    error_message = "The S3 endpoint must be a gateway, for ECR's layers alone."
  }

  # The interface endpoints.
  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])
    error_message = "A Fargate task without NAT needs ECR (api and dkr), logs and Secrets Manager."
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled && endpoint.subnet_ids == toset([aws_subnet.private["a"].id]) && endpoint.security_group_ids == toset([aws_security_group.endpoints.id])])
    error_message = "Interface endpoints must have private names, stand in as many zones as asked for, and have their own security group."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.nat) == 0 && length(aws_vpc_security_group_egress_rule.tasks_to_internet) == 0
    error_message = "Without NAT there must be no NAT gateway, no route to one, and no rule that leads to the internet."
  }

  # Subnets.
  assert {
    condition     = length(distinct(concat(values(aws_subnet.public)[*].cidr_block, values(aws_subnet.private)[*].cidr_block, values(aws_subnet.database)[*].cidr_block))) == 9
    error_message = "Nine subnets must have nine networks."
  }
  assert {
    condition     = aws_subnet.private["b"].availability_zone == "eu-central-1b" && aws_subnet.database["c"].availability_zone == "eu-central-1c"
    error_message = "Subnets must stand in the zones that were named."
  }
  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.database)) : subnet.map_public_ip_on_launch != true])
    error_message = "No subnet may hand out public addresses."
  }
  assert {
    condition     = aws_route.internet.route_table_id == aws_route_table.public.id && alltrue([for association in aws_route_table_association.database : association.route_table_id == aws_route_table.database.id])
    error_message = "The way to the internet belongs to the public route table alone; the database's subnets have a table of their own."
  }
  assert {
    condition     = output.public_cidrs == values(aws_subnet.public)[*].cidr_block
    error_message = "The load balancer's networks, which are trusted as proxies, must be the public subnets."
  }

  # Security groups.
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.load_balancer : "${rule.cidr_ipv4} ${rule.from_port}-${rule.to_port}/${rule.ip_protocol}"]) == toset(["0.0.0.0/0 80-80/tcp", "0.0.0.0/0 443-443/tcp"])
    error_message = "The load balancer must take ports 80 and 443 from the callers, and nothing else."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.tasks_from_load_balancer.security_group_id == aws_security_group.tasks.id && aws_vpc_security_group_ingress_rule.tasks_from_load_balancer.referenced_security_group_id == aws_security_group.load_balancer.id && aws_vpc_security_group_ingress_rule.tasks_from_load_balancer.from_port == 8000 && aws_vpc_security_group_ingress_rule.tasks_from_load_balancer.to_port == 8000
    error_message = "Tasks must be reached by the load balancer alone, at the server's port."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.database_from_tasks.security_group_id == aws_security_group.database.id && aws_vpc_security_group_ingress_rule.database_from_tasks.referenced_security_group_id == aws_security_group.tasks.id && aws_vpc_security_group_ingress_rule.database_from_tasks.from_port == 5432 && aws_vpc_security_group_ingress_rule.database_from_tasks.to_port == 5432
    error_message = "The database must be reached by the tasks alone, at PostgreSQL's port."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints_from_tasks.security_group_id == aws_security_group.endpoints.id && aws_vpc_security_group_ingress_rule.endpoints_from_tasks.referenced_security_group_id == aws_security_group.tasks.id
    error_message = "The endpoints must be reached by the tasks alone."
  }
  assert {
    condition = alltrue([for rule in [
      aws_vpc_security_group_ingress_rule.tasks_from_load_balancer, aws_vpc_security_group_ingress_rule.database_from_tasks,
      aws_vpc_security_group_ingress_rule.endpoints_from_tasks,
    ] : rule.cidr_ipv4 == null && rule.cidr_ipv6 == null && rule.prefix_list_id == null])
    error_message = "Behind the load balancer no rule may name addresses."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.load_balancer_to_tasks.referenced_security_group_id == aws_security_group.tasks.id && aws_vpc_security_group_egress_rule.tasks_to_database.referenced_security_group_id == aws_security_group.database.id && aws_vpc_security_group_egress_rule.tasks_to_s3.prefix_list_id == aws_vpc_endpoint.s3.prefix_list_id
    error_message = "The load balancer must reach the tasks, and they the database and ECR's layers."
  }
  assert {
    condition     = toset(values(output.security_group_ids)) == toset([aws_security_group.load_balancer.id, aws_security_group.tasks.id, aws_security_group.database.id]) && output.security_group_ids.database == aws_security_group.database.id && output.security_group_ids.tasks == aws_security_group.tasks.id
    error_message = "The groups must be handed out under their own names."
  }
  assert {
    condition     = aws_default_security_group.this.vpc_id == aws_vpc.this.id && length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "The default security group must let nothing through."
  }
  assert {
    condition     = aws_flow_log.this[0].traffic_type == "REJECT" && aws_flow_log.this[0].vpc_id == aws_vpc.this.id
    error_message = "Refused connections must be logged where flow_logs says so."
  }
}

run "with_nat_in_every_zone" {
  command = apply

  module {
    source = "./modules/network"
  }

  variables {
    egress               = "nat"
    nat_gateway_per_zone = true
    flow_logs            = false
  }

  assert {
    condition     = alltrue([for zone in ["a", "b", "c"] : aws_route.nat[zone].route_table_id == aws_route_table.private[zone].id && aws_route.nat[zone].nat_gateway_id == aws_nat_gateway.this[zone].id && aws_nat_gateway.this[zone].subnet_id == aws_subnet.public[zone].id])
    error_message = "Every zone must leave by the NAT gateway in its own public subnet."
  }
  assert {
    condition     = length(setsubtract(values(aws_route_table.private)[*].id, aws_vpc_endpoint.s3.route_table_ids)) == 0
    error_message = "The S3 endpoint must be on every private route table with NAT as well: images would pay for the way."
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_vpc_security_group_egress_rule.tasks_to_endpoints) == 0
    error_message = "With NAT nothing must be paid for interface endpoints."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.tasks_to_internet[0].from_port == 443 && aws_vpc_security_group_egress_rule.tasks_to_internet[0].to_port == 443
    error_message = "Tasks must reach the internet by HTTPS alone."
  }
  assert {
    condition     = length(aws_flow_log.this) == 0 && length(aws_cloudwatch_log_group.flow) == 0
    error_message = "Without flow_logs there must be none."
  }
}

run "with_one_nat" {
  command = apply

  module {
    source = "./modules/network"
  }

  variables {
    egress = "nat"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["a"] && alltrue([for route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this["a"].id]) && length(aws_route.nat) == 3
    error_message = "One NAT gateway must serve every zone."
  }
}
