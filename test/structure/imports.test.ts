import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  findCycle,
  type Import,
  importsOf,
  type Rule,
  readSources,
  violations,
} from '../support/import-graph.js';
import { ROOT } from '../support/reference.js';

const FOLDERS = ['lib', 'functions', 'infra'].filter((folder) => existsSync(join(ROOT, folder)));
const MAX_LINES = 330;

/** Below the pipeline; what stands later may import what stands earlier. */
const LAYERS = [
  'errors',
  'schemas',
  'random',
  'onnx',
  'image',
  'tokenizer',
  'weights',
  'runtime',
  'schedulers',
  'pipeline',
];
/** The edge of `lib` where an AWS client may stand: behind the interface `ByteSource`. */
const AWS_EDGE = /^lib\/weights\/(create-s3-client|s3-[\w-]+|direct-[\w-]+)\.ts$/;

const within = (folder: string) => (file: string) => file.startsWith(`${folder}/`);
const partOf = (file: string) => /^lib\/([^/]+)\//.exec(file)?.[1] ?? '';
const handlerOf = (file: string) => /^functions\/([^/]+)\//.exec(file)?.[1];

const RULES: Rule[] = [
  {
    name: 'lib imports nothing above it',
    breaks: ({ from, to }) => within('lib')(from) && /^(functions|infra|test)\//.test(to),
  },
  {
    name: 'only the command line imports the exporter',
    breaks: ({ from, to }) => within('lib/export')(to) && !/^lib\/(export|cli)\//.test(from),
  },
  {
    name: 'nothing imports the command line',
    breaks: ({ from, to }) => within('lib/cli')(to) && !within('lib/cli')(from),
  },
  {
    name: 'lib knows no HTTP framework and no CDK',
    breaks: ({ from, to }) => within('lib')(from) && /^(hono|@hono\/|aws-cdk-lib|constructs)/.test(to),
  },
  {
    name: 'AWS clients stand at the edge',
    breaks: ({ from, to }) => within('lib')(from) && to.startsWith('@aws-sdk/') && !AWS_EDGE.test(from),
  },
  {
    name: 'errors and schemas stand at the bottom',
    breaks: ({ from, to }) =>
      (within('lib/errors')(from) && within('lib')(to) && !within('lib/errors')(to)) ||
      (within('lib/schemas')(from) && within('lib')(to) && !/^lib\/(errors|schemas)\//.test(to)),
  },
  {
    name: 'nothing below the pipeline imports it',
    breaks: ({ from, to }) => within('lib/pipeline')(to) && LAYERS.slice(0, -1).includes(partOf(from)),
  },
  {
    name: 'handlers do not import each other',
    breaks: ({ from, to }) => {
      const [a, b] = [handlerOf(from), handlerOf(to)];
      return a !== undefined && b !== undefined && a !== b && b !== 'shared';
    },
  },
  {
    name: 'infra reads schemas and names handlers by path',
    breaks: ({ from, to }) =>
      within('infra')(from) && /^(lib|functions)\//.test(to) && !within('lib/schemas')(to),
  },
];

const sources = readSources(ROOT, FOLDERS);
const edges = [...sources].flatMap(([file, text]) => importsOf(file, text));

test('imports go one way', () => {
  expect(violations(edges, RULES)).toEqual([]);
  expect(edges.length).toBeGreaterThan(100);
});

test('every relative import names a file', () => {
  const missing = edges.filter(
    ({ to }) => /^(lib|functions|infra)\//.test(to) && !existsSync(join(ROOT, to)),
  );
  expect(missing.filter(({ to }) => !to.endsWith('.mjs'))).toEqual([]);
});

test('there is no cycle', () => {
  expect(findCycle(edges)).toBeUndefined();
});

test('lib does not read the environment', () => {
  const readers = [...sources].filter(([file, text]) => within('lib')(file) && /\bprocess\.env\b/.test(text));
  expect(readers.map(([file]) => file)).toEqual([]);
});

test('files stay small', () => {
  const large = [...sources].filter(([, text]) => text.split('\n').length > MAX_LINES);
  expect(large.map(([file]) => file)).toEqual([]);
});

describe('the checker itself', () => {
  const wrong: [string, string, string][] = [
    ['lib imports nothing above it', 'lib/a/b.ts', "import { x } from '../../functions/shared/log.js';"],
    [
      'only the command line imports the exporter',
      'functions/a/b.ts',
      "import '../../lib/export/checkpoint.js';",
    ],
    ['nothing imports the command line', 'lib/a/b.ts', "await import('../cli/main.js');"],
    ['lib knows no HTTP framework and no CDK', 'lib/a/b.ts', "import type { Hono } from 'hono';"],
    ['AWS clients stand at the edge', 'lib/pipeline/b.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['errors and schemas stand at the bottom', 'lib/schemas/b.ts', "export * from '../runtime/tensor.js';"],
    [
      'nothing below the pipeline imports it',
      'lib/runtime/b.ts',
      "import { a } from '../pipeline/bundle.js';",
    ],
    ['handlers do not import each other', 'functions/api/b.ts', "import { a } from '../endpoint/app.js';"],
    [
      'infra reads schemas and names handlers by path',
      'infra/a.ts',
      "import { a } from '../functions/api/app.js';",
    ],
  ];

  test.each(wrong)('sees: %s', (name, file, source) => {
    expect(violations(importsOf(file, source), RULES)).toEqual([expect.stringContaining(`${name}: ${file}`)]);
  });

  test('sees a cycle', () => {
    const edge = (from: string, to: string): Import => ({ from, to });
    expect(findCycle([edge('a', 'b'), edge('b', 'c'), edge('c', 'b')])).toEqual(['b', 'c', 'b']);
    expect(findCycle([edge('a', 'b'), edge('a', 'c'), edge('b', 'c')])).toBeUndefined();
  });
});
