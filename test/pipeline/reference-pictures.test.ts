import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../lib/export/import-checkpoint.js';
import { openBundle } from '../../lib/pipeline/bundle.js';
import { loadTextToImage } from '../../lib/pipeline/load-text-to-image.js';
import { largestDifference } from '../support/graphs/largest-difference.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { hasReference, REFERENCE, ROOT, readCases } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'pictures-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A second PyTorch path differs from the first by as much: see the reference's README. */
const TOLERANCE = 1;

interface Subject {
  readonly name: string;
  readonly expected: string;
  readonly bundle: () => Promise<string>;
}

async function imported(name: string, taesd?: string): Promise<string> {
  const to = join(scratch, name);
  const from = join(REFERENCE, 'checkpoints', name);
  await importCheckpoint({ from, to, ...(taesd ? { taesd: join(REFERENCE, 'checkpoints', taesd) } : {}) });
  return to;
}

const referenceSubjects: Subject[] = [
  {
    name: 'tiny-turbo, imported',
    expected: join(REFERENCE, 'expected/tiny-turbo'),
    bundle: () => imported('tiny-turbo', 'tiny-turbo-taesd'),
  },
  {
    name: 'tiny-v1, imported',
    expected: join(REFERENCE, 'expected/tiny-v1'),
    bundle: () => imported('tiny-v1'),
  },
  {
    name: 'tiny-v1, exported by optimum',
    expected: join(REFERENCE, 'expected/tiny-v1'),
    bundle: async () => join(REFERENCE, 'optimum/tiny-v1'),
  },
];

const demo: Subject = {
  name: 'the demo model',
  expected: join(ROOT, 'test/fixtures/demo'),
  bundle: async () => join(ROOT, 'lib/demo-model/bundle'),
};

describe.each([demo, ...(hasReference ? referenceSubjects : [])])(
  '$name draws as diffusers does',
  (subject) => {
    const host = startSessionHost();
    const loaded = subject.bundle().then(async (folder) => {
      return loadTextToImage(await openBundle(folder), host, { provider: 'cpu' });
    });
    afterAll(() => host.close());

    test.each(readCases(subject.expected))(
      '$decoder, $num_steps step(s), seed $seed, $files',
      async (expected) => {
        const pipeline = await loaded;
        const { images } = await pipeline.run({
          prompt: expected.prompt,
          steps: expected.num_steps,
          seed: expected.seed,
          images: expected.num_images ?? 1,
          decoder: expected.decoder,
        });
        expect(images).toHaveLength(expected.files.length);
        for (const [index, image] of images.entries()) {
          const file = join(subject.expected, expected.files[index] as string);
          expect(await largestDifference(image, file)).toBeLessThanOrEqual(TOLERANCE);
        }
      },
    );
  },
);
