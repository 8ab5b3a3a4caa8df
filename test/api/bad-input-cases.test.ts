import { afterAll, describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../functions/shared/read-json-body.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { MAX_IMAGE_BYTES } from '../../lib/schemas/request.js';
import { makePng } from '../support/pictures/hostile-pictures.js';
import { badService, STRANGE_NAMES } from './bad-service.js';

const { send, post, stop } = badService();
afterAll(stop);

const PICTURE = makePng({ width: 4, height: 4 });

async function fieldsOf(response: Response): Promise<string[]> {
  expect(response.status).toBe(400);
  const { errors = [] } = problemSchema.parse(await response.json());
  return errors.map(({ field }) => field);
}

/** A body of exactly so many bytes. */
function bodyOf(bytes: number): string {
  const [start, end] = ['{"prompt":"a tree"', '}'];
  return start + ' '.repeat(bytes - start.length - end.length) + end;
}

describe('the size of a body', () => {
  test('64 KiB is taken, one byte more is 413', async () => {
    expect((await post(bodyOf(MAX_BODY_BYTES))).status).toBe(200);
    const response = await post(bodyOf(MAX_BODY_BYTES + 1));
    expect(response.status).toBe(413);
    expect(problemSchema.parse(await response.json()).detail).toMatch(/65536 bytes/);
  });

  test('bytes count, not characters', async () => {
    const prompt = 'é'.repeat(MAX_BODY_BYTES / 2);
    expect((await post(JSON.stringify({ prompt }))).status).toBe(413);
  });

  test('a body without end is read no further than that', async () => {
    let pulled = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(1024).fill(32));
      },
    });
    const response = await send('/predict', { method: 'POST', body, duplex: 'half' });
    expect(response.status).toBe(413);
    expect(pulled).toBeLessThan(70);
  });

  test('with an image it may be longer, but not without end', async () => {
    const image = Buffer.concat([PICTURE, Buffer.alloc(MAX_IMAGE_BYTES - PICTURE.length)]).toString('base64');
    expect((await post(JSON.stringify({ prompt: 'a tree', image }))).status).toBe(200);
    expect(
      await fieldsOf(await post(JSON.stringify({ prompt: 'a tree', image: `${image}${'A'.repeat(65)}` }))),
    ).toEqual(['image']);
    expect((await post(JSON.stringify({ prompt: 'a tree', image: image.repeat(2) }))).status).toBe(413);
    expect((await post(JSON.stringify({ prompt: 'a tree', images: image }))).status).toBe(413);
  });

  test('a body that breaks off is 400', async () => {
    const body = new ReadableStream({
      pull(controller) {
        controller.error(new TypeError('terminated'));
      },
    });
    expect((await send('/predict', { method: 'POST', body, duplex: 'half' })).status).toBe(400);
  });
});

describe('JSON', () => {
  test.each([
    ['an empty body', ''],
    ['half of one', '{"prompt": "a tree"'],
    ['two of them', '{"prompt": "a tree"}{}'],
    ['a comment', '{"prompt": "a tree"} // a tree'],
    ['NaN', '{"prompt": "a tree", "seed": NaN}'],
    ['a line end in a string', '{"prompt": "a\ntree"}'],
    ['bytes that are no UTF-8', Uint8Array.from([0x22, 0xff, 0x22])],
    ['a surrogate in UTF-8', Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', Uint8Array.from(Buffer.from('\ufeff{"prompt":"a tree"}', 'utf16le'))],
  ])('%s: 400', async (_, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    const { errors } = problemSchema.parse(await response.json());
    expect(errors).toEqual([
      { field: 'body', message: expect.stringMatching(/^is (empty|not valid JSON): /) },
    ]);
  });

  test.each([
    ["{'prompt': 'a tree'}", 'line 1 has single quotes where JSON has double ones'],
    ['{\n  prompt: "a tree"\n}', 'line 1 has a name without double quotes around it'],
    ['{"prompt": "a tree",}', 'line 1 has a comma before a closing bracket'],
    ['{"prompt": "a tree"', 'it ends too early'],
  ])('%s: why it is none', async (body, why) => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      const { detail } = problemSchema.parse(await (await post(body, { 'content-type': type })).json());
      expect(detail).toBe(`body: is not valid JSON: ${why}`);
    }
  });

  test.each([
    ['a list', '[]'],
    ['null', 'null'],
    ['a string', '"a tree"'],
    ['30,000 lists in each other', '['.repeat(30_000) + ']'.repeat(30_000)],
    ['10,000 objects in each other', `${'{"a":'.repeat(10_000)}0${'}'.repeat(10_000)}`],
  ])('%s: 400 that names the body or the field', async (_, body) => {
    const fields = await fieldsOf(await post(body));
    expect(fields[0]).toMatch(/^(body|prompt)$/);
  });

  test('a byte order mark before it does no harm', async () => {
    expect((await post('\ufeff{"prompt":"a tree"}')).status).toBe(200);
  });

  test('of a key that comes twice the last one counts, as everywhere in JavaScript', async () => {
    const response = await post('{"prompt":"a tree","seed":1,"seed":2}');
    expect(await response.json()).toMatchObject({ seed: 2 });
    expect(await fieldsOf(await post('{"prompt":"a tree","seed":1,"seed":"x"}'))).toEqual(['seed']);
  });
});

describe('fields', () => {
  test.each(STRANGE_NAMES)('%j is not one', async (field) => {
    for (const accept of ['*/*', 'image/png']) {
      const body = `{"prompt":"a tree",${JSON.stringify(field)}:{"num_steps":4}}`;
      expect(await fieldsOf(await post(body, { accept }))).toEqual([field]);
    }
  });

  test('a prototype brings none', async () => {
    const fields = await fieldsOf(await post('{"__proto__":{"prompt":"a tree"}}'));
    expect(fields.sort()).toEqual(['__proto__', 'prompt']);
    expect(Object.prototype).not.toHaveProperty('prompt');
  });

  test('thousands of wrong ones make a short answer', async () => {
    const names = Array.from({ length: 7_000 }, (_, index) => `"${index}":0`);
    expect(await fieldsOf(await post(`{${names.join(',')}}`))).toContain('prompt');
    const long = await fieldsOf(await post(`{"prompt":"a tree","${'x'.repeat(60_000)}":0}`));
    expect(long).toEqual(['x'.repeat(80)]);
  });

  test.each([
    ['num_steps', '1e400'],
    ['num_steps', '1.5'],
    ['num_steps', '"1"'],
    ['num_steps', 'true'],
    ['num_steps', '[1]'],
    ['num_steps', 'null'],
    ['seed', '-1'],
    ['seed', '9007199254740992'],
    ['seed', '1e300'],
    ['seed', '-1e400'],
    ['num_images', '0'],
    ['output_format', '"PNG"'],
    ['output_format', '{}'],
    ['decoder', '"__proto__"'],
    ['prompt', '["a tree"]'],
    ['prompt', '"\\ud83c"'],
    ['prompt', '" \\u00a0\\ufeff "'],
    ['image', '1'],
    ['image', '""'],
    ['image', '"ä"'],
    ['image', '"https://example.com/a.png"'],
    ['image', '"data:text/html;base64,AAAA"'],
    ['image', '["AAAA"]'],
    ['image', `"${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64')}"`],
    ['image', `"data:image/png;base64,${PICTURE.subarray(0, -20).toString('base64')}"`],
    ['strength', '0.5'],
    ['strength', '0,"image":"AAAA"'],
    ['strength', '-1e400,"image":"AAAA"'],
    ['strength', '1.01,"image":"AAAA"'],
    ['strength', '"0.5","image":"AAAA"'],
    ['strength', `0.2,"image":"${PICTURE.toString('base64')}"`],
    ['webhook', '"http://example.com/"'],
    ['webhook', '"//example.com/"'],
    ['webhook', '"javascript:alert(1)"'],
    ['webhook', '"https://"'],
    ['webhook', '"https://exa mple.com/"'],
    ['webhook', '"https://example.com:99999/"'],
    ['webhook', `"https://example.com/${'x'.repeat(2_000)}"`],
    ['webhook', '{"url":"https://example.com/"}'],
  ])('%s: %s is refused, and nothing else', async (field, text) => {
    const fields = field === 'prompt' ? '' : '"prompt":"a tree",';
    expect(new Set(await fieldsOf(await post(`{${fields}"${field}":${text}}`)))).toEqual(new Set([field]));
  });

  test.each([
    ['num_steps', '1.0', 1],
    ['num_steps', '2e0', 2],
    ['seed', '-0', 0],
    ['seed', '9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s: %s is taken', async (field, text, taken) => {
    const answer = await (await post(`{"prompt":"a tree","${field}":${text}}`)).json();
    expect(answer).toHaveProperty(field, taken);
  });

  test('a prompt may hold NUL, every kind of character, and 2,000 of them', async () => {
    for (const prompt of ['a\u0000tree', '\u202e\u{1f333}\ufffe', '\u0007', 'x'.repeat(2_000)])
      expect((await post(JSON.stringify({ prompt }))).status).toBe(200);
    expect(await fieldsOf(await post(JSON.stringify({ prompt: 'x'.repeat(2_001) })))).toEqual(['prompt']);
  });
});

describe('headers', () => {
  const body = '{"prompt":"a tree"}';

  test.each([
    ...['application/jsonp', 'multipart/form-data; boundary=x', 'application/problem+json', '*/*'],
    ...['application/json, text/plain', 'text/html', 'application/octet-stream'],
  ])('content type %j: 415', async (type) => {
    expect((await post(body, { 'content-type': type })).status).toBe(415);
  });

  describe.each(['/predict', '/v1/images/generations'])('of a body that nobody has named, on %s', (path) => {
    // Without a type `fetch` itself would say text/plain of a string.
    const bytes = (text: string) => ({ method: 'POST', body: Buffer.from(text) });
    const types = ['application/x-www-form-urlencoded', 'text/plain; charset=utf-8', ';', ''];

    test.each(types)('content type %j: an object is taken as JSON', async (type) => {
      expect((await send(path, bytes(` ${body}\n`), type)).status).toBe(200);
    });

    test.each(types)('content type %j: anything else is told of --json', async (type) => {
      for (const text of ['prompt=a+tree', 'a tree', '"a tree"', '1', 'prompt=%7B%22a%22%3A1%7D']) {
        const response = await send(path, bytes(text), type);
        expect(response.status).toBe(415);
        expect(await response.text()).toMatch(
          /--json instead of -d, or -H 'content-type: application\/json'/,
        );
      }
      expect((await send(path, bytes(''), type)).status).toBe(400);
      expect((await send(path, bytes('[1]'), type)).status).toBe(400);
    });

    test.each(types)('content type %j: its fields are looked at as ever', async (type) => {
      const response = await send(path, bytes('{"prompt":1}'), type);
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining('must be a string'),
      ]);
    });
  });

  test.each(['application/json;charset=utf-8', 'APPLICATION/JSON', 'application/json ; x'])(
    'content type %j is taken',
    async (type) => {
      expect((await post(body, { 'content-type': type })).status).toBe(200);
    },
  );

  test.each(['', ' ', '""', 'a b', 'a, b', 'ä', 'x'.repeat(256), `"${'x'.repeat(256)}"`, 'a\tb', '\u007f'])(
    'Idempotency-Key %j: 400 that names it',
    async (key) => {
      const response = await post(body, { 'idempotency-key': key });
      expect(await fieldsOf(response)).toEqual(['Idempotency-Key']);
    },
  );

  test('the same Idempotency-Key, with and without quotes', async () => {
    const [plain, quoted] = [
      await post(body, { 'idempotency-key': 'k' }),
      await post(body, { 'idempotency-key': '"k"' }),
    ];
    expect(quoted.headers.get('idempotency-replayed')).toBe('true');
    expect(await quoted.json()).toEqual(await plain.json());
  });

  test.each([
    ['wait=10', 'wait=10', 200],
    ['wait="10"', 'wait=10', 200],
    ['wait = 10 ; x=y', 'wait=10', 200],
    ['WAIT=10', 'wait=10', 200],
    ['wait=999999999', 'wait=25', 200],
    ['handling=lenient, wait=3, wait=4', 'wait=3', 200],
    ['respond-async, wait=3', 'respond-async', 202],
    ['wait=0', 'wait=0', 202],
    ['wait=00000000000000000000001', null, 200],
    ['wait=-1', null, 200],
    ['wait=1.5', null, 200],
    ['wait=1e3', null, 200],
    ['wait', null, 200],
    [',;=,,;;"', null, 200],
    ['respond-async=0', null, 200],
    ['x'.repeat(16_000), null, 200],
  ])('Prefer: %s', async (prefer, applied, status) => {
    const response = await post(body, { prefer });
    expect(response.status).toBe(status);
    expect(response.headers.get('preference-applied')).toBe(applied);
  });

  test.each<[string, Record<string, string>, string | null, number]>([
    ['wait=10', {}, 'wait=10', 200],
    ['wait=999999999', {}, 'wait=25', 200],
    ['wait=0', {}, 'wait=0', 202],
    ['wait=3&wait=x&other=1', {}, 'wait=3', 200],
    ['wait=9', { prefer: 'wait=4' }, 'wait=4', 200],
    ['wait=9', { prefer: 'wait=soon' }, 'wait=9', 200],
    ['wait=9', { prefer: 'respond-async' }, 'respond-async', 202],
    ['Wait=9&async', {}, null, 200],
  ])('?%s with %j', async (query, headers, applied, status) => {
    const response = await send(`/predict?${query}`, { method: 'POST', body, headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('preference-applied')).toBe(applied);
  });

  test.each(['wait=', 'wait=-1', 'wait=1.5', 'wait=soon', 'wait=1e1', 'wait=%20'])(
    '?%s: 400 that names it',
    async (query) => {
      const id = 'a'.repeat(32);
      expect(await fieldsOf(await send(`/predict?${query}`, { method: 'POST', body }))).toEqual(['wait']);
      expect(await fieldsOf(await send(`/predictions/${id}?${query}`))).toEqual(['wait']);
    },
  );
});

describe('paths and methods', () => {
  const id = 'a'.repeat(32);

  test.each([
    ...['.', '..%2fwake', '%2e%2e%2fwake.json', 'a%00', '%', '%zz', '%c3%28', '%ed%a0%80', '%2525'],
    ...[
      id.toUpperCase(),
      `${id}a`,
      id.slice(1),
      `${id}%20`,
      `${id}%0a`,
      `%61${id.slice(2)}`,
      'x'.repeat(10_000),
    ],
    ...['__proto__', 'constructor', '*', ':id', '?', '#', ' '],
  ])('GET /predictions/%s: 404', async (text) => {
    expect((await send(`/predictions/${text}`)).status).toBe(404);
  });

  test('an escaped letter is that letter', async () => {
    const accepted = await post('{"prompt":"a tree"}', { prefer: 'respond-async' });
    const prediction = (await accepted.json()) as { id: string };
    const escaped = `%${prediction.id.charCodeAt(0).toString(16)}${prediction.id.slice(1)}`;
    expect((await send(`/predictions/${escaped}`)).status).toBe(200);
  });

  test.each([
    '//predict',
    '/predict//',
    '/PREDICT',
    '/./predict/x',
    '/predict%20',
    '/predict;a=b',
    '/%70redict/',
  ])('POST %s: 404', async (target) => {
    expect((await send(target, { method: 'POST', body: '{}' })).status).toBe(404);
  });

  test.each(['HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'X'])(
    '%s /predict: 405',
    async (verb) => {
      const response = await send('/predict', { method: verb });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
    },
  );

  test('HEAD /health is GET without a body', async () => {
    expect((await send('/health', { method: 'HEAD' })).status).toBe(200);
  });
});
