import { setTimeout as wait } from 'node:timers/promises';
import { generateAnswerSchema } from '../../lib/schemas/answer.js';
import type { DeployedStack } from './deployed-stack.js';

/** From one request of a caller to his next. Milliseconds; the usage plan takes ten a second. */
const PAUSE = 300;

export interface Outcome {
  /** Requests that were answered with a picture at once, and those that got theirs later. */
  readonly drawn: number;
  readonly later: number;
  /** What became of the others. */
  readonly lost: readonly string[];
}

/** Callers who ask without a pause for as long as something else goes on: one who waits, one who does not. */
export async function whileAsked(stack: DeployedStack, work: () => Promise<unknown>): Promise<Outcome> {
  const outcome = { drawn: 0, later: 0, lost: [] as string[] };
  let over = false;
  const ask = async (headers: Record<string, string>) => {
    while (!over) {
      await askOnce(stack, headers, outcome).catch((error) => outcome.lost.push(String(error)));
      await wait(PAUSE);
    }
  };
  const callers = [ask({}), ask({ prefer: 'respond-async' })];
  try {
    await work();
  } finally {
    over = true;
    await Promise.all(callers);
  }
  return outcome;
}

async function askOnce(
  stack: DeployedStack,
  headers: Record<string, string>,
  outcome: { drawn: number; later: number },
): Promise<void> {
  const response = await stack.predict({ prompt: 'a house' }, headers);
  if (response.status === 200) {
    generateAnswerSchema.parse(await response.json());
    outcome.drawn += 1;
    return;
  }
  const text = await response.text();
  if (response.status !== 202) throw new Error(`${response.status} ${text}`);
  const prediction = await stack.ended(JSON.parse(text).id);
  if (prediction.status !== 'succeeded') throw new Error(JSON.stringify(prediction));
  outcome.later += 1;
}
