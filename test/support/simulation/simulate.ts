import { readPrediction } from '../../../lib/predictions/read-prediction.js';
import { ApiServer, CALLER } from './api-server.js';
import { beClient, type ClientProps, makeCase } from './clients.js';
import { type Case, Judge, type Verdict } from './judge.js';
import { Process } from './process.js';
import { work } from './workers.js';
import { type Scenario, World } from './world.js';

/** How long everything may take to come to rest after the last client has gone. Milliseconds. */
const REST_MS = 12 * 3_600_000;
const JUNK = ['', '{', '[]', '{"kind":"predict","id":"../secret"}', '{"kind":"other","id":1}', 'null'];

export interface Report {
  readonly requests: number;
  readonly accepted: number;
  /** That ended so, with a reason. */
  readonly failed: number;
  readonly sleeps: number;
  readonly wakes: number;
  readonly draws: number;
  readonly deaths: number;
  /** Calls of adapters that went wrong, and invocations that did. */
  readonly faults: number;
  readonly coldAnswers: number;
  readonly givenUp: number;
  readonly violations: readonly { readonly verdict: Verdict; readonly what: string }[];
}

/** Runs a scenario to its end; the seed determines everything in it. */
export async function simulate(scenario: Scenario, seed: number): Promise<Report> {
  const world = new World(scenario, seed);
  return world.time.run(live(world));
}

async function live(world: World): Promise<Report> {
  const { scenario, time, random, queue, deadLetters, endpoint, deaths, trouble } = world;
  const { clients = 10, workers = 3, spreadMs = 120_000 } = scenario;
  const judge = new Judge(world);
  const props: ClientProps = { world, judge, apis: [new ApiServer(world), new ApiServer(world)] };
  for (let i = 0; i < workers; i++) void work('worker', world);
  void work('undertaker', world);
  const cases = Array.from({ length: clients }, (_, index) => makeCase(index, world));
  await Promise.all(
    cases.map(async (client) => {
      await time.sleep(random.between(0, spreadMs));
      if (random.chance(scenario.junk ?? 0)) queue.send(random.pick(JUNK));
      await beClient(client, props);
    }),
  );
  const end = time.now() + REST_MS;
  while (queue.size + deadLetters.size > 0 && time.now() < end) await time.sleep(60_000);
  if (queue.size + deadLetters.size > 0)
    judge.report('stuck', `${queue.size} and ${deadLetters.size} messages`);
  await check(cases, judge, world);
  return {
    requests: clients,
    accepted: cases.filter(({ accepted }) => accepted).length,
    failed: cases.filter(({ end }) => end?.startsWith('failed')).length,
    sleeps: endpoint.sleeps,
    wakes: endpoint.wakeCalls,
    draws: endpoint.draws,
    deaths: deaths.api + deaths.worker + deaths.undertaker,
    faults: endpoint.mishaps + Object.values(trouble.counts).reduce((sum, count) => sum + count),
    coldAnswers: endpoint.coldAnswers,
    givenUp: world.givenUp,
    violations: judge.violations,
  };
}

/** Looks at every accepted request once more, through a process that nothing happens to. */
async function check(cases: readonly Case[], judge: Judge, { store, time }: World): Promise<void> {
  const healthy = new World({ endpoint: { wakeMs: 0 } }, 0);
  const services = healthy.servicesOf(new Process(healthy.time, healthy.random));
  for (const client of cases) {
    if (client.id === undefined) continue;
    const clock = { ...services.clock, now: time.now };
    const props = { id: client.id, caller: CALLER, waitMs: 0 };
    try {
      judge.final(client, await readPrediction(props, { ...services, clock, store }));
    } catch (error) {
      judge.report('lost', String(error));
    }
  }
  judge.wakes();
}
