import { describe, expect, test } from 'vitest';
import { Waker } from '../../lib/predictions/wake/waker.js';
import type { Verdict } from '../support/simulation/judge.js';
import type { Process } from '../support/simulation/process.js';
import { simulate } from '../support/simulation/simulate.js';
import type { PushedServices, Scenario, World } from '../support/simulation/world.js';

const SEEDS = 15;

interface Sabotage {
  readonly name: string;
  readonly scenario: Scenario;
  readonly broken: (services: PushedServices, world: World, process: Process) => Partial<PushedServices>;
  readonly verdict: Verdict;
}

const BAD_DAY: Scenario = {
  endpoint: {
    wakeMs: 60_000,
    startsReady: true,
    mishaps: { model: 0.2, unknown: 0.2 },
    mostFailures: 100,
  },
  duplicates: 0.5,
  copies: 0.8,
};
const MORNING: Scenario = { endpoint: { wakeMs: 60_000 } };
const RUSH: Scenario = { endpoint: { wakeMs: 60_000 }, spreadMs: 0 };

/** Safeties, each taken away by a broken adapter. */
const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'the message goes before the request is stored',
    scenario: MORNING,
    broken: ({ store }, { time }) => ({
      store: {
        ...store,
        createRequest: async (record) => {
          time.at(time.now() + 3_000, () => void store.createRequest(record));
          return true;
        },
      },
    }),
    verdict: 'lost',
  },
  {
    name: '202 is said before the message is sent, and the process dies',
    scenario: { ...MORNING, deaths: { api: { chance: 1, most: 5 } } },
    broken: ({ queue }, { time }, process) => ({
      queue: {
        send: async (message, delay) => {
          time.at(time.now() + 1_000, () => void (process.alive && queue.send(message, delay)));
        },
      },
    }),
    verdict: 'lost',
  },
  {
    name: 'a read that was refused counts as nothing there',
    scenario: { ...MORNING, trouble: { read: { refused: 0.2 } } },
    broken: ({ store }) => ({
      store: { ...store, readRequest: (id) => store.readRequest(id).catch(() => undefined) },
    }),
    verdict: 'lost',
  },
  {
    name: 'a message is forgotten now and then',
    scenario: MORNING,
    broken: ({ queue }, { random }) => ({
      queue: {
        send: async (message, delay) => (random.chance(0.1) ? undefined : queue.send(message, delay)),
      },
    }),
    verdict: 'lost',
  },
  {
    name: 'a webhook is never told',
    scenario: MORNING,
    broken: ({ queue }) => ({
      queue: {
        send: async (message, delay) => (message.kind === 'webhook' ? undefined : queue.send(message, delay)),
      },
    }),
    verdict: 'untold',
  },
  {
    name: 'a later result replaces the first',
    // A draw that nobody waits for any more, and that ends otherwise than the next.
    scenario: {
      ...BAD_DAY,
      endpoint: { ...BAD_DAY.endpoint, mishaps: { model: 0.2, unknown: 0.2, timeout: 0.3 } },
    },
    broken: ({ store }, world) => ({
      store: {
        ...store,
        createResult: async (id, record) => {
          world.store.results.delete(id);
          return store.createResult(id, record);
        },
      },
    }),
    verdict: 'double',
  },
  {
    name: 'a result counts as stored though it was refused',
    scenario: { ...BAD_DAY, trouble: { write: { refused: 0.2 } } },
    broken: ({ store }) => ({
      store: { ...store, createResult: (id, record) => store.createResult(id, record).catch(() => true) },
    }),
    verdict: 'double',
  },
  {
    name: 'a later request replaces the first with the same key',
    scenario: MORNING,
    broken: ({ store }, world) => ({
      store: {
        ...store,
        createRequest: async (record) => {
          world.store.requests.delete(record.id);
          return store.createRequest(record);
        },
      },
    }),
    verdict: 'wrong',
  },
  {
    name: 'the seed is chosen by whoever draws',
    scenario: BAD_DAY,
    broken: ({ endpoint }, { random }) => ({
      endpoint: {
        ...endpoint,
        invoke: (request, context) =>
          endpoint.invoke({ ...request, seed: random.integer(0, 2 ** 31) }, context),
      },
    }),
    verdict: 'wrong',
  },
  {
    name: 'answers are mixed up',
    scenario: RUSH,
    broken: ({ store }, world) => ({
      store: {
        ...store,
        readResult: async (id) => {
          const result = await store.readResult(id);
          return result && world.random.chance(0.1)
            ? world.random.pick([...world.store.results.values()])
            : result;
        },
      },
    }),
    verdict: 'wrong',
  },
  {
    name: 'whoever writes the wake log last wins',
    scenario: RUSH,
    broken: ({ endpoint }, { log, time }, process) => ({
      waker: new Waker({
        endpoint,
        log: {
          read: () => process.step(() => log.read()),
          replace: (record) => process.step(() => log.replace(record, log.entry?.version)),
        },
        now: time.now,
      }),
    }),
    verdict: 'woken too often',
  },
];

/** Runs seeds until one shows the verdict, all of them without one. */
async function verdictsOf(scenario: Scenario, until?: Verdict): Promise<Set<Verdict>> {
  const verdicts = new Set<Verdict>();
  for (let seed = 0; seed < SEEDS && !(until && verdicts.has(until)); seed++) {
    for (const { verdict } of (await simulate(scenario, seed)).violations) verdicts.add(verdict);
  }
  return verdicts;
}

describe('the simulation sees a safety that is missing', () => {
  test.each(SABOTAGES)('$name', async ({ scenario, broken, verdict }) => {
    const sabotage: Scenario['sabotage'] = (services, world, process) => ({
      ...services,
      ...broken(services, world, process),
    });
    expect(await verdictsOf({ ...scenario, sabotage }, verdict)).toContain(verdict);
    expect(await verdictsOf(scenario)).toEqual(new Set());
  });
});
