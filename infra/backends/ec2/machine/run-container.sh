#!/bin/bash
# Becomes the container: `run-container.sh worker`, or `run-container.sh self-test`.
# Reads machine.env (REGION, LOG_GROUP), worker.env (what the worker is told) and image (which one, by digest) beside it.
set -euo pipefail

readonly HERE=/opt/sd-turbo
readonly NAME=sd-turbo-$1
# Weights in float32 take 5.2 GB of the 16 that the smallest instance has; what is not used costs nothing.
readonly MODEL_SPACE=8g
# Log lines that wait for CloudWatch: a picture never does.
readonly LOG_BUFFER=4m

set -a
# shellcheck source=/dev/null
. "$HERE/machine.env"
set +a

instance_id=$(cat /var/lib/cloud/data/instance-id)
booted_at=$(date --utc --date="@$(awk '$1 == "btime" { print $2 }' /proc/stat)" +%Y-%m-%dT%H:%M:%SZ)

# Of a start that ended without its word.
docker rm --force "$NAME" >/dev/null 2>&1 || true

options=(
  --rm --name "$NAME"
  --runtime nvidia
  --env-file "$HERE/worker.env"
  --env MODEL_DIRECTORY=/model --tmpfs "/model:rw,noexec,nosuid,size=$MODEL_SPACE"
  --env "WORKER_NAME=$instance_id" --env "BOOTED_AT=$booted_at"
)
# A self-test says on this machine's console why it fails.
if [ "$1" = worker ]; then
  options+=(
    --log-driver awslogs --log-opt "awslogs-region=$REGION" --log-opt "awslogs-group=$LOG_GROUP"
    --log-opt "awslogs-stream=$instance_id" --log-opt mode=non-blocking --log-opt "max-buffer-size=$LOG_BUFFER"
  )
fi
exec docker run "${options[@]}" "$(cat "$HERE/image")" "$1"
