output "identifier" {
  description = "The instance, as metrics name it."
  value       = aws_db_instance.this.identifier
}

output "url" {
  description = "The database's URL without a password and without TLS's parameters."
  value       = "postgres://${local.user}@${aws_db_instance.this.address}:${local.port}/${local.name}"
}

output "password_secret_arn" {
  description = "The secret that RDS keeps, JSON with the members username and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}
