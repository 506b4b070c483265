#!/usr/bin/env bash
# Pushes a packed image to the registry, under a tag that never means another one.
# In: the file that `docker save` wrote, and the tag; ECR_REPOSITORY_URL, an output of terraform/; docker, the AWS CLI and
# its credentials.
# Out: the image in the registry, and exit code 0. A tag that is there already is left as it is: the registry would refuse
# another image under it, and who deploys a revision again wants the one that was tested.
set -euo pipefail

file=${1:?which file} tag=${2:?under which tag}
repository=${ECR_REPOSITORY_URL:?the repository of the image, an output of terraform/}
registry=${repository%%/*}

found=$(aws ecr batch-get-image --repository-name "${repository#*/}" --image-ids "imageTag=$tag" \
  --query 'length(images)' --output text)
if [ "$found" != 0 ]; then
  printf 'push-image: %s:%s is there already\n' "$repository" "$tag"
  exit 0
fi

aws ecr get-login-password | docker login --username AWS --password-stdin "$registry"
loaded=$(docker load --quiet --input "$file")
docker tag "${loaded#Loaded image: }" "$repository:$tag"
docker push "$repository:$tag"
