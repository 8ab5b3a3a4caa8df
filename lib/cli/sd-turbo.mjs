#!/usr/bin/env node
// The command. In a checkout it first compiles the sources that are newer than `dist`; an installed package has a `dist`.

import { existsSync } from 'node:fs';
import { build } from './build.mjs';

// ONNX Runtime 1.29 and later otherwise report on models and sessions to its maker. Read when it is loaded.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
// The AWS SDK otherwise says in seven lines, on Node 20, what its versions of 2027 will need. Read by its first client.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const main = new URL('../../dist/lib/cli/main.js', import.meta.url);
if (existsSync(new URL('../../tsconfig.json', import.meta.url)) || !existsSync(main)) await build();
await import(main.href);
