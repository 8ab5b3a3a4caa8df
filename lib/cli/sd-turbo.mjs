#!/usr/bin/env node
// The command in a checkout: it first compiles the sources that are newer than `dist`.

import { build } from './build.mjs';

await build();
await import(new URL('../../dist/lib/cli/command.js', import.meta.url).href);
