output "key_arn" {
  description = "The customer's key; null where AWS's own encrypt."
  value       = one(aws_kms_key.this[*].arn)
}
