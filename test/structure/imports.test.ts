import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

const MAX_FILES = 20;

/** The rooms of some folders, from below to above. A room imports those below it, no room of its own floor. */
const HOUSES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  lib: [
    ['errors', 'package'],
    ['schemas'],
    ['random', 'onnx', 'image', 'tokenizer', 'weights', 'runtime', 'schedulers'],
    ['pipeline', 'export', 'predictions', 'client', 'doctor', 'keys'],
    ['in-process'],
    ['cli'],
  ],
  'lib/weights': [['bytes'], ['disk'], ['sources'], ['checkpoint'], ['bundle'], ['download']],
  infra: [
    ['basics', 'options'],
    ['model'],
    ['backends'],
    ['predictions'],
    ['api'],
    ['watch'],
    ['service'],
    // The files beside the rooms.
    [''],
  ],
};
/** On the third floor of `lib` neighbours meet. */
const NEIGHBOURS_MEET = HOUSES['lib']?.[2];
/** The edge of `lib` where an AWS client may stand: behind the interfaces `ByteSource`, `BundleSink`, `Account` and `KeyStore`. */
const AWS_EDGE =
  /^lib\/(weights\/(sources\/(s3|direct)\/|(checkpoint|bundle)\/s3-)[\w-]+|(doctor|keys)\/aws\/[\w-]+)\.ts$/;

const within = (folder: string) => (file: string) => file.startsWith(`${folder}/`);
/** Of a file in `house`; '' beside the rooms. */
const roomOf = (house: string, file: string) => {
  const [room = '', ...rest] = file.slice(house.length + 1).split('/');
  return rest.length > 0 ? room : '';
};
/** The service at home is the app of the API around the endpoint's server as a process. */
const HOME_STANDS_ON = new Map([
  ['functions/home/start-service.ts', 'functions/api/app.ts'],
  ['functions/home/endpoint/endpoint-command.ts', 'functions/endpoint/server.ts'],
]);
/** How each backend is reached. */
const BACKENDS = /^functions\/shared\/aws\/(ec2|queue|sagemaker)\//;
const handlerOf = (file: string) => /^functions\/([^/]+)\//.exec(file)?.[1];

function climbs(house: string, from: string, to: string): boolean {
  if (!within(house)(from) || !within(house)(to)) return false;
  const floors = HOUSES[house] ?? [];
  const floorOf = (file: string) => floors.findIndex((rooms) => rooms.includes(roomOf(house, file)));
  const [above, below] = [floorOf(from), floorOf(to)];
  if (roomOf(house, from) === roomOf(house, to)) return false;
  return above < below || (above === below && floors[above] !== NEIGHBOURS_MEET);
}

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
  ...Object.keys(HOUSES).map((house) => ({
    name: `rooms of ${house} import downwards`,
    breaks: ({ from, to }: Import) => climbs(house, from, to),
  })),
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
      if (HOME_STANDS_ON.get(from) === to) return false;
      const [a, b] = [handlerOf(from), handlerOf(to)];
      return a !== undefined && b !== undefined && a !== b && b !== 'shared';
    },
  },
  {
    name: 'one file knows which backends there are: routes have an interface',
    breaks: ({ from, to }) =>
      BACKENDS.test(to) && !BACKENDS.test(from) && from !== 'functions/shared/aws/connect-backend.ts',
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

test.each(Object.entries(HOUSES))('every room of %s has its floor', (house, floors) => {
  const rooms = new Set([...sources.keys()].filter(within(house)).map((file) => roomOf(house, file)));
  expect([...rooms].filter((room) => !floors.flat().includes(room))).toEqual([]);
});

test('there is no cycle', () => {
  expect(findCycle(edges)).toBeUndefined();
});

test('one place of lib reads the environment', () => {
  const readers = [...sources].filter(([file, text]) => within('lib')(file) && /\bprocess\.env\b/.test(text));
  // The command, and whoever draws in a program, sets what ONNX Runtime reads.
  expect(readers.map(([file]) => file).sort()).toEqual([
    'lib/cli/command.ts',
    'lib/cli/environment.ts',
    'lib/in-process/quiet-runtime.ts',
  ]);
});

test('zod is imported as a namespace: of the object `z` esbuild drops nothing, of a namespace 345 KiB', () => {
  const whole = [...sources].filter(([, text]) => /import (type )?\{[^}]*\} from 'zod'/.test(text));
  expect(whole.map(([file]) => file)).toEqual([]);
});

test('files stay small', () => {
  const large = [...sources].filter(([, text]) => text.split('\n').length > MAX_LINES);
  expect(large.map(([file]) => file)).toEqual([]);
});

test('folders stay small', () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
  });
  const folders = new Map<string, number>();
  for (const file of files.toString().split('\n'))
    folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1);
  expect([...folders].filter(([, count]) => count > MAX_FILES)).toEqual([]);
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
    [
      'one file knows which backends there are: routes have an interface',
      'functions/api/b.ts',
      "await import('../shared/aws/ec2/ec2-endpoint.js');",
    ],
    ['only infra knows CDK', 'functions/a/b.ts', 'import { Stack } from "aws-cdk-lib";'],
    ['AWS clients stand at the edge', 'lib/pipeline/b.ts', "import { S3Client } from '@aws-sdk/client-s3';"],
    ['rooms of lib import downwards', 'lib/schemas/b.ts', "export * from '../runtime/tensor.js';"],
    ['rooms of lib import downwards', 'lib/export/b.ts', "import { a } from '../pipeline/bundle.js';"],
    [
      'rooms of lib/weights import downwards',
      'lib/weights/checkpoint/b.ts',
      "import { FileSums } from '../bundle/file-sums.js';",
    ],
    [
      'rooms of lib/weights import downwards',
      'lib/weights/bytes/b.ts',
      "import type { ByteSource } from '../sources/byte-source.js';",
    ],
    [
      'rooms of lib/weights import downwards',
      'lib/weights/sources/s3/b.ts',
      "import { diskError } from '../../download/fetch-threads.js';",
    ],
    [
      'rooms of infra import downwards',
      'infra/backends/sagemaker/b.ts',
      "import { Api } from '../../api/api.js';",
    ],
    ['rooms of infra import downwards', 'infra/service/b.ts', "import { ServiceStack } from '../stack.js';"],
    ['rooms of infra import downwards', 'infra/basics/b.ts', "import { a } from '../options/config.js';"],
    [
      'rooms of lib import downwards',
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
      'functions/home/endpoint/b.ts',
      "const server = new URL('../../endpoint/server.js', import.meta.url);",
    ],
    ['handlers do not import each other', 'functions/home/b.ts', "import { a } from '../api/prefer.js';"],
    [
      'handlers do not import each other',
      'functions/api/b.ts',
      "import { a } from '../home/home-server.js';",
    ],
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
