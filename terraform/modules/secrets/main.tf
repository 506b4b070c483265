# The key that signs tokens. Secrets Manager makes it up itself, which it does for CloudFormation alone: so Terraform
# never sees the key, and neither the state nor a plan holds it. A random_password would be in the state in the clear.
# The database's password is made, kept and rotated by RDS: see modules/database.

resource "aws_cloudformation_stack" "jwt_key" {
  #checkov:skip=CKV_AWS_124:A stack of one secret changes when Terraform changes it, and Terraform tells.
  name = "${var.prefix}-jwt-key"

  template_body = jsonencode({
    Description = "The key that signs the access tokens of ${var.prefix}. Made by Terraform: change it there."
    Resources = {
      JwtKey = {
        Type = "AWS::SecretsManager::Secret"
        # No name: a name stays taken during the recovery window of a secret that was deleted.
        Properties = merge(
          {
            Description = "JWT_SECRET_KEY of ${var.prefix}"
            # 64 letters and digits are 380 bits. Changing any of this makes another key, which ends all access tokens.
            GenerateSecretString = { PasswordLength = 64, ExcludePunctuation = true }
          },
          var.kms_key_arn == null ? {} : { KmsKeyId = var.kms_key_arn },
        )
      }
    }
    Outputs = { Arn = { Value = { Ref = "JwtKey" } } }
  })
}
