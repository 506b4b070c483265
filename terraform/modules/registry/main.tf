# The images. A tag never changes what it means, and the last five stay, of which each can be rolled back to.

resource "aws_ecr_repository" "this" {
  #checkov:skip=CKV_AWS_136:Encrypted with the customer's key where customer_managed_key says so, else with AWS's.
  name                 = var.prefix
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_delete

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  # Tagged images are counted apart: an image for two architectures is one tagged index and untagged images below it,
  # which are kept for as long as an index names them.
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Untagged images that no index names"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 1 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "All tagged images but the last five"
        selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 5 }
        action       = { type = "expire" }
      },
    ]
  })
}
