import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoBundle } from '../../package/demo-bundle.js';
import { firstWords, MODEL_CARD, modelCardSchema } from '../../schemas/model-card.js';

/** For `--help`, which waits for nothing: all that the demo model can draw, a line for each group. */
export function demoWords(): string {
  const { name, vocabulary } = modelCardSchema.parse(
    JSON.parse(readFileSync(join(demoBundle(), MODEL_CARD), 'utf8')),
  );
  const lines = Object.entries(firstWords(vocabulary)).map(
    ([group, words]) => `  ${group}: ${words.join(', ')}`,
  );
  return `\nWithout --model ${name} draws, and knows nothing else than:\n${lines.join('\n')}`;
}
