import type { PredictRequest } from '../../../lib/schemas/request.js';
import type { ApiServer, Post, Reply } from './api-server.js';
import { POISON } from './endpoint.js';
import type { Case, Judge } from './judge.js';
import type { World } from './world.js';

const MOST_ATTEMPTS = 40;
/** A client that does not give up before the service has. Milliseconds. */
const PATIENCE_MS = 24 * 3_600_000;

export interface ClientProps {
  readonly world: World;
  readonly judge: Judge;
  readonly apis: readonly ApiServer[];
}

/** A request as clients of all sorts make them. */
export function makeCase(index: number, world: World): Case {
  const { random, scenario } = world;
  const kind = random.chance(scenario.poison ?? 0) ? POISON : 'prompt';
  const request: PredictRequest = {
    prompt: `${kind} ${index}`,
    num_steps: random.integer(1, 4),
    num_images: 1,
    output_format: 'png',
    decoder: 'vae',
    ...(random.chance(0.5) ? { seed: random.integer(0, 2 ** 31) } : {}),
    ...(random.chance(0.2) ? { webhook: 'https://example.com/' } : {}),
  };
  const key = random.chance(0.5) ? `key ${index}` : undefined;
  return { request, key, waitMs: random.pick([0, 2_000, 20_000, 25_000]), accepted: false };
}

/** Sends a request until it has an answer, and follows it to its end; several times at once where it has a key. */
export async function beClient(client: Case, props: ClientProps): Promise<void> {
  const { random, scenario, time } = props.world;
  const copies = client.key !== undefined && random.chance(scenario.copies ?? 0.2) ? random.integer(2, 4) : 1;
  await Promise.all(Array.from({ length: copies }, () => follow(client, props)));
  if (client.key === undefined) return;
  // The key again, long after: the same answer; and with another body.
  await time.sleep(random.between(0, 60_000));
  await follow(client, props);
  const other = { ...client.request, prompt: `other ${client.request.prompt}` };
  const reply = await insist({ request: other, key: client.key, waitMs: client.waitMs }, props);
  if (reply.kind !== 'conflict') props.judge.report('wrong', `another body with a known key: ${reply.kind}`);
}

async function follow(client: Case, props: ClientProps): Promise<void> {
  const { judge, world } = props;
  for (let attempt = 0; ; attempt++) {
    const reply = await insist(client, props);
    if (reply.kind === 'answer') return judge.answered(client, reply.answer);
    if (reply.kind === 'accepted') return poll(client, reply.id, props);
    if (reply.kind === 'failed') {
      // Without a key nothing was accepted: this was an answer to one attempt.
      if (client.key !== undefined || attempt >= MOST_ATTEMPTS) return judge.failure(client, reply.reason);
      if (client.request.prompt.startsWith(POISON)) return;
      await world.time.sleep(world.random.between(100, 5_000));
      continue;
    }
    return judge.report('defect', `POST: ${reply.kind} ${'error' in reply ? String(reply.error) : ''}`);
  }
}

/** Asks again while there is no answer. */
async function insist(post: Post, { world, judge, apis }: ClientProps): Promise<Reply> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const begun = world.time.now();
    const reply = await world.random.pick(apis).post(post);
    const took = world.time.now() - begun;
    if (took > post.waitMs + 3_000)
      judge.report('defect', `POST took ${took} ms with wait=${post.waitMs} ms`);
    if (reply.kind !== 'unavailable') return reply;
    await world.time.sleep(world.random.between(100, 5_000));
  }
  return { kind: 'unavailable' };
}

async function poll(client: Case, id: string, { world, judge, apis }: ClientProps): Promise<void> {
  const { random, time } = world;
  if (client.id !== undefined && client.id !== id) judge.report('double', 'two predictions for one key');
  client.id = id;
  client.accepted = true;
  const end = time.now() + PATIENCE_MS / 2;
  for (let pause = 500; time.now() < end; pause = Math.min(120_000, pause * 2)) {
    const reply = await random.pick(apis).get(id, random.chance(0.1) ? 10_000 : 0);
    if (reply.kind === 'missing') return judge.report('lost', `${client.request.prompt} is not there`);
    if (reply.kind === 'defect') return judge.report('defect', `GET: ${String(reply.error)}`);
    if (reply.kind === 'seen' && reply.prediction.status !== 'queued') {
      return judge.see(client, reply.prediction);
    }
    await time.sleep(random.between(pause / 2, pause));
  }
}
