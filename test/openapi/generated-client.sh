#!/usr/bin/env bash
# Generates a client from the OpenAPI document and compiles a program that uses it. The generator wants TypeScript 5,
# this project has a later one: it is installed in a folder that goes away again.
set -euo pipefail
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
node test/support/run-ts.mjs test/openapi/print-document.ts >"$scratch/openapi.json"
cp test/openapi/generated-client.txt "$scratch/program.ts"

cd "$scratch"
echo '{ "type": "module" }' >package.json
npm install --silent --ignore-scripts --no-audit --no-fund \
  openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.9.3
npx openapi-typescript openapi.json --output service.d.ts
npx tsc --noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2023 --lib es2023,dom program.ts
echo 'the generated client compiles'

# The compiler must see what the document does not allow.
sed 's/num_steps: 2/num_stepz: 2/' program.ts >wrong.ts
if npx tsc --noEmit --strict --module nodenext --target es2023 --lib es2023,dom wrong.ts >/dev/null; then
  echo 'and so does a program that is wrong' && exit 1
fi
