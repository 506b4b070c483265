# Who may talk to whom: the world to the load balancer, it to the tasks, they to the database. Each rule names the group
# at its other end, so that an address that changes hands opens nothing.

resource "aws_security_group" "load_balancer" {
  #checkov:skip=CKV2_AWS_5:Attached in modules/load_balancer.
  name_prefix = "${var.prefix}-load-balancer-"
  description = "Load balancer: HTTP and HTTPS from outside, the tasks behind"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.prefix}-load-balancer" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "tasks" {
  #checkov:skip=CKV2_AWS_5:Attached in modules/service.
  name_prefix = "${var.prefix}-tasks-"
  description = "Tasks: from the load balancer alone, to the database and to AWS"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.prefix}-tasks" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "database" {
  #checkov:skip=CKV2_AWS_5:Attached in modules/database.
  name_prefix = "${var.prefix}-database-"
  description = "Database: from the tasks alone, to nobody"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.prefix}-database" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "endpoints" {
  #checkov:skip=CKV2_AWS_5:Attached to the interface endpoints where there are any.
  name_prefix = "${var.prefix}-endpoints-"
  description = "Interface endpoints: from the tasks alone"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.prefix}-endpoints" }

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  # Port 80 stays open beside HTTPS, where it only redirects.
  public_ports = { for pair in setproduct(var.ingress_cidrs, [80, 443]) : "${pair[0]}-${pair[1]}" => { cidr = pair[0], port = pair[1] } }
}

resource "aws_vpc_security_group_ingress_rule" "load_balancer" {
  #checkov:skip=CKV_AWS_260:A public API answers on port 80 as well, with a redirect to HTTPS where it has a certificate.
  for_each = local.public_ports

  security_group_id = aws_security_group.load_balancer.id
  description       = "Callers"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "load_balancer_to_tasks" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Requests and health checks"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = var.container_port
  to_port                      = var.container_port
}

resource "aws_vpc_security_group_ingress_rule" "tasks_from_load_balancer" {
  security_group_id            = aws_security_group.tasks.id
  description                  = "Requests and health checks"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = var.container_port
  to_port                      = var.container_port
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_database" {
  security_group_id            = aws_security_group.tasks.id
  description                  = "PostgreSQL"
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_s3" {
  security_group_id = aws_security_group.tasks.id
  description       = "Layers of the image, by the gateway endpoint"
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_endpoints" {
  count = var.egress == "endpoints" ? 1 : 0

  security_group_id            = aws_security_group.tasks.id
  description                  = "ECR, logs and secrets, by the interface endpoints"
  referenced_security_group_id = aws_security_group.endpoints.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "tasks_to_internet" {
  count = var.egress == "nat" ? 1 : 0

  security_group_id = aws_security_group.tasks.id
  description       = "AWS and an identity provider, by NAT, over HTTPS alone"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "database_from_tasks" {
  security_group_id            = aws_security_group.database.id
  description                  = "PostgreSQL"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_tasks" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "ECR, logs and secrets"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}
