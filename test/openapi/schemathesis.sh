#!/usr/bin/env bash
# Asks `sd-turbo serve` whatever its OpenAPI document allows, and much that it does not; any surprise fails.
#
#   test/openapi/schemathesis.sh [OPTIONS OF SCHEMATHESIS]
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD

scratch=$(mktemp -d)
service=
finish() {
  [ -z "$service" ] || kill "$service" 2>/dev/null || true
  wait || true
  rm -rf "$scratch"
}
trap finish EXIT

# A model that has every optional part: whatever is valid is drawn.
npx sd-turbo import --from lib/demo-model/model --encoder \
  --taesd test/fixtures/family/sharded/checkpoint-taesd --to "$scratch/bundle"

key=key-of-schemathesis
node lib/cli/sd-turbo.mjs serve --model "$scratch/bundle" --data "$scratch/data" --port 0 --api-key "$key" \
  >"$scratch/output" 2>"$scratch/log" &
service=$!
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^URL *//p' "$scratch/output")
  [ -z "$url" ] || break
  sleep 0.3
done
[ -n "$url" ] || { cat "$scratch/log"; exit 1; }

# It keeps notes where it is run.
cd "$scratch"
SCHEMATHESIS_HOOKS=$root/test/openapi/schemathesis_hooks.py "${SCHEMATHESIS:-$root/.venv/bin/schemathesis}" \
  --config-file "$root/test/openapi/schemathesis.toml" run \
  "${url%/}/openapi.json" --header "x-api-key: $key" --seed 1 --max-examples 15 --request-timeout 60 "$@"
