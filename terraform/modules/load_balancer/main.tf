# The only thing that the internet reaches: HTTPS where there is a certificate, with a redirect from HTTP; else HTTP.

locals {
  # Known while planning, unlike the certificate itself.
  https            = var.certificate_arn != null || local.own_certificate
  own_certificate  = var.certificate_arn == null && local.named
  named            = var.domain_name != null && var.hosted_zone_id != null
  scheme           = local.https ? "https" : "http"
  certificate_arn  = local.own_certificate ? aws_acm_certificate_validation.this[0].certificate_arn : var.certificate_arn
  host             = coalesce(var.domain_name, aws_lb.this.dns_name)
  one_year_seconds = 31536000
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:Access logs go to access_logs_bucket where it is given; the server logs every request itself.
  #checkov:skip=CKV_AWS_150:By deletion_protection: on in production, off where destroying at will is the point.
  #checkov:skip=CKV2_AWS_20:Its listener on port 80 redirects wherever there is a certificate; the action depends on that.
  #checkov:skip=CKV2_AWS_28:The web ACL is associated in modules/firewall.
  name               = var.prefix
  load_balancer_type = "application"
  internal           = false
  subnets            = var.subnet_ids
  security_groups    = [var.security_group_id]

  # Shorter than the server's 75 s, so that it is the load balancer that closes an idle connection, and no request meets
  # one that is just being closed. A subscription must say something once a minute; graphql-transport-ws pings do.
  idle_timeout = 60

  drop_invalid_header_fields = true
  desync_mitigation_mode     = "defensive"
  enable_deletion_protection = var.deletion_protection

  dynamic "access_logs" {
    for_each = var.access_logs_bucket[*]
    content {
      bucket  = access_logs.value
      prefix  = var.prefix
      enabled = true
    }
  }
}

resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS ends at the load balancer; what is behind it, its security group alone can reach.
  name        = var.prefix
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.container_port

  load_balancing_algorithm_type = "least_outstanding_requests"

  # ECS takes a task out of the group, waits this long, and then sends SIGTERM. Every request ends within 15 s
  # (REQUEST_TIMEOUT_SECONDS); what still runs after that is a subscription, which its client opens anew.
  deregistration_delay = 20

  # /readyz asks the database, so all targets are unhealthy while it is away. ECS replaces an unhealthy target, which does
  # not help then, so a target is given five minutes (10 x 30 s): longer than a failover to the standby or a restart takes.
  # Meanwhile the load balancer, with no healthy target left, sends requests to all of them, and callers get the server's
  # own 503 with Retry-After. A process that hangs is found much sooner, by the container's health check on /livez.
  # The first check that succeeds makes a new target healthy, so the long interval does not slow a deployment down much.
  health_check {
    path                = "/readyz"
    matcher             = "200"
    interval            = 30
    timeout             = 10
    healthy_threshold   = 2
    unhealthy_threshold = 10
  }

  lifecycle {
    precondition {
      condition     = (var.domain_name == null) == (var.hosted_zone_id == null) || var.certificate_arn != null
      error_message = "domain_name needs hosted_zone_id, or a certificate of your own in certificate_arn."
    }
  }
}

resource "aws_lb_listener" "http" {
  #checkov:skip=CKV_AWS_2:HTTP only redirects where there is a certificate; without one allow_plain_http has been said.
  #checkov:skip=CKV_AWS_103:This listener speaks no TLS; the other one does.
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  routing_http_response_server_enabled = false

  dynamic "default_action" {
    for_each = local.https ? ["redirect"] : []
    content {
      type = "redirect"
      redirect {
        protocol    = "HTTPS"
        port        = "443"
        status_code = "HTTP_301"
      }
    }
  }

  dynamic "default_action" {
    for_each = local.https ? [] : ["forward"]
    content {
      type             = "forward"
      target_group_arn = aws_lb_target_group.this.arn
    }
  }
}

resource "aws_lb_listener" "https" {
  count = local.https ? 1 : 0

  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = local.certificate_arn
  # TLS 1.2 and 1.3, forward secrecy alone.
  ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"

  routing_http_response_server_enabled                         = false
  routing_http_response_strict_transport_security_header_value = "max-age=${local.one_year_seconds}"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}
