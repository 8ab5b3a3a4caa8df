#!/usr/bin/env node
// The installed command: compiles the TypeScript sources when they are newer than `dist`, then runs it.
import { build } from './build.mjs';

await build();
const main = new URL('../../dist/lib/cli/main.js', import.meta.url);
await import(main.href);
