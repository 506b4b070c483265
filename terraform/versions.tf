terraform {
  # 1.9: a validation may look at other variables. 1.11: a lock of the state in S3 without a table in DynamoDB.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = merge({
      Application = var.name
      Environment = var.environment
      ManagedBy   = "Terraform"
    }, var.tags)
  }
}
