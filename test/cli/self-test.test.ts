import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { manifestSchema } from '../../lib/schemas/manifest.js';
import { startHuggingFaceServer } from '../support/hugging-face-server.js';
import { sdTurbo } from '../support/processes/run-command.js';
import { ROOT } from '../support/reference.js';
import { motoClientConfig, motoIsAbsent, startMotoServer } from '../support/servers/moto-server.js';
import { makeBucket, readObjects, S3Client } from '../support/weights/s3-objects.js';

const FAMILY = join(ROOT, 'test/fixtures/family/sharded');
const FROM = ['import', '--from', join(FAMILY, 'checkpoint'), '--taesd', join(FAMILY, 'checkpoint-taesd')];

const scratch = mkdtempSync(join(tmpdir(), 'cli-self-test-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const manifestOf = (bundle: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(scratch, bundle, 'manifest.json'), 'utf8')));

test('an import records the picture of the self-test, drawn in float32, whatever it makes', async () => {
  const plain = await sdTurbo([...FROM, '--to', 'plain'], scratch);
  expect([plain.code, plain.stdout]).toEqual([0, 'plain\n']);
  expect(plain.stderr).toContain('drawing the picture of the self-test');
  const { self_test: recorded } = manifestOf('plain');
  expect(Object.keys(recorded ?? {})).toEqual(['vae', 'taesd']);

  expect((await sdTurbo([...FROM, '--to', 'cuda', '--dialect', 'cuda'], scratch)).code).toBe(0);
  expect(manifestOf('cuda')).toMatchObject({ dialect: 'cuda', version: 2, self_test: recorded });

  expect((await sdTurbo(['import', '--from', 'cuda', '--to', 'copy'], scratch)).code).toBe(0);
  expect(manifestOf('copy').self_test).toEqual(recorded);
});

test('an import from the hub reads it once more for the picture; a copy of a bundle for GPUs says what to do', async () => {
  const hub = await startHuggingFaceServer({ repo: 'someone/family', folder: join(FAMILY, 'checkpoint') });
  try {
    const variables = { HF_ENDPOINT: hub.endpoint };
    const cuda = ['--to', 'hub', '--dialect', 'cuda'];
    const { code, stderr } = await sdTurbo(
      ['import', '--from', 'hf:someone/family', ...cuda],
      scratch,
      variables,
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('reading it again for the self-test')]);
    const { dialect, self_test } = manifestOf('hub');
    expect([dialect, self_test?.vae]).toEqual(['cuda', manifestOf('plain').self_test?.vae]);
    const skipped = await sdTurbo(
      ['import', '--from', 'hf:someone/family', '--to', 'none', '--dialect', 'cuda', '--no-self-test'],
      scratch,
      variables,
    );
    expect([skipped.code, skipped.stderr]).toEqual([0, expect.not.stringContaining('self-test')]);
    const copied = await sdTurbo(['import', '--from', 'none', '--to', 'none-copied'], scratch);
    expect(copied.code).toBe(0);
    expect(copied.stderr).toMatch(
      /no picture .* is recorded: only its checkpoint can be drawn.*first start of the endpoint/,
    );
    expect(manifestOf('none-copied')).not.toHaveProperty('self_test');
  } finally {
    await hub.stop();
  }
});

test.skipIf(motoIsAbsent())(
  'an import to S3 has the picture in the manifest, which is there last',
  async () => {
    const moto = await startMotoServer();
    try {
      const client = new S3Client({ ...motoClientConfig(moto.url), forcePathStyle: true });
      await makeBucket(client, 'models');
      const variables = {
        AWS_ENDPOINT_URL_S3: moto.url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
      };
      const { code, stderr } = await sdTurbo(
        [...FROM, '--to', 's3://models/a', '--dialect', 'cuda'],
        scratch,
        variables,
      );
      expect([code, stderr]).toEqual([0, expect.stringContaining('drawing the picture of the self-test')]);
      const manifest = manifestSchema.parse(
        JSON.parse(String((await readObjects(client, 'models', 'a')).get('manifest.json'))),
      );
      expect(manifest.self_test).toEqual(manifestOf('plain').self_test);
      client.destroy();
    } finally {
      await moto.stop();
    }
  },
);

test('an import that should not draws nothing', async () => {
  const { code, stderr } = await sdTurbo([...FROM, '--to', 'undrawn', '--no-self-test'], scratch);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('drawing')]);
  expect(manifestOf('undrawn')).not.toHaveProperty('self_test');
});

test('a bundle with other weights than its picture was drawn with is no model to serve', async () => {
  // The manifest of one, the networks of another: a first picture that is another one.
  expect((await sdTurbo([...FROM, '--to', 'mixed'], scratch)).code).toBe(0);
  const other = ['import', '--from', join(ROOT, 'test/fixtures/family/unusual/checkpoint'), '--to', 'other'];
  expect((await sdTurbo(other, scratch)).code).toBe(0);
  expect(existsSync(join(scratch, 'other/manifest.json'))).toBe(true);
  cpSync(join(scratch, 'mixed/manifest.json'), join(scratch, 'other/manifest.json'));
  const { code, stderr } = await sdTurbo(['bench', '--model', 'other', '--runs', '1'], scratch);
  expect([code, stderr]).toEqual([1, expect.stringContaining('the self-test with the decoder vae failed')]);
});
