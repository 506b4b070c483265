# What somebody must look at. Each alarm says what it means and goes to the topic, when it begins and when it ends.

locals {
  balancer = { LoadBalancer = var.load_balancer }
  targets  = { LoadBalancer = var.load_balancer, TargetGroup = var.target_group }
  tasks    = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  database = { DBInstanceIdentifier = var.database }
  gigabyte = 1024 * 1024 * 1024

  # `above` or `below` is the bound, over `of` periods of `period` seconds. A metric without data is no alarm, unless
  # `missing` says so.
  alarms = merge(
    {
      latency = {
        says      = "One answer in a hundred takes more than ${var.latency_seconds} s."
        namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.balancer
        statistic = "p99", above = var.latency_seconds, period = 300, of = 3
      }
      load-balancer-5xx = {
        says      = "The load balancer itself answers 5xx: tasks are gone, hang, or break connections off."
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer
        statistic = "Sum", above = 10, period = 300, of = 1
      }
      unhealthy-hosts = {
        says      = "A task is not ready: it hangs, or the database is away."
        namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = local.targets
        statistic = "Maximum", above = 0, period = 60, of = 3
      }
      cpu = {
        says      = "Tasks are busy, and scaling does not catch up: are there as many as max_tasks?"
        namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.tasks
        statistic = "Average", above = 85, period = 300, of = 3
      }
      memory = {
        says      = "Tasks are short of memory; past 100 % they are killed."
        namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.tasks
        statistic = "Maximum", above = 85, period = 300, of = 2
      }
      errors = {
        says      = "The server has logged an error: a defect, or a database that refuses its password, as for a minute while one is rotated."
        namespace = local.metrics, metric = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name, dimensions = {}
        statistic = "Sum", above = 0, period = 300, of = 1
      }
      database-cpu = {
        says      = "The database is busy."
        namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database
        statistic = "Average", above = 80, period = 300, of = 3
      }
      database-storage = {
        says      = "A tenth of the storage is left; RDS adds more up to database_storage_limit_gb, unless that is reached."
        namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database
        statistic = "Minimum", below = var.database_storage_gb * local.gigabyte / 10, period = 300, of = 1
      }
      database-connections = {
        says      = "Four fifths of the connections that the database takes are in use."
        namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database
        statistic = "Maximum", above = var.database_max_connections * 0.8, period = 300, of = 1
      }
    },
    # Burstable classes run on credits.
    { for name, alarm in {
      database-credits = {
        says      = "The database runs out of CPU credits: it has been busier than its class is made for."
        namespace = "AWS/RDS", metric = "CPUCreditBalance", dimensions = local.database
        statistic = "Minimum", below = 20, period = 300, of = 3
      }
    } : name => alarm if startswith(var.database_class, "db.t") },
    # What would be missing for want of a service, and must not be missing with one.
    { for name, alarm in {
      no-healthy-hosts = {
        says      = "No task is ready: nobody is served."
        namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.targets
        statistic = "Maximum", below = 1, period = 60, of = 2, missing = "breaching"
      }
      redeploy = {
        says      = "A secret has changed, and the service could not be deployed anew: new connections to the database may fail."
        namespace = "AWS/States", metric = "ExecutionsFailed", dimensions = { StateMachineArn = var.state_machine_arn }
        statistic = "Sum", above = 0, period = 300, of = 1
      }
    } : name => alarm if var.deployed },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name        = "${var.prefix}-${each.key}"
  alarm_description = each.value.says
  namespace         = each.value.namespace
  metric_name       = each.value.metric
  dimensions        = each.value.dimensions

  statistic          = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic = startswith(each.value.statistic, "p") ? each.value.statistic : null

  comparison_operator = try(each.value.above, null) == null ? "LessThanThreshold" : "GreaterThanThreshold"
  threshold           = try(each.value.above, each.value.below)
  period              = each.value.period
  evaluation_periods  = each.value.of
  treat_missing_data  = try(each.value.missing, "notBreaching")

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}

# By share, not by number: one failure in three requests of the night is no incident, one in twenty of the day is.
resource "aws_cloudwatch_metric_alarm" "errors_share" {
  alarm_name          = "${var.prefix}-5xx"
  alarm_description   = "More than 5 % of the answers are 5xx, of 20 or more in five minutes."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "share"
    label       = "5xx, %"
    expression  = "IF(requests >= 20, 100 * FILL(errors, 0) / requests, 0)"
    return_data = true
  }

  metric_query {
    id = "errors"
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HTTPCode_Target_5XX_Count"
      dimensions  = local.balancer
      period      = 300
      stat        = "Sum"
    }
  }

  metric_query {
    id = "requests"
    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "RequestCount"
      dimensions  = local.balancer
      period      = 300
      stat        = "Sum"
    }
  }

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}
