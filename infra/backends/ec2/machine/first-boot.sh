#!/bin/bash
# What the instance does once, when it is made: it gets ready, draws a picture, tells CloudFormation, and powers off.
# What fails on the way fails the deploy, with the step and its last words in the stack's events.
# Reads machine.env beside it: REGION, STACK, RESOURCE, IMAGE, LOG_GROUP.
set -euo pipefail

# Of NVIDIA's driver, as the CUDA 13 libraries in the image need it; the branch is AWS's own choice for this image.
readonly DRIVER_BRANCH=580
# Powers off whatever hangs. Minutes: more than the signal may take (machine.ts).
readonly LONGEST=60
# CloudFormation shows a signal's id, and nothing else of it. Characters.
readonly MAX_ID=64
readonly HERE=/opt/sd-turbo
readonly SAID=/var/log/sd-turbo-first-boot.log

set -a
# shellcheck source=/dev/null
. "$HERE/machine.env"
set +a

packages() {
  local missing=()
  command -v docker || missing+=(docker)
  command -v aws || missing+=(awscli-2)
  command -v cfn-signal || missing+=(aws-cfn-bootstrap)
  [ "${#missing[@]}" -eq 0 ] || dnf install --assumeyes "${missing[@]}"
}

# The image is made for ECS, which has nothing to do here.
no_agent() {
  if systemctl cat ecs.service >/dev/null; then systemctl disable --now ecs.service; fi
}

driver_branch() {
  nvidia-smi --query-gpu=driver_version --format=csv,noheader | head --lines=1 | cut --delimiter=. --fields=1
}

driver() {
  local branch
  branch=$(driver_branch) || branch=0
  if ! [[ $branch =~ ^[0-9]+$ ]] || [ "$branch" -lt "$DRIVER_BRANCH" ]; then
    dnf install --assumeyes "kernel-devel-$(uname --kernel-release)" dkms nvidia-release
    dnf install --assumeyes "kmod-nvidia-open-dkms-$DRIVER_BRANCH*" "nvidia-driver-cuda-$DRIVER_BRANCH*" \
      "nvidia-persistenced-$DRIVER_BRANCH*"
    modprobe nvidia
    branch=$(driver_branch)
  fi
  echo "driver $branch, of which $DRIVER_BRANCH or newer is needed"
  [ "$branch" -ge "$DRIVER_BRANCH" ]
  systemctl enable --now nvidia-persistenced.service
}

# Containers see the GPU. Said twice, in Docker's options and in its settings, it would not start.
toolkit() {
  command -v nvidia-ctk || dnf install --assumeyes nvidia-container-toolkit
  systemctl enable --now docker.service
  docker info --format '{{json .Runtimes}}' | grep --quiet '"nvidia"' && return
  nvidia-ctk runtime configure --runtime=docker
  systemctl restart docker.service
}

# Its tag is never given to another image; from now on it goes by its digest all the same.
image() {
  local registry=${IMAGE%%/*} password
  # Not by a pipe: then the last word would be Docker's, about a password that nobody gave it.
  password=$(aws ecr get-login-password --region "$REGION")
  docker login --username AWS --password-stdin "$registry" <<<"$password"
  docker pull --quiet "$IMAGE"
  docker logout "$registry"
  docker image inspect --format '{{index .RepoDigests 0}}' "$IMAGE" >"$HERE/image"
}

self_test() {
  "$HERE/run-container.sh" self-test
}

# Told at the next start, which is the first wake.
units() {
  systemctl daemon-reload
  systemctl enable worker.service
}

# signal true|false ID. Without cfn-signal, or where it fails, by the AWS CLI and the role's own permission.
signal() {
  local status=SUCCESS
  [ "$1" = true ] || status=FAILURE
  cfn-signal --success "$1" --id "$2" --stack "$STACK" --resource "$RESOURCE" --region "$REGION" ||
    aws cloudformation signal-resource --stack-name "$STACK" --logical-resource-id "$RESOURCE" --unique-id "$2" \
      --status "$status" --region "$REGION"
}

# What has failed, and the last thing that was said about it.
reason() {
  local words
  words=$(grep --invert-match '^[[:space:]]*$' "$SAID" | tail --lines=1 | tr --complement --delete '[:alnum:] ,:._/%()-')
  printf '%s: %s' "$step" "${words:-nothing was said}" | cut --characters=1-"$MAX_ID"
}

# Whatever else goes wrong here, the machine powers off.
finish() {
  local status=$? id
  trap - EXIT
  set +e
  if [ "$status" -eq 0 ]; then
    signal true "$(cat /var/lib/cloud/data/instance-id)"
  else
    id=$(reason)
    echo "first boot failed: $id"
    signal false "$id"
  fi
  systemctl poweroff
}

step=start
trap finish EXIT
systemd-run --on-active="${LONGEST}m" systemctl poweroff
for step in packages no_agent driver toolkit image self_test units; do
  echo "== $step"
  "$step" 2>&1 | tee "$SAID"
done
