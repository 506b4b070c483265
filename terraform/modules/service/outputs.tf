output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "The service, and the family of its task definitions."
  value       = local.names.service
}

output "migrate_task_definition" {
  description = "The family of the task that migrates."
  value       = local.names.migrate
}

output "log_group" {
  description = "Where the logs are."
  value       = aws_cloudwatch_log_group.this.name
}

output "execution_role_arns" {
  description = "What ECS starts tasks with: the only roles that a deployment may pass on."
  value       = values(aws_iam_role.execution)[*].arn
}

output "containers" {
  description = "The containers as ECS is told them; secrets are in them by name alone."
  value       = { server = local.server, migrate = local.migrate }
}

output "deployed" {
  description = "Whether there is a service."
  value       = local.deployed
}
