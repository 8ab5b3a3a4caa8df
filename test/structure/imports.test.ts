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

/** The parts of `lib` from below to above; a part imports those below it, and its neighbours on the third floor. */
const FLOORS = [
  ['errors'],
  ['schemas'],
  ['random', 'onnx', 'image', 'tokenizer', 'weights', 'runtime', 'schedulers'],
  ['pipeline', 'export', 'predictions', 'client', 'doctor'],
  ['cli'],
];
const NEIGHBOURS_MEET = 2;
/** The edge of `lib` where AWS clients may stand: behind the interfaces `ByteSource` and `Account`. */
const AWS_EDGE = /^lib\/(weights\/(create-s3-client|s3-[\w-]+|direct-[\w-]+)|doctor\/aws-account)\.ts$/;

const within = (folder: string) => (file: string) => file.startsWith(`${folder}/`);
const partOf = (file: string) => /^lib\/([^/]+)\//.exec(file)?.[1] ?? '';
const floorOf = (file: string) => FLOORS.findIndex((parts) => parts.includes(partOf(file)));
/** The one place that names the endpoint's server, to start it as a process. */
const STARTS_SERVER = 'functions/home/endpoint/endpoint-command.ts';
const handlerOf = (file: string) => /^functions\/([^/]+)\//.exec(file)?.[1];

const RULES: Rule[] = [
  {
    name: 'lib imports nothing above it',
    breaks: ({ from, to }) => within('lib')(from) && /^(functions|infra|test)\//.test(to),
  },
  {
    name: 'only the command line and the import at deploy import the exporter',
    breaks: ({ from, to }) =>
      within('lib/export')(to) && !/^(lib\/(export|cli)|functions\/import-weights)\//.test(from),
  },
  {
    name: 'nothing imports the command line',
    breaks: ({ from, to }) => within('lib/cli')(to) && !within('lib/cli')(from),
  },
  {
    name: 'parts of lib import downwards',
    breaks: ({ from, to }) => {
      if (!within('lib')(from) || !within('lib')(to) || partOf(from) === partOf(to)) return false;
      const [above, below] = [floorOf(from), floorOf(to)];
      return above < below || (above === below && above !== NEIGHBOURS_MEET);
    },
  },
  {
    name: 'lib knows no HTTP framework',
    breaks: ({ from, to }) => within('lib')(from) && /^(hono|@hono\/)/.test(to),
  },
  {
    name: 'one file has the picture library, and what it may read',
    breaks: ({ from, to }) => to === 'sharp' && from !== 'lib/image/sharp.ts',
  },
  {
    name: 'only infra knows CDK',
    breaks: ({ from, to }) => !within('infra')(from) && /^(aws-cdk-lib|constructs)(\/|$)/.test(to),
  },
  {
    name: 'AWS clients stand at the edge',
    breaks: ({ from, to }) => within('lib')(from) && to.startsWith('@aws-sdk/') && !AWS_EDGE.test(from),
  },
  {
    name: 'functions import lib and functions only',
    breaks: ({ from, to }) => within('functions')(from) && /^(infra|test)\//.test(to),
  },
  {
    name: 'handlers do not import each other',
    breaks: ({ from, to }) => {
      if (from === STARTS_SERVER && to === 'functions/endpoint/server.ts') return false;
      const [a, b] = [handlerOf(from), handlerOf(to)];
      return a !== undefined && b !== undefined && a !== b && b !== 'shared';
    },
  },
  {
    name: 'what runs at home stays there',
    breaks: ({ from, to }) => within('functions/home')(to) && !within('functions/home')(from),
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
  expect(missing).toEqual([]);
});

test('every part of lib has its floor', () => {
  const parts = [...sources.keys()].filter(within('lib')).map(partOf);
  expect(parts.filter((part) => !FLOORS.flat().includes(part))).toEqual([]);
});

test('there is no cycle', () => {
  expect(findCycle(edges)).toBeUndefined();
});

test('one place of lib reads the environment', () => {
  const readers = [...sources].filter(([file, text]) => within('lib')(file) && /\bprocess\.env\b/.test(text));
  // The command's launcher sets what ONNX Runtime reads.
  expect(readers.map(([file]) => file).sort()).toEqual(['lib/cli/environment.ts', 'lib/cli/sd-turbo.mjs']);
});

test('zod is imported as a namespace: of the object `z` esbuild drops nothing, of a namespace 345 KiB', () => {
  const whole = [...sources].filter(([, text]) => /import (type )?\{[^}]*\} from 'zod'/.test(text));
  expect(whole.map(([file]) => file)).toEqual([]);
});

test('files stay small', () => {
  const large = [...sources].filter(([, text]) => text.split('\n').length > MAX_LINES);
  expect(large.map(([file]) => file)).toEqual([]);
});

describe('the checker itself', () => {
  const wrong: [string, string, string][] = [
    ['lib imports nothing above it', 'lib/a/b.ts', "import { x } from '../../functions/shared/log.js';"],
    [
      'only the command line and the import at deploy import the exporter',
      'functions/a/b.ts',
      "import '../../lib/export/checkpoint.js';",
    ],
    ['nothing imports the command line', 'functions/a/b.ts', "await import('../../lib/cli/main.js');"],
    ['lib knows no HTTP framework', 'lib/a/b.ts', "import type { Hono } from 'hono';"],
    [
      'one file has the picture library, and what it may read',
      'lib/image/b.ts',
      "import sharp from 'sharp';",
    ],
    ['only infra knows CDK', 'functions/a/b.ts', 'import { Stack } from "aws-cdk-lib";'],
    ['AWS clients stand at the edge', 'lib/pipeline/b.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['parts of lib import downwards', 'lib/schemas/b.ts', "export * from '../runtime/tensor.js';"],
    ['parts of lib import downwards', 'lib/export/b.ts', "import { a } from '../pipeline/bundle.js';"],
    [
      'parts of lib import downwards',
      'lib/runtime/b.ts',
      "const entry = new URL('../pipeline/bundle.js', import.meta.url);",
    ],
    [
      'functions import lib and functions only',
      'functions/a/b.ts',
      "import {\n  config,\n} from '../../infra/options/config.js';",
    ],
    ['handlers do not import each other', 'functions/api/b.ts', "import { a } from '../endpoint/app.js';"],
    [
      'handlers do not import each other',
      'functions/home/b.ts',
      "const server = new URL('../../endpoint/server.js', import.meta.url);",
    ],
    ['what runs at home stays there', 'functions/api/b.ts', "import { a } from './home/home-server.js';"],
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
