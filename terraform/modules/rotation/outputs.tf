output "state_machine_arn" {
  description = "What deploys anew, for an alarm."
  value       = aws_sfn_state_machine.this.arn
}
