# What the server's lines tell: JSON, one a request, with `http.route`, `http.status`, `duration_ms` and others.

locals {
  metrics = "Rootstock/${var.prefix}"
}

resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.prefix}-errors"
  log_group_name = var.log_group
  pattern        = "{ $.level = \"ERROR\" }"

  metric_transformation {
    namespace     = local.metrics
    name          = "Errors"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = {
    "slowest routes" = <<-QUERY
      filter ispresent(duration_ms)
      | stats count(*) as requests, pct(duration_ms, 50) as p50, pct(duration_ms, 99) as p99, max(duration_ms) as slowest
          by `http.method`, `http.route`
      | sort p99 desc
      | limit 50
    QUERY
    "failures"       = <<-QUERY
      filter `http.status` >= 500 or level = "ERROR"
      | fields @timestamp, level, message, `http.method`, `http.route`, `http.status`, duration_ms, `request.id`
      | sort @timestamp desc
      | limit 200
    QUERY
    "one request"    = <<-QUERY
      filter `request.id` = "PUT THE x-request-id HERE"
      | fields @timestamp, @message
    QUERY
  }

  name            = "${var.prefix}/${each.key}"
  log_group_names = [var.log_group]
  query_string    = each.value
}
