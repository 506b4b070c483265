output "web_acl_name" {
  description = "The web ACL, as metrics name it."
  value       = aws_wafv2_web_acl.this.name
}
