import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstWords, MODEL_CARD, modelCardSchema } from '../../lib/schemas/model-card.js';
import { ROOT } from './reference.js';

/** What the demo model says of itself. */
export const DEMO_CARD = modelCardSchema.parse(
  JSON.parse(readFileSync(join(ROOT, 'lib/demo-model/bundle', MODEL_CARD), 'utf8')),
);

/** The same as `/ping` and `/health` tell it. */
export const ABOUT_DEMO = {
  model: DEMO_CARD.name,
  draws: firstWords(DEMO_CARD.vocabulary),
  decoders: ['vae' as const],
  encoder: true,
  size: { width: 512, height: 512 },
};
