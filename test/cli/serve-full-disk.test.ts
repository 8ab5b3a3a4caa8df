import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { problemSchema } from '../../lib/schemas/problem.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { until } from '../support/until.js';
import { SmallDisk } from '../support/weights/small-disk.js';

/** The pictures of these tests, and not many more. */
const DISK_MB = 8;
/** Six draws, and the longest pause before a store that failed is tried again. */
const LIMIT_MS = 240_000;

const disk = SmallDisk.mount(DISK_MB);
if (!disk) console.warn('full disk: skipped, this process may not mount a disk of its own');
afterAll(() => disk?.unmount());

const running: HomeProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((home) => home.kill()));
});
beforeEach(() => disk?.free());

function start(): Promise<HomeProcess> {
  const { path } = disk as SmallDisk;
  const home = new HomeProcess(['--data', join(path, 'data')], path);
  running.push(home);
  return home.started();
}

const later = { prefer: 'respond-async' };

/** Accepts predictions, and leaves no room for their pictures. */
async function acceptAndFill(home: HomeProcess): Promise<string[]> {
  const ids: string[] = [];
  for (const seed of [1, 2, 3]) {
    const body = { prompt: 'a very private tree', seed, num_steps: 4, webhook: 'https://127.0.0.1/told' };
    const response = await home.predict(body, later);
    expect(response.status).toBe(202);
    ids.push(((await response.json()) as { id: string }).id);
  }
  disk?.fill();
  return ids;
}

const read = async (home: HomeProcess, id: string) => {
  const response = await home.fetch(`/predictions/${id}`);
  expect(response.status).toBe(200);
  return (await response.json()) as { status: string; seed?: number; webhook?: { status: string } };
};

/** Every prediction has its picture, and every webhook its record. */
async function allEnd(home: HomeProcess, ids: readonly string[]): Promise<void> {
  for (const [index, id] of ids.entries()) {
    await until(`prediction ${index + 1} has ended`, async () => {
      const { webhook } = await read(home, id);
      return webhook?.status !== 'pending';
    });
    // Its webhook was not for the world.
    expect(await read(home, id)).toMatchObject({
      status: 'succeeded',
      seed: index + 1,
      webhook: { status: 'failed', attempts: 1 },
    });
  }
}

function partials(): string[] {
  const folder = join((disk as SmallDisk).path, 'data');
  return readdirSync(folder, { recursive: true }).filter((name) =>
    String(name).endsWith('.partial'),
  ) as string[];
}

const timesTold = ({ stderr }: HomeProcess) => stderr.match(/^\S+Z warn: .*the disk is full/gm)?.length ?? 0;

test.skipIf(!disk)(
  'nothing that was accepted is lost, nothing is accepted that is not on the disk; it goes on when there is room',
  async () => {
    const home = await start();
    const ids = await acceptAndFill(home);
    await until('a picture has no room', () => timesTold(home) > 0);
    const folders = readdirSync(join((disk as SmallDisk).path, 'data/predictions'));
    for (const headers of [later, { 'idempotency-key': 'one' }]) {
      const refused = await home.predict({ prompt: 'a boat' }, headers);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(problemSchema.parse(await refused.json()).detail).toMatch(/the disk is full/);
    }
    // What needs no store is drawn.
    expect((await home.predict({ prompt: 'a boat' })).status).toBe(200);
    const states = await Promise.all(ids.map((id) => read(home, id)));
    expect(states.map(({ status }) => status)).toContain('queued');
    expect(readdirSync(join((disk as SmallDisk).path, 'data/predictions'))).toEqual(folders);
    expect(partials()).toEqual([]);
    disk?.free();
    await allEnd(home, ids);
    expect(timesTold(home)).toBeLessThanOrEqual(2);
    expect(home.stderr).not.toContain('private');
  },
  LIMIT_MS,
);

test.skipIf(!disk)(
  'a kill -9 on a full disk, and a start on it, lose nothing either',
  async () => {
    const home = await start();
    const ids = await acceptAndFill(home);
    home.signal('SIGKILL');
    await home.exited();
    const again = await start();
    const states = await Promise.all(ids.map((id) => read(again, id)));
    expect(states.map(({ status }) => status)).toContain('queued');
    await until('a picture has no room', () => timesTold(again) > 0);
    disk?.free();
    await allEnd(again, ids);
    expect(partials()).toEqual([]);
  },
  LIMIT_MS,
);
