import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { decodeImage } from '../../lib/image/decode-image.js';
import { REQUEST_LIMITS } from '../../lib/image/picture-limits.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import { largestDifference } from '../support/graphs/largest-difference.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { hasReference, REFERENCE, ROOT } from '../support/reference.js';

/** See make_pictures.py there. */
const FIXTURES = join(ROOT, 'test/fixtures/image-to-image');

interface Case {
  readonly checkpoint: string;
  readonly prompt: string;
  readonly init: string;
  readonly files: readonly string[];
  readonly steps: number;
  readonly strength: number;
  readonly seed: number;
}

const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as { cases: Case[] };

const scratch = mkdtempSync(join(tmpdir(), 'image-to-image-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const checkpoints = new Map([
  ['demo', join(ROOT, 'lib/demo-model/model')],
  ...(hasReference
    ? ['tiny-turbo', 'tiny-v1'].map((name) => [name, join(REFERENCE, 'checkpoints', name)] as const)
    : []),
]);
if (!hasReference) console.log(`image to image: ${REFERENCE} is absent, only the demo model is compared`);

describe.each([...checkpoints])('%s begins with a picture as diffusers does', (name, from) => {
  const host = startSessionHost();
  const loaded = (async () => {
    const to = join(scratch, name);
    await importCheckpoint({ from, to, encoder: true });
    return loadTextToImage(await openBundle(to), host, { provider: 'cpu' });
  })();
  afterAll(() => host.close());

  test.each(cases.filter(({ checkpoint }) => checkpoint === name))(
    '$steps step(s), strength $strength, $files',
    async ({ prompt, init, files, steps, strength, seed }) => {
      const pipeline = await loaded;
      const { width = 0, height = 0 } = pipeline.initSize ?? {};
      const bytes = readFileSync(join(FIXTURES, init));
      const picture = await decodeImage({ bytes, width, height, limits: REQUEST_LIMITS });
      const drawn = await pipeline.run({
        prompt,
        steps,
        seed,
        images: files.length,
        decoder: 'vae',
        init: { picture, strength },
      });
      expect(drawn.images).toHaveLength(files.length);
      for (const [index, image] of drawn.images.entries()) {
        const file = join(FIXTURES, files[index] as string);
        expect(await largestDifference(image, file)).toBeLessThanOrEqual(1);
      }
      expect(drawn.milliseconds.encoder).toBeGreaterThan(0);
    },
  );

  test('a strength that leaves no step is refused', async () => {
    const pipeline = await loaded;
    const { width = 0, height = 0 } = pipeline.initSize ?? {};
    const picture = { data: new Uint8Array(3 * width * height), width, height };
    for (const strength of [0, 0.49, 1.01]) {
      const request = {
        prompt: 'x',
        steps: 2,
        seed: 0,
        images: 1,
        decoder: 'vae',
        init: { picture, strength },
      } as const;
      await expect(pipeline.run(request)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });
});
