import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { badService, STRANGE_NAMES } from './bad-service.js';

/** Together 10,000. The seed is fixed: what fails here fails everywhere. */
const RUNS = { bodies: 5_000, openai: 1_000, headers: 2_000, paths: 2_000 };
const SEED = 20261123;

const { send, post, stop, telemetry, statuses } = badService();
afterAll(async () => {
  await stop();
  const counts = [...statuses].sort().map(([status, count]) => `${count} x ${status}`);
  console.log(`bad input: ${counts.join(', ')}`);
});

const FIELDS = [
  'prompt',
  'num_steps',
  'seed',
  'num_images',
  'output_format',
  'decoder',
  'image',
  'strength',
  'webhook',
];
/** JSON as it is written: what no JavaScript value can express, too. */
const STRANGE_VALUES = [
  ...[
    '1e400',
    '-1e400',
    '-0',
    '1.0',
    '1e0',
    '0.5',
    '9007199254740993',
    '1E-400',
    '"1"',
    '" "',
    'true',
    'null',
  ],
  ...[
    '""',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"a\\u0000b"',
    '[]',
    '{}',
    '[[]]',
    '{"__proto__":{}}',
  ],
  ...[
    '"png"',
    '"PNG"',
    '"http://x"',
    '"https://"',
    '"https://e.com/"',
    '"https://[::1"',
    '"javascript:0"',
    '"https://a b"',
  ],
  ...['NaN', 'Infinity', '01', '+1', '0x1', "'a'", 'undefined'],
];

const strangeString = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'grapheme' }));
const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...FIELDS) },
  { weight: 2, arbitrary: fc.constantFrom(...STRANGE_NAMES) },
  strangeString,
);
const value = fc.oneof(
  fc.constantFrom(...STRANGE_VALUES),
  strangeString.map((text) => JSON.stringify(text)),
  fc.double().map(String),
  fc.maxSafeInteger().map(String),
  fc.json({ maxDepth: 3 }),
);
const objectText = fc
  .array(fc.tuple(name, value), { maxLength: 8 })
  .map((fields) => `{${fields.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(',')}}`);
/** A good one in which something is replaced. */
const nearlyGood = fc.tuple(fc.constantFrom(...FIELDS, ...STRANGE_NAMES), value).map(([key, text]) => {
  const fields = key === 'prompt' ? '' : '"prompt":"a tree",';
  return `{${fields}${JSON.stringify(key)}:${text}}`;
});
const bodyText = fc.oneof(
  { weight: 4, arbitrary: objectText },
  { weight: 4, arbitrary: nearlyGood },
  fc.json(),
  strangeString,
);
const bodyBytes: fc.Arbitrary<string | Uint8Array<ArrayBuffer>> = fc.oneof(
  { weight: 6, arbitrary: bodyText },
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)),
);

/** What a header may hold: fetch takes the bytes 0x01 to 0xff but the line ends. */
const headerValue = fc
  .string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 60 })
  .map((text) => text.replace(/[\r\n]/g, ' '));
const header = fc.tuple(
  fc.constantFrom(
    ...[
      'prefer',
      'idempotency-key',
      'accept',
      'content-type',
      'content-encoding',
      'x-request-id',
      'x-api-key',
    ],
    ...['authorization', 'x-amzn-sagemaker-custom-attributes', 'range', 'if-none-match', 'cookie'],
  ),
  fc.oneof(
    headerValue,
    fc.constantFrom(
      ...['respond-async', 'wait=0', 'wait=-1', 'wait=99999999999', 'wait=1e9', 'wait=NaN', 'wait=;;,,=', ''],
      ...[
        'image/png',
        'image/*',
        'image/',
        'image/svg+xml',
        '*/*',
        'application/json; q=banana',
        'text/html',
      ],
      ...['"a"', '"', '""', 'a\tb', 'x'.repeat(256), 'x'.repeat(8_000), 'application/json;charset=utf-16'],
      ...['text/plain', 'multipart/form-data', 'application/json, text/plain', 'gzip', 'request-id=../../x'],
    ),
  ),
);

const method = fc.oneof(
  fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'get', 'Post'),
  fc
    .string({ unit: fc.constantFrom(...'ABCXYZabc!#$%&*+.^_`|~-0'), minLength: 1, maxLength: 12 })
    .filter((text) => !/^(connect|trace|track)$/i.test(text)),
);
const path = fc.oneof(
  fc.constantFrom(
    '/predict',
    '/predictions',
    '/health',
    '/warmup',
    '/v1/images/generations',
    '/',
    '/predict/',
  ),
  fc
    .string({
      unit: fc.constantFrom(...'abz27/.%20AFé:@&=+$;,?#[]\\"<>^`{|}~\u0000\u{1f333}'),
      maxLength: 60,
    })
    .chain((text) => fc.constantFrom(`/predictions/${text}`, `/${text}`, `/predict${text}`)),
);

const holds = (property: fc.IAsyncProperty<unknown>, numRuns: number) =>
  fc.assert(property as fc.IAsyncProperty<[unknown]>, { numRuns, seed: SEED });

describe('generated requests are answered in words, never by a failure', () => {
  test(`${RUNS.bodies} bodies`, async () => {
    const seen = new Set<number>();
    const property = fc.asyncProperty(bodyBytes, async (body) => {
      seen.add((await post(body)).status);
    });
    await holds(property, RUNS.bodies);
    expect([...seen]).toEqual(expect.arrayContaining([200, 400]));
  });

  test(`${RUNS.openai} bodies for OpenAI's route`, async () => {
    const property = fc.asyncProperty(bodyBytes, async (body) => {
      await send('/v1/images/generations', { method: 'POST', body });
    });
    await holds(property, RUNS.openai);
  });

  test(`${RUNS.headers} sets of headers`, async () => {
    const seen = new Set<number>();
    const property = fc.asyncProperty(fc.array(header, { maxLength: 4 }), async (pairs) => {
      const headers = Object.fromEntries(pairs);
      seen.add((await post('{"prompt":"a tree"}', headers)).status);
    });
    await holds(property, RUNS.headers);
    expect([...seen].sort()).toEqual([200, 202, 400, 401, 406, 415]);
  });

  test(`${RUNS.paths} methods and paths`, async () => {
    const seen = new Set<number>();
    const property = fc.asyncProperty(method, path, async (verb, target) => {
      const body = /^(get|head)$/i.test(verb) ? {} : { body: '{}' };
      seen.add((await send(target, { method: verb, ...body })).status);
    });
    await holds(property, RUNS.paths);
    expect([...seen].sort()).toEqual([200, 202, 400, 404, 405]);
  });

  test('nothing of all this was an error to the log', () => {
    expect(telemetry.lines.filter((line) => line.includes('a request failed'))).toEqual([]);
  });
});
