# The load balancer, its certificate and its firewall.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  prefix              = "rootstock-test"
  vpc_id              = "vpc-1"
  subnet_ids          = ["subnet-a", "subnet-b"]
  security_group_id   = "sg-load-balancer"
  container_port      = 8000
  certificate_arn     = null
  domain_name         = null
  hosted_zone_id      = null
  access_logs_bucket  = null
  deletion_protection = true
}

run "with_a_certificate" {
  command = apply

  module {
    source = "./modules/load_balancer"
  }

  variables {
    certificate_arn    = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
    domain_name        = "api.example.com"
    access_logs_bucket = "logs-of-all"
  }

  assert {
    condition     = length(aws_lb_listener.http.default_action) == 1 && aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS" && aws_lb_listener.http.default_action[0].redirect[0].status_code == "HTTP_301"
    error_message = "With a certificate HTTP must do nothing but redirect to HTTPS."
  }
  assert {
    condition     = aws_lb_listener.https[0].protocol == "HTTPS" && aws_lb_listener.https[0].port == 443 && aws_lb_listener.https[0].certificate_arn == var.certificate_arn && can(regex("TLS13", aws_lb_listener.https[0].ssl_policy)) && aws_lb_listener.https[0].default_action[0].target_group_arn == aws_lb_target_group.this.arn
    error_message = "HTTPS must have the certificate, speak TLS 1.2 or later, and lead to the tasks."
  }
  assert {
    condition     = startswith(aws_lb_listener.https[0].routing_http_response_strict_transport_security_header_value, "max-age=") && aws_lb_listener.https[0].routing_http_response_server_enabled == false
    error_message = "Browsers must be told to stay with HTTPS, and nobody what serves it."
  }
  assert {
    condition     = length(aws_acm_certificate.this) == 0 && length(aws_route53_record.api) == 0 && output.url == "https://api.example.com"
    error_message = "With a certificate of one's own, and no zone, nothing must be made in Route 53."
  }
  assert {
    condition     = aws_lb.this.access_logs[0].bucket == "logs-of-all" && aws_lb.this.access_logs[0].enabled
    error_message = "Access logs must go to the bucket that was named."
  }
  assert {
    condition     = aws_lb.this.enable_deletion_protection && aws_lb.this.drop_invalid_header_fields && aws_lb.this.idle_timeout < 75 && aws_lb.this.security_groups == toset(["sg-load-balancer"])
    error_message = "The load balancer must be protected, drop malformed headers, and close idle connections before the server does."
  }
  assert {
    condition     = aws_lb_target_group.this.health_check[0].path == "/readyz" && aws_lb_target_group.this.health_check[0].interval * aws_lb_target_group.this.health_check[0].unhealthy_threshold >= 180 && aws_lb_target_group.this.target_type == "ip" && aws_lb_target_group.this.port == 8000
    error_message = "Health must be readiness, with more patience than a failover of the database takes."
  }
  assert {
    condition     = tonumber(aws_lb_target_group.this.deregistration_delay) > 15 && tonumber(aws_lb_target_group.this.deregistration_delay) <= 30
    error_message = "Draining must outlast a request (15 s), and not hold a deployment up."
  }
}

run "with_a_name_of_its_own" {
  command = apply

  module {
    source = "./modules/load_balancer"
  }

  variables {
    domain_name    = "api.example.com"
    hosted_zone_id = "Z0123456789ABCDEFGHIJ"
  }

  assert {
    condition     = aws_acm_certificate.this[0].domain_name == "api.example.com" && aws_route53_record.validation[0].name == "_0123.api.example.com." && aws_lb_listener.https[0].certificate_arn == aws_acm_certificate_validation.this[0].certificate_arn
    error_message = "A certificate must be made, proved, and used."
  }
  assert {
    condition     = aws_route53_record.api[0].alias[0].name == aws_lb.this.dns_name && aws_lb_listener.http.default_action[0].type == "redirect"
    error_message = "The name must lead to the load balancer, and HTTP to HTTPS."
  }
}

run "without_a_certificate" {
  command = apply

  module {
    source = "./modules/load_balancer"
  }

  assert {
    condition     = length(aws_lb_listener.https) == 0 && length(aws_lb_listener.http.default_action) == 1 && aws_lb_listener.http.default_action[0].type == "forward" && output.url == "http://mocked.eu-central-1.elb.amazonaws.com"
    error_message = "Without a certificate HTTP must serve."
  }
}

run "a_name_without_a_zone" {
  command = plan

  module {
    source = "./modules/load_balancer"
  }

  variables {
    domain_name = "api.example.com"
  }

  expect_failures = [aws_lb_target_group.this]
}

run "firewall" {
  command = apply

  module {
    source = "./modules/firewall"
  }

  variables {
    load_balancer_arn  = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/b/0123456789abcdef"
    rate_limit         = 3000
    auth_rate_limit    = 200
    max_body_bytes     = 1048576
    log_retention_days = 14
    kms_key_arn        = null
  }

  assert {
    condition     = aws_wafv2_web_acl_association.this.resource_arn == var.load_balancer_arn && aws_wafv2_web_acl_association.this.web_acl_arn == aws_wafv2_web_acl.this.arn && aws_wafv2_web_acl.this.scope == "REGIONAL"
    error_message = "The web ACL must guard the load balancer."
  }
  assert {
    condition     = length(distinct([for rule in aws_wafv2_web_acl.this.rule : rule.priority])) == length(aws_wafv2_web_acl.this.rule) && alltrue([for rule in aws_wafv2_web_acl.this.rule : length(flatten(rule.override_action[*].count)) == 0])
    error_message = "Rules must have an order, and no whole set may be switched to counting."
  }
  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.statement[0].rate_based_statement[0].limit if length(rule.statement[0].rate_based_statement) == 1 } == {
      rate      = 3000
      auth-rate = 200
    }
    error_message = "There must be a rate for everything, and a lower one for signing in."
  }
  assert {
    condition     = one([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].rate_based_statement[0].scope_down_statement[0].byte_match_statement[0].search_string if rule.name == "auth-rate"]) == "/auth/"
    error_message = "The lower rate must be that of /auth."
  }

  # The body's size: 1 MiB and no less passes, 1 MiB and a byte does not.
  assert {
    condition = alltrue([
      for length in ["1048577", "1048580", "1048600", "1049000", "1050000", "1100000", "2000000", "9999999", "10485760"] :
      can(regex(one([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].regex_match_statement[0].regex_string if rule.name == "body-size"]), length))
    ])
    error_message = "A longer body than the server takes must be refused."
  }
  assert {
    condition = !anytrue([
      for length in ["0", "1", "8192", "8193", "65536", "999999", "1000000", "1048000", "1048499", "1048575", "1048576"] :
      can(regex(one([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].regex_match_statement[0].regex_string if rule.name == "body-size"]), length))
    ])
    error_message = "A body that the server takes must pass: GraphQL documents and bulk writes are longer than 8 KB."
  }
  assert {
    condition = length(setsubtract(["SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING"], flatten([
      for rule in aws_wafv2_web_acl.this.rule : [
        for override in rule.statement[0].managed_rule_group_statement[0].rule_action_override : override.name if length(override.action_to_use[0].count) == 1
      ] if rule.name == "AWSManagedRulesCommonRuleSet"
    ]))) == 0
    error_message = "The common set's 8 KB and 2 KB must only count, or they block GraphQL and long filters."
  }
  assert {
    condition = one([
      for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].and_statement[0].statement[1].size_constraint_statement[0].field_to_match[0].body[0].oversize_handling
      if rule.name == "auth-body-size"
    ]) == "MATCH"
    error_message = "Below /auth a body that WAF cannot see whole must count as too long."
  }
  assert {
    condition = toset([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].managed_rule_group_statement[0].name if length(rule.statement[0].managed_rule_group_statement) == 1]) == toset([
      "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet",
    ])
    error_message = "The managed rules must be there."
  }
  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : length(flatten(rule.statement[0].managed_rule_group_statement[*].rule_action_override)) == 0 if contains(["AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesAmazonIpReputationList"], rule.name)])
    error_message = "Known holes and known attackers must be blocked without exception."
  }
  assert {
    condition     = startswith(aws_cloudwatch_log_group.this.name, "aws-waf-logs-") && length(aws_wafv2_web_acl_logging_configuration.this.redacted_fields) == 3
    error_message = "WAF's log must have the name that WAF asks for, and hold no tokens and no query strings."
  }
}

run "firewall_for_round_numbers" {
  command = apply

  module {
    source = "./modules/firewall"
  }

  variables {
    load_balancer_arn  = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/b/0123456789abcdef"
    rate_limit         = 3000
    auth_rate_limit    = 200
    max_body_bytes     = 9990
    log_retention_days = 14
    kms_key_arn        = null
  }

  assert {
    condition = [
      for length in ["9989", "9990", "9991", "9999", "10000"] :
      can(regex(one([for rule in aws_wafv2_web_acl.this.rule : rule.statement[0].regex_match_statement[0].regex_string if rule.name == "body-size"]), length))
    ] == [false, false, true, true, true]
    error_message = "The bound must be exact for digits of nine and zero as well."
  }
}
