# How tasks reach AWS: to pull the image, to fetch secrets and to write logs. S3, from which ECR serves the layers of an
# image, always goes by its gateway endpoint, which costs nothing.

resource "aws_eip" "nat" {
  #checkov:skip=CKV2_AWS_19:It belongs to a NAT gateway, not to an instance.
  for_each = toset(local.nat_zones)

  domain     = "vpc"
  depends_on = [aws_internet_gateway.this]

  tags = { Name = "${var.prefix}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  subnet_id     = aws_subnet.public[each.key].id
  allocation_id = aws_eip.nat[each.key].id
  depends_on    = [aws_internet_gateway.this]

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_route" "nat" {
  for_each = var.egress == "nat" ? aws_route_table.private : {}

  route_table_id         = each.value.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = try(aws_nat_gateway.this[each.key], aws_nat_gateway.this[var.zones[0]]).id
}

# On every private route table: a zone whose table lacks it starts no task, since the pull of the image times out there.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat(values(aws_route_table.private)[*].id, [aws_route_table.database.id])

  # ECR's bucket of layers and no other, so that nothing leaves by this way.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ImageLayers"
      Effect    = "Allow"
      Principal = "*"
      Action    = "s3:GetObject"
      Resource  = "arn:${data.aws_partition.current.partition}:s3:::prod-${data.aws_region.current.region}-starport-layer-bucket/*"
    }]
  })

  tags = { Name = "${var.prefix}-s3" }
}

# What a Fargate task needs besides S3. Its own agent talks to ECS by a way of Fargate's.
resource "aws_vpc_endpoint" "interface" {
  for_each = var.egress == "endpoints" ? toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"]) : toset([])

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${data.aws_region.current.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  # Tasks of every zone reach an endpoint in one zone: for a cent a GB between zones, and not while that zone is down.
  subnet_ids         = [for zone in slice(var.zones, 0, var.endpoint_zones) : aws_subnet.private[zone].id]
  security_group_ids = [aws_security_group.endpoints.id]

  tags = { Name = "${var.prefix}-${each.key}" }
}
