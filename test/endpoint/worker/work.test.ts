import { describe, expect, test } from 'vitest';
import type { Delivery, DrawQueue } from '../../../functions/endpoint/worker/draw-queue.js';
import { work } from '../../../functions/endpoint/worker/work.js';
import { AppError } from '../../../lib/errors/app-error.js';
import { newPredictionId } from '../../../lib/predictions/records/prediction-id.js';
import { TestServices } from '../../predictions/test-services.js';
import { requestRecord } from '../../support/predictions/prediction-records.js';
import { RecordingTelemetry } from '../../support/predictions/recording-telemetry.js';

/** A queue and a state in virtual time: what is asked of them takes as long as it would. */
class Scene extends TestServices {
  readonly telemetry = Object.assign(new RecordingTelemetry(), { flush: () => undefined });
  /** What happened, in order. */
  readonly said: string[] = [];
  readonly waiting: Delivery[] = [];
  readonly stopping = new AbortController();
  isSaid = true;
  /** Before each look into the queue, which are counted from 0. */
  onLook: (look: number) => void = () => undefined;
  #looks = 0;

  readonly bed = {
    lieDown: async () => {
      this.said.push('stopping');
      return this.isSaid;
    },
    getUp: () => void this.said.push('ready'),
  };

  readonly draw: Pick<DrawQueue, 'receive' | 'done' | 'again' | 'hold'> = {
    receive: async (waitSeconds) => {
      this.said.push(`look ${waitSeconds}`);
      this.onLook(this.#looks++);
      const delivery = this.waiting.shift();
      if (!delivery) this.clock.time += waitSeconds * 1000;
      return delivery;
    },
    done: async ({ id }) => void this.said.push(`done ${id}`),
    again: async ({ id }, seconds) => void this.said.push(`again ${id} ${seconds}`),
    hold: () => () => undefined,
  };

  /** Puts a request into the store and the queue. */
  arrive(name: string, body?: string): string {
    const id = newPredictionId();
    const created_at = new Date(this.clock.now()).toISOString();
    this.store.requests.set(id, requestRecord({ id, created_at }));
    const predict = JSON.stringify({ kind: 'predict', id, failures: 0 });
    const sentAt = this.clock.now();
    this.waiting.push({ id: name, body: body ?? predict, receives: 1, sentAt, receipt: name });
    return id;
  }

  run(idleMs = 13_000): Promise<void> {
    return work({
      queue: this.draw as DrawQueue,
      services: this,
      telemetry: this.telemetry,
      state: this.bed,
      idleMs,
      stopping: this.stopping.signal,
    });
  }
}

describe('falling asleep', () => {
  test('polls to the moment when it is idle, says so, looks once more, and ends', async () => {
    const scene = new Scene();
    await scene.run();
    expect(scene.said).toEqual(['look 5', 'look 5', 'look 3', 'stopping', 'look 2']);
  });

  test('each message begins the time anew', async () => {
    const scene = new Scene();
    scene.arrive('one');
    scene.onLook = (look) => void (look === 2 && scene.arrive('two'));
    await scene.run();
    const rest = ['look 5', 'look 5', 'look 3', 'stopping', 'look 2'];
    expect(scene.said).toEqual(['look 5', 'done one', 'look 5', 'look 5', 'done two', ...rest]);
  });

  test('what comes while it falls asleep is drawn, and it is awake again', async () => {
    const scene = new Scene();
    let id = '';
    scene.onLook = (look) => {
      if (look === 3) id = scene.arrive('late');
    };
    await scene.run();
    expect(scene.said.slice(3, 7)).toEqual(['stopping', 'look 2', 'ready', 'done late']);
    expect(scene.said.slice(-2)).toEqual(['stopping', 'look 2']);
    expect(scene.store.results.get(id)).toMatchObject({ status: 'succeeded' });
  });

  test('while that cannot be said it goes on working', async () => {
    const scene = new Scene();
    scene.isSaid = false;
    scene.onLook = (look) => {
      if (look === 4) scene.arrive('late');
      scene.isSaid = look >= 8;
    };
    await scene.run();
    expect(scene.said.slice(3, 9)).toEqual([
      'stopping',
      'look 5',
      'stopping',
      'look 5',
      'ready',
      'done late',
    ]);
    expect(scene.said.slice(-2)).toEqual(['stopping', 'look 2']);
  });
});

describe('what becomes of a message', () => {
  test('one that is not ours comes again at once, on its way to the dead letters', async () => {
    const scene = new Scene();
    scene.arrive('strange', '{"kind": "sculpture"}');
    await scene.run();
    expect(scene.said).toContain('again strange 0');
    expect(scene.invocations).toBe(0);
  });

  test('in trouble with the store it is kept, and worked on again and again', async () => {
    const scene = new Scene();
    const id = scene.arrive('one');
    let refusals = 50;
    const createResult = scene.store.createResult.bind(scene.store);
    scene.store.createResult = async (...args) => {
      if (refusals-- > 0) throw new AppError('UNAVAILABLE', 'the store does not answer');
      return createResult(...args);
    };
    const before = scene.clock.now();
    await scene.run();
    expect(scene.said.slice(0, 2)).toEqual(['look 5', 'done one']);
    expect(scene.store.results.get(id)).toMatchObject({ status: 'succeeded' });
    // 50 pauses of up to 30 s, at least half of each.
    expect(scene.clock.now() - before).toBeGreaterThan(45 * 15_000);
  });

  test('in such trouble, told to stop, it gives the message back at once', async () => {
    const scene = new Scene();
    scene.arrive('one');
    scene.store.readRequest = async () => {
      scene.stopping.abort();
      throw new AppError('UNAVAILABLE', 'the store does not answer');
    };
    await scene.run();
    expect(scene.said).toEqual(['look 5', 'again one 0']);
  });

  test('a defect of ours counts as one of its receives', async () => {
    const scene = new Scene();
    scene.arrive('one');
    scene.store.readRequest = async () => {
      throw new TypeError('undefined is no function');
    };
    await scene.run();
    expect(scene.said).toContain('again one 30');
  });

  test('what cannot be deleted is no reason to end, and no reason to wait for ever', async () => {
    const scene = new Scene();
    scene.arrive('one');
    scene.draw.done = async () => {
      throw new AppError('UNAVAILABLE', 'cannot delete a message');
    };
    await scene.run();
    expect(scene.said.at(-1)).toBe('look 2');
  });
});

describe('a queue that does not answer', () => {
  test('for a while: it is asked again, with pauses that grow', async () => {
    const scene = new Scene();
    const looks: number[] = [];
    scene.onLook = (look) => {
      looks.push(scene.clock.now());
      if (look < 8) throw new AppError('UNAVAILABLE', 'the queue does not answer');
      if (look === 8) scene.arrive('one');
    };
    await scene.run();
    expect(scene.said).toContain('done one');
    const pauses = looks.slice(1, 9).map((time, i) => time - (looks[i] as number));
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30].map((seconds) => seconds * 750));
  });

  test('for ten minutes: it fails', async () => {
    const scene = new Scene();
    scene.onLook = () => {
      throw new AppError('UNAVAILABLE', 'the queue does not answer');
    };
    await expect(scene.run()).rejects.toThrow('the queue does not answer');
  });
});
