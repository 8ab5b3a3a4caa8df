import { describe, expect, test } from 'vitest';
import { MAX_BODY_BYTES } from '../../../functions/shared/read-json-body.js';
import { openaiErrorSchema } from '../../../lib/schemas/openai/image-answer.js';
import { type AskProps, asker, MARKER, PROMPT, problemOf, type Setting } from './setting.js';

const prompt = PROMPT;

/** What is wrong, the body, and the field that the answer names. */
const WRONG_FIELDS: [string, unknown, string][] = [
  ['no prompt', {}, 'prompt'],
  ['a prompt that is no string', { prompt: 1 }, 'prompt'],
  ['an empty prompt', { prompt: ' \n ' }, 'prompt'],
  ['a prompt of 2,001 characters', { prompt: 'x'.repeat(2001) }, 'prompt'],
  ['half a character', '{"prompt": "a tree \\ud83c"}', 'prompt'],
  ['no step', { prompt, num_steps: 0 }, 'num_steps'],
  ['five steps', { prompt, num_steps: 5 }, 'num_steps'],
  ['a step and a half', { prompt, num_steps: 1.5 }, 'num_steps'],
  ['steps as a string', { prompt, num_steps: '1' }, 'num_steps'],
  ['a negative seed', { prompt, seed: -1 }, 'seed'],
  ['a seed over 2^53-1', { prompt, seed: 2 ** 53 }, 'seed'],
  ['no picture', { prompt, num_images: 0 }, 'num_images'],
  ['five pictures', { prompt, num_images: 5 }, 'num_images'],
  ['an unknown format', { prompt, output_format: 'gif' }, 'output_format'],
  ['an unknown decoder', { prompt, decoder: 'gan' }, 'decoder'],
  ['an image that is no base64', { prompt, image: 'https://example.com/a.png' }, 'image'],
  ['no strength', { prompt, image: 'AAAA', strength: 0 }, 'strength'],
  ['an unknown field', { prompt, guidance_scale: 7 }, 'guidance_scale'],
  ['a webhook without TLS', { prompt, webhook: 'http://example.com/' }, 'webhook'],
  ['a webhook that is no URL', { prompt, webhook: 'example' }, 'webhook'],
  ['a list', [], 'body'],
  ['null', 'null', 'body'],
];

/** What `curl -d` says of every body. */
const FORM = 'application/x-www-form-urlencoded';

/** What is wrong, the request, the status, and what its detail must say. */
const WRONG_REQUESTS: [string, AskProps, number, RegExp][] = [
  ['broken JSON', { body: '{"prompt": ' }, 400, /JSON/],
  ['an empty body', { body: '' }, 400, /JSON/],
  ['a body over 64 KiB', { body: { prompt, seed: 'x'.repeat(MAX_BODY_BYTES) } }, 413, /65536 bytes/],
  [
    'another content type',
    { body: prompt, headers: { 'content-type': 'text/plain' } },
    415,
    /application\/json/,
  ],
  ['nothing at all', { headers: {} }, 400, /^body: is empty/],
  ['a form', { body: 'prompt=a+tree', headers: { 'content-type': FORM } }, 415, /--json/],
  ['a sentence', { body: '"a tree"' }, 400, /^body: must be a JSON object/],
  [
    'several pictures as bytes',
    { body: { prompt, num_images: 2 }, headers: { accept: 'image/png' } },
    400,
    /num_images/,
  ],
  ['a picture of another kind', { body: { prompt }, headers: { accept: 'image/avif' } }, 406, /image\/webp/],
  [
    'a picture that is not the one of the body',
    { body: { prompt, output_format: 'webp' }, headers: { accept: 'image/png, image/jpeg' } },
    406,
    /application\/json, image\/webp$/,
  ],
  ['a page', { body: { prompt }, headers: { accept: 'text/html, text/*;q=0.9' } }, 406, /application\/json/],
  [
    'a compressed body',
    { body: { prompt }, headers: { 'content-encoding': 'gzip' } },
    415,
    /the encoding gzip/,
  ],
  [
    'a body compressed twice',
    { body: { prompt }, headers: { 'content-encoding': 'identity, Deflate ,br' } },
    415,
    /the encoding Deflate, br/,
  ],
  [
    'an Idempotency-Key that is too long',
    { body: { prompt }, headers: { 'idempotency-key': 'x'.repeat(256) } },
    400,
    /Idempotency-Key/,
  ],
  [
    'an Idempotency-Key with blanks in it',
    { body: { prompt }, headers: { 'idempotency-key': `a ${MARKER}` } },
    400,
    /Idempotency-Key/,
  ],
  ['a decoder that this model has not', { body: { prompt, decoder: 'taesd' } }, 400, /taesd/],
];

/** A field of other people's, and what is said of it. */
const FOREIGN_FIELDS: [string, unknown, RegExp][] = [
  ['steps', 2, /^is called num_steps here; the fields are prompt, num_steps, seed, /],
  ['num_inference_steps', 2, /^is called num_steps here/],
  ['inference_steps', 2, /^is called num_steps here/],
  ['numSteps', 2, /^is called num_steps here/],
  ['n', 2, /^is called num_images here/],
  ['num_outputs', 2, /^is called num_images here/],
  ['num_images_per_prompt', 2, /^is called num_images here/],
  ['batch_size', 2, /^is called num_images here/],
  ['outputFormat', 'png', /^is called output_format here/],
  ['promt', 'a tree', /^is not a field here: did you mean prompt\? The fields are prompt, /],
  ['strenght', 0.5, /did you mean strength\?/],
  ['negative_prompt', 'rain', /^SD-Turbo has none: .*; the fields are prompt, /],
  ['guidance_scale', 7.5, /^SD-Turbo has none/],
  ['cfg_scale', 7.5, /^SD-Turbo has none/],
  ['width', 512, /size that the model has/],
  ['scheduler', 'K_EULER', /Euler's/],
  ['model', 'sd-turbo', /one model/],
  ['webhook_endpoint', 'https://example.com', /^is called webhook here/],
  ['banana', 1, /^is not a field here; the fields are prompt, /],
];

/** A picture that cannot be read, and what is said of it. */
const WRONG_IMAGES: [string, string][] = [
  ['https://example.com/a.png', 'not its address'],
  ['data:image/gif;base64,R0lGODlh', 'image/gif'],
  ['data:image/png,iVBORw0K', ';base64'],
  ['iVBO\nRw*K', '* at character 8'],
  ['iVBOR', '5 letters'],
  ['', 'empty'],
];

/** Requests that are the caller's fault. */
export function refusals(setting: () => Setting): void {
  describe('refusals', () => {
    test.each(WRONG_FIELDS)('%s: 400 that names the field', async (_, body, field) => {
      const response = await asker(setting())('POST', '/predict', { body });
      expect(response.status).toBe(400);
      const { errors = [], detail } = await problemOf(response);
      expect(errors.map((error) => error.field)).toContain(field);
      expect(detail).toContain(field);
    });

    test.each(WRONG_REQUESTS)('%s', async (_, props, status, said) => {
      const response = await asker(setting())('POST', '/predict', props);
      expect(response.status).toBe(status);
      expect((await problemOf(response)).detail).toMatch(said);
    });

    test.each(WRONG_IMAGES)('the image %j: what is wrong with it', async (image, said) => {
      const { errors } = await problemOf(
        await asker(setting())('POST', '/predict', { body: { prompt, image } }),
      );
      expect(errors).toEqual([{ field: 'image', message: expect.stringContaining(said) }]);
    });

    test.each(FOREIGN_FIELDS)('the field %s: %j', async (field, value, said) => {
      const { detail, errors } = await problemOf(
        await asker(setting())('POST', '/predict', { body: { prompt, [field]: value } }),
      );
      expect(errors).toEqual([{ field, message: expect.stringMatching(said) }]);
      expect(detail).toBe(`${field}: ${errors?.[0]?.message}`);
    });

    test.each([
      ['Replicate', { version: 'abc', input: { prompt, num_outputs: 1 } }, 'input'],
      ['Baseten', { model_input: { prompt } }, 'model_input'],
      ['Vertex', { instances: [{ prompt }] }, 'instances'],
    ])("%s's body is told that its fields go into the body itself", async (_, body, field) => {
      const { errors } = await problemOf(await asker(setting())('POST', '/predict', { body }));
      expect(errors).toContainEqual({ field: 'prompt', message: 'is required' });
      const message = expect.stringMatching(/^its fields, such as prompt, go into the body itself here/);
      expect(errors).toContainEqual({ field, message });
    });

    test('what curl -d sends is taken for what it is, and another body is told of --json', async () => {
      const ask = asker(setting());
      const headers = { 'content-type': FORM };
      for (const path of ['/predict', '/v1/images/generations'])
        expect((await ask('POST', path, { body: { prompt }, headers })).status).toBe(200);
    });

    test('a wait in the address is followed as one in a header, and must be one', async () => {
      const ask = asker(setting());
      const taken = await ask('POST', '/predict?wait=20', { body: { prompt } });
      expect([taken.status, taken.headers.get('preference-applied')]).toEqual([200, 'wait=20']);
      const wrong = await ask('POST', '/predict?wait=long', { body: { prompt } });
      expect((await problemOf(wrong)).errors).toEqual([
        { field: 'wait', message: 'must be whole seconds, of which 25 are waited at most' },
      ]);
    });

    test('an encoding that is none is none', async () => {
      const headers = { 'content-encoding': 'identity' };
      const response = await asker(setting())('POST', '/predict', { body: { prompt }, headers });
      expect(response.status).toBe(200);
    });

    test('what is wrong with a body is told once, and whether it may be compressed', async () => {
      const ask = asker(setting());
      for (const seed of ['9007199254740992', '9007199254740993', '1e300', '-1e400', '1e400', '1.5'])
        expect(
          (await problemOf(await ask('POST', '/predict', { body: `{"prompt":"x","seed":${seed}}` }))).detail,
        ).toBe('seed: must be an integer from 0 to 9007199254740991');
      const headers = { 'content-encoding': 'zstd' };
      for (const path of ['/predict', '/v1/images/generations']) {
        const response = await ask('POST', path, { body: { prompt }, headers });
        expect([response.status, response.headers.get('accept-encoding')]).toEqual([415, 'identity']);
      }
    });

    test('every wrong field is named', async () => {
      const body = { num_steps: 9, seed: -1, extra: 1 };
      const { errors = [] } = await problemOf(await asker(setting())('POST', '/predict', { body }));
      expect(errors.map(({ field }) => field).sort()).toEqual(['extra', 'num_steps', 'prompt', 'seed']);
    });

    test.each([
      ['GET', '/predict', 'POST'],
      ['PUT', '/predict', 'POST'],
      ['GET', '/warmup', 'POST'],
      ['GET', '/v1/images/generations', 'POST'],
      ['POST', '/health', 'GET'],
      ['PUT', `/predictions/${'a'.repeat(32)}`, 'GET, DELETE'],
      ['POST', '/predictions', 'GET'],
    ])('%s %s: 405, Allow: %s', async (method, path, allow) => {
      const response = await asker(setting())(method, path);
      // To the gateway a method that a path does not have is a path that is not there.
      const { isBehindGateway } = setting();
      expect(response.status).toBe(isBehindGateway ? 404 : 405);
      if (!isBehindGateway) expect(response.headers.get('allow')).toBe(allow);
    });

    test.each(['/predictions/', '/predictions/a/b', '/predict/', '/other'])('GET %s: 404', async (path) => {
      const response = await asker(setting())('GET', path);
      expect(response.status).toBe(404);
      expect((await problemOf(response)).detail).toMatch(/\/predict .*\/docs /);
    });

    test("OpenAI's route says it in OpenAI's shape", async () => {
      const ask = asker(setting());
      const body = { prompt, size: '1024x768' };
      const response = await ask('POST', '/v1/images/generations', { body });
      expect(response.status).toBe(400);
      const { error } = openaiErrorSchema.parse(await response.json());
      expect(error).toMatchObject({ type: 'invalid_request_error', param: 'size' });
    });

    test('without a key 401, with a wrong one, too, and health needs none', async ({ skip }) => {
      const { checksKeys, isBehindGateway } = setting();
      if (!checksKeys) skip('the keys are checked before this setting');
      const ask = asker(setting());
      for (const [method, path] of [
        ['POST', '/predict'],
        ['POST', '/warmup'],
        ['GET', `/predictions/${'a'.repeat(32)}`],
        ['DELETE', `/predictions/${'a'.repeat(32)}`],
        ['GET', '/predictions'],
      ] as const) {
        const without = await ask(method, path, { credentials: {} });
        expect(without.status).toBe(401);
        // The gateway would give the header another name.
        if (!isBehindGateway) expect(without.headers.get('www-authenticate')).toBeTruthy();
        for (const credentials of [
          { 'x-api-key': `wrong-${MARKER}` },
          { authorization: `Bearer wrong-${MARKER}` },
          { authorization: `Api-Key wrong-${MARKER}` },
        ])
          expect((await ask(method, path, { credentials })).status).toBe(401);
      }
      expect((await ask('GET', '/health', { credentials: {} })).status).toBe(200);
    });

    test.for<[string, RegExp]>([
      [`Basic wrong-${MARKER}`, /scheme Basic,/],
      [`Token wrong-${MARKER}`, /scheme Token,/],
      [`AWS4-HMAC-SHA256 Credential=${MARKER}`, /scheme AWS4-HMAC-SHA256,/],
      [`wrong-${MARKER}`, /no scheme that is known/],
      ['Bearer', /an API key after its scheme/],
      [`Bearer a ${MARKER}`, /an API key after its scheme/],
    ])(
      'Authorization: %s: 401 that names its scheme and nothing more',
      async ([authorization, said], { skip }) => {
        const { checksKeys, isBehindGateway } = setting();
        if (!checksKeys || isBehindGateway) return skip('a gateway says it before this setting');
        const response = await asker(setting())('POST', '/warmup', { credentials: { authorization } });
        expect(response.status).toBe(401);
        const { detail } = await problemOf(response);
        expect(detail).toMatch(said);
        expect(detail).not.toContain(MARKER);
      },
    );
  });
}
