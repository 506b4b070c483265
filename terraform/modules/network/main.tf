# Three tiers over two zones or more: public subnets for the load balancer, private ones for the tasks, and isolated ones,
# without any way out, for the database.

data "aws_region" "current" {}
data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

locals {
  # A sixteenth of the network for each subnet; a tier has room for four zones, and the last four blocks stay free.
  blocks = {
    for tier, first in { public = 0, private = 4, database = 8 } : tier => {
      for index, zone in var.zones : zone => cidrsubnet(var.cidr, 4, first + index)
    }
  }
  nat_zones = var.egress != "nat" ? [] : var.nat_gateway_per_zone ? var.zones : slice(var.zones, 0, 1)
}

resource "aws_vpc" "this" {
  cidr_block = var.cidr
  # Both are needed for the private names of the endpoints and of the database.
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.prefix }
}

# Whatever is made without a security group gets this one, which lets nothing through.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.prefix}-default-closed" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.prefix }
}

resource "aws_subnet" "public" {
  for_each = local.blocks.public

  vpc_id            = aws_vpc.this.id
  availability_zone = "${data.aws_region.current.region}${each.key}"
  cidr_block        = each.value
  # The load balancer and NAT gateways bring their own addresses; nothing else belongs here.
  map_public_ip_on_launch = false

  tags = { Name = "${var.prefix}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.blocks.private

  vpc_id            = aws_vpc.this.id
  availability_zone = "${data.aws_region.current.region}${each.key}"
  cidr_block        = each.value

  tags = { Name = "${var.prefix}-private-${each.key}" }
}

resource "aws_subnet" "database" {
  for_each = local.blocks.database

  vpc_id            = aws_vpc.this.id
  availability_zone = "${data.aws_region.current.region}${each.key}"
  cidr_block        = each.value

  tags = { Name = "${var.prefix}-database-${each.key}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.prefix}-public" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

# One for each zone, so that each can lead to the NAT gateway of its own.
resource "aws_route_table" "private" {
  for_each = local.blocks.private

  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.prefix}-private-${each.key}" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_route_table" "database" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = "${var.prefix}-database" }
}

resource "aws_route_table_association" "database" {
  for_each = aws_subnet.database

  subnet_id      = each.value.id
  route_table_id = aws_route_table.database.id
}
