# What the deploying workflow is told (the first ten), and what people look for. No secret is among them.

output "region" {
  description = "The region of AWS."
  value       = var.region
}

output "api_url" {
  description = "Where the API answers."
  value       = module.load_balancer.url
}

output "ecr_repository_url" {
  description = "Where images are pushed to, without a tag."
  value       = module.registry.url
}

output "cluster_name" {
  description = "The cluster of ECS."
  value       = module.service.cluster_name
}

output "service_name" {
  description = "The service, and the family of its task definitions."
  value       = module.service.service_name
}

output "migrate_task_definition" {
  description = "The family of the task that migrates the database."
  value       = module.service.migrate_task_definition
}

output "task_subnets" {
  description = "Where tasks run."
  value       = module.network.private_subnet_ids
}

output "task_security_group" {
  description = "The security group of tasks."
  value       = module.network.security_group_ids.tasks
}

output "deploy_role_arn" {
  description = "The role that the workflow assumes; null without github_repository."
  value       = one(module.delivery[*].role_arn)
}

output "log_group" {
  description = "Where the server's and the migration's lines are."
  value       = module.service.log_group
}

output "migrate_command" {
  description = "Runs the migrations of the latest revision, for whoever does it by hand."
  value = join(" ", [
    "aws ecs run-task --region ${var.region} --cluster ${module.service.cluster_name}",
    "--task-definition ${module.service.migrate_task_definition} --launch-type FARGATE --network-configuration",
    "'awsvpcConfiguration={subnets=[${join(",", module.network.private_subnet_ids)}],securityGroups=[${module.network.security_group_ids.tasks}],assignPublicIp=DISABLED}'",
  ])
}

output "alarm_topic_arn" {
  description = "Where alarms are told; subscribe whatever is to hear of them."
  value       = module.monitoring.topic_arn
}

output "dashboard_url" {
  description = "The dashboard of CloudWatch."
  value       = module.monitoring.dashboard_url
}
