# A web ACL before the load balancer. A data API is asked in ways that rules for web forms take for attacks: filters in
# the query string (`or=(a.eq.1,b.gt.2)`, `select=a->b`), GraphQL documents, whatever text is stored. The server puts no
# value of a client into a statement, and answers JSON under a strict CSP; so rules that read values only count, and those
# that no honest client trips over block. What is counted is in the log, to be looked at before a rule is made to block.

locals {
  # Common rule set: these count, for the reason beside them. All others of the set block.
  counted_common = {
    SizeRestrictions_BODY               = "8 KB: GraphQL documents and bulk writes are longer; body-size below is the bound."
    SizeRestrictions_QUERYSTRING        = "2 KB: filters, select and cursors, and GraphQL by GET, are longer."
    NoUserAgent_HEADER                  = "Programs without a name are what an API is for."
    CrossSiteScripting_QUERYARGUMENTS   = "Filters compare with any text, and paths into JSON are written with `->`."
    CrossSiteScripting_BODY             = "A title may hold `<b>`: the pages that show it escape it."
    GenericLFI_BODY                     = "A description may hold `../`: no value is ever a path here."
    GenericRFI_QUERYARGUMENTS           = "A filter may compare with a URL: no value is ever fetched."
    GenericRFI_BODY                     = "As in the query string."
    RestrictedExtensions_QUERYARGUMENTS = "A filter may compare with `report.log` or `setup.ini`."
  }

  # SQL injection: a filter is read as one now and then, and none ends in a statement. The body is looked at for its first
  # 8 KB only. Cookies and paths hold no filter, so the rules for them block. Not every version of the set has all four;
  # WAF passes over a name that a version lacks.
  counted_sql = {
    SQLi_QUERYARGUMENTS                 = "`or=(id.eq.1,id.eq.2)` has the words of an injection."
    SQLiExtendedPatterns_QUERYARGUMENTS = "As above."
    SQLi_BODY                           = "GraphQL filters, and stored text about SQL."
    SQLiExtendedPatterns_BODY           = "As above."
  }

  managed = {
    AWSManagedRulesAmazonIpReputationList = { priority = 50, counted = [] }
    AWSManagedRulesCommonRuleSet          = { priority = 60, counted = keys(local.counted_common) }
    AWSManagedRulesSQLiRuleSet            = { priority = 80, counted = keys(local.counted_sql) }
  }

  # WAF cannot measure a body past the 8 KB that a load balancer shows it, nor compare a header as a number. So the bound
  # is a pattern of the digits of Content-Length: more digits, or the same up to one and then a greater one. For 1048576 it
  # begins with [1-9][0-9]{7,} or [2-9] and six more or 1[1-9] and five more. A body without a length the server cuts off.
  digits = split("", tostring(var.max_body_bytes))
  longer = concat(
    ["[1-9][0-9]{${length(local.digits)},}"],
    [
      for index, digit in local.digits :
      "${join("", slice(local.digits, 0, index))}[${tonumber(digit) + 1}-9]${join("", [for _ in slice(local.digits, index + 1, length(local.digits)) : "[0-9]"])}"
      if digit != "9"
    ],
  )
  too_long = "^(${join("|", local.longer)})$"
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.prefix
  description = "Rates, sizes and known attacks before ${var.prefix}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  # Passwords are guessed here. The server counts for itself as well, for each account and each address.
  rule {
    name     = "auth-rate"
    priority = 10

    action {
      block {
        custom_response {
          response_code = 429
          response_header {
            name  = "Retry-After"
            value = "300"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.auth_rate_limit
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300

        scope_down_statement {
          byte_match_statement {
            search_string         = "/auth/"
            positional_constraint = "STARTS_WITH"
            field_to_match {
              uri_path {}
            }
            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }
          }
        }
      }
    }

    visibility_config {
      metric_name                = "auth-rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  rule {
    name     = "rate"
    priority = 20

    action {
      block {
        custom_response {
          response_code = 429
          response_header {
            name  = "Retry-After"
            value = "300"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.rate_limit
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      metric_name                = "rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  # /graphql and the tables take bodies up to what the server takes, which the managed 8 KB would cut off.
  rule {
    name     = "body-size"
    priority = 30

    action {
      block {
        custom_response {
          response_code = 413
        }
      }
    }

    statement {
      regex_match_statement {
        regex_string = local.too_long
        field_to_match {
          single_header {
            name = "content-length"
          }
        }
        text_transformation {
          priority = 0
          type     = "NONE"
        }
      }
    }

    visibility_config {
      metric_name                = "body-size"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  # No honest body below /auth comes near 8 KB: it is an e-mail address, a password and a name, or a token.
  rule {
    name     = "auth-body-size"
    priority = 40

    action {
      block {
        custom_response {
          response_code = 413
        }
      }
    }

    statement {
      and_statement {
        statement {
          byte_match_statement {
            search_string         = "/auth/"
            positional_constraint = "STARTS_WITH"
            field_to_match {
              uri_path {}
            }
            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }
          }
        }
        statement {
          size_constraint_statement {
            comparison_operator = "GT"
            size                = 8192
            field_to_match {
              # What WAF is not shown is longer than 8 KB by that alone.
              body {
                oversize_handling = "MATCH"
              }
            }
            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }
      }
    }

    visibility_config {
      metric_name                = "auth-body-size"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  # Known holes of servers: Log4j, Java's deserialization, paths of exploits. No honest request looks like them.
  rule {
    name     = "AWSManagedRulesKnownBadInputsRuleSet"
    priority = 70

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }

    visibility_config {
      metric_name                = "AWSManagedRulesKnownBadInputsRuleSet"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  # Addresses of known attackers, and the two sets that read values, with what only counts of them.
  dynamic "rule" {
    for_each = local.managed
    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.counted
            content {
              name = rule_action_override.value
              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = rule.key
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    metric_name                = var.prefix
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = var.load_balancer_arn
  web_acl_arn  = aws_wafv2_web_acl.this.arn
}
