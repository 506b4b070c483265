output "jwt_key_arn" {
  description = "The secret that holds JWT_SECRET_KEY."
  value       = aws_cloudformation_stack.jwt_key.outputs["Arn"]
}
