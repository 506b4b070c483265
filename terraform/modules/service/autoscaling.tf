# More tasks when the CPU is busy or requests are many, whichever asks for more; fewer only when both allow it.

resource "aws_appautoscaling_target" "this" {
  count = local.deployed ? 1 : 0

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[0].name}"
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.deployed ? {
    cpu      = { metric = "ECSServiceAverageCPUUtilization", target = var.cpu_target, label = null }
    requests = { metric = "ALBRequestCountPerTarget", target = var.requests_target, label = var.scaling_label }
  } : {}

  name               = "${var.prefix}-${each.key}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value = each.value.target
    # Up at once, down slowly: a task too many costs a cent, one too few costs answers.
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = each.value.metric
      resource_label         = each.value.label
    }
  }
}
