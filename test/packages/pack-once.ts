import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { build } from '../../lib/cli/build.mjs';
import { type Packed, pack } from '../../packages/pack.mjs';
import { emptyProject, npm } from './project.js';

/**
 * What looks at packages and what they are to run with. Here, and not among this repository's own packages, since nobody else
 * needs their 290 MB.
 */
const TOOLS = [
  'publint@0.3.25',
  '@arethetypeswrong/cli@0.18.5',
  '@types/node@20.19.43',
  // The oldest and the newest that are written in JavaScript; the repository's own is a 7.
  'typescript-old@npm:typescript@5.4.5',
  'typescript-new@npm:typescript@5.9.3',
  'deno@2.9.6',
  'bun@1.4.5',
];

declare module 'vitest' {
  interface ProvidedContext {
    readonly packed: { readonly client: Packed; readonly main: Packed };
    /** Folder of the project that has `TOOLS`. */
    readonly tools: string;
  }
}

/** Makes both packages, and brings the tools. */
export default async function packOnce({ provide }: TestProject): Promise<() => void> {
  await build();
  const out = mkdtempSync(join(tmpdir(), 'packages-'));
  const packed = { client: await pack('client', out), main: await pack('main', out) };
  for (const [name, { size, unpackedSize }] of Object.entries(packed)) {
    console.log(`${name}: ${Math.round(size / 1000)} kB, ${Math.round(unpackedSize / 1000)} kB unpacked`);
  }
  provide('packed', packed);
  const tools = emptyProject(out, 'tools');
  await npm(tools, 'install', '--ignore-scripts', ...TOOLS);
  provide('tools', tools);
  return () => rmSync(out, { recursive: true });
}
