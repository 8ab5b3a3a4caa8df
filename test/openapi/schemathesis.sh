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

key='key-of-schemathesis'
# A pipe: whoever reads it waits for the line that has the address, and hears when the service ends without one.
mkfifo "$scratch/output"
node lib/cli/sd-turbo.mjs serve --model "$scratch/bundle" --data "$scratch/data" --port 0 --api-key "$key" \
  >"$scratch/output" 2>"$scratch/log" &
service=$!
exec 3<"$scratch/output"
url=
while [ -z "$url" ] && read -r -t 120 -u 3 name value; do
  [ "$name" != URL ] || url=$value
done
[ -n "$url" ] || { cat "$scratch/log"; exit 1; }

# It keeps notes where it is run.
cd "$scratch"
SCHEMATHESIS_HOOKS=$root/test/openapi/schemathesis_hooks.py "${SCHEMATHESIS:-$root/.venv/bin/schemathesis}" \
  --config-file "$root/test/openapi/schemathesis.toml" run \
  "${url%/}/openapi.json" --header "x-api-key: $key" --seed 1 --max-examples 15 --request-timeout 60 "$@"
