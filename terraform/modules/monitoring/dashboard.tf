# One screen: is anybody served, how fast, and what is it that is short.

locals {
  elb    = ["LoadBalancer", var.load_balancer]
  target = ["TargetGroup", var.target_group, "LoadBalancer", var.load_balancer]
  task   = ["ClusterName", var.cluster_name, "ServiceName", var.service_name]
  rds    = ["DBInstanceIdentifier", var.database]

  graphs = concat([
    { title = "Requests and failures", stat = "Sum", metrics = [
      concat(["AWS/ApplicationELB", "RequestCount"], local.elb),
      concat(["AWS/ApplicationELB", "HTTPCode_Target_4XX_Count"], local.elb),
      concat(["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"], local.elb),
      concat(["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"], local.elb),
    ] },
    { title = "Time to an answer, s", stat = "p50", metrics = [
      for stat in ["p50", "p95", "p99"] : concat(["AWS/ApplicationELB", "TargetResponseTime"], local.elb, [{ stat = stat, label = stat }])
    ] },
    { title = "Tasks ready and not", stat = "Maximum", metrics = [
      concat(["AWS/ApplicationELB", "HealthyHostCount"], local.target),
      concat(["AWS/ApplicationELB", "UnHealthyHostCount"], local.target),
    ] },
    { title = "CPU and memory of the tasks, %", stat = "Average", metrics = [
      concat(["AWS/ECS", "CPUUtilization"], local.task),
      concat(["AWS/ECS", "MemoryUtilization"], local.task),
    ] },
    { title = "CPU of the database, %", stat = "Average", metrics = [concat(["AWS/RDS", "CPUUtilization"], local.rds)] },
    { title = "Connections of the database", stat = "Maximum", metrics = [concat(["AWS/RDS", "DatabaseConnections"], local.rds)] },
    { title = "Free storage of the database, bytes", stat = "Minimum", metrics = [concat(["AWS/RDS", "FreeStorageSpace"], local.rds)] },
    { title = "Reads and writes of the database, s", stat = "Average", metrics = [
      concat(["AWS/RDS", "ReadLatency"], local.rds),
      concat(["AWS/RDS", "WriteLatency"], local.rds),
    ] },
    { title = "Lines of level ERROR", stat = "Sum", metrics = [[local.metrics, "Errors"]] },
    ], [for acl in var.web_acl[*] : {
      title = "Blocked by the firewall", stat = "Sum", metrics = [
        for rule in ["ALL", "rate", "auth-rate", "body-size"] :
        ["AWS/WAFV2", "BlockedRequests", "WebACL", acl, "Region", data.aws_region.current.region, "Rule", rule]
      ]
  }])

  columns = 2
  width   = 12
  height  = 6
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.prefix
  dashboard_body = jsonencode({
    widgets = concat(
      [for index, graph in local.graphs : {
        type   = "metric"
        x      = (index % local.columns) * local.width
        y      = floor(index / local.columns) * local.height
        width  = local.width
        height = local.height
        properties = {
          title   = graph.title
          region  = data.aws_region.current.region
          period  = 60
          stat    = graph.stat
          metrics = graph.metrics
        }
      }],
      [{
        type   = "log"
        x      = 0
        y      = ceil(length(local.graphs) / local.columns) * local.height
        width  = local.columns * local.width
        height = local.height
        properties = {
          title  = "Slowest routes"
          region = data.aws_region.current.region
          view   = "table"
          query  = "SOURCE '${var.log_group}' | ${aws_cloudwatch_query_definition.this["slowest routes"].query_string}"
        }
      }],
    )
  })
}
