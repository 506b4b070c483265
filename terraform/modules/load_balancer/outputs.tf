output "arn" {
  description = "The load balancer, for the firewall."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "The load balancer, as metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "Where tasks are registered."
  value       = aws_lb_target_group.this.arn
  # ECS refuses a target group that no listener leads to.
  depends_on = [aws_lb_listener.http, aws_lb_listener.https]
}

output "target_group_arn_suffix" {
  description = "The target group, as metrics name it."
  value       = aws_lb_target_group.this.arn_suffix
}

output "url" {
  description = "Where the API answers."
  value       = "${local.scheme}://${local.host}"
}
