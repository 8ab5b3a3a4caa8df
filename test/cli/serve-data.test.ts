import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { newPredictionId } from '../../lib/predictions/records/prediction-id.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { requestRecord, resultRecord } from '../support/predictions/prediction-records.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { sdTurbo } from '../support/processes/run-command.js';
import { until } from '../support/until.js';

const scratch = mkdtempSync(join(tmpdir(), 'serve-data-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const running: HomeProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((home) => home.kill()));
});

function start(data: string): Promise<HomeProcess> {
  const home = new HomeProcess(['--data', data], scratch);
  running.push(home);
  return home.started();
}

/** Two starts, and two that are refused. */
const LIMIT_MS = 120_000;

test(
  'a second service on the same folder is refused before it starts anything; a kill -9 leaves no lock',
  async () => {
    const data = join(scratch, 'one');
    const home = await start(data);
    const link = join(scratch, 'the-same');
    symlinkSync(data, link);
    for (const name of [data, link]) {
      const { code, stdout, stderr } = await sdTurbo(['serve', '--port', '0', '--data', name], scratch);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`sd-turbo: --data ${name} is used by another service (${home.url}, `);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
    expect((await home.predict({ prompt: 'a tree' })).status).toBe(200);
    home.signal('SIGKILL');
    await home.exited();
    const again = await start(data);
    again.signal('SIGINT');
    expect(await again.exited()).toBe(0);
    expect(existsSync(join(data, 'service.json'))).toBe(false);
  },
  LIMIT_MS,
);

const SECRET = 'a very private tree';
const now = new Date().toISOString();
const request = requestRecord({ created_at: now, caller: 'home' });
const asked = JSON.stringify({ ...request, request: { ...request.request, prompt: SECRET } });
const drawn = JSON.stringify({ ...resultRecord(), completed_at: now });

/** What stands in the place of a record. */
type Damage = (file: string, good: string) => void;
const DAMAGES: Record<string, Damage> = {
  empty: (file) => writeFileSync(file, ''),
  truncated: (file, good) => writeFileSync(file, good.slice(0, -20)),
  'of another kind': (file) => writeFileSync(file, JSON.stringify({ note: SECRET })),
  'of a later version': (file, good) =>
    writeFileSync(file, JSON.stringify({ ...JSON.parse(good), [SECRET]: 2 })),
  'no UTF-8': (file, good) => writeFileSync(file, good.replace(/"(prompt|model)":"/, '"$1":"\xe9'), 'latin1'),
  'a folder': (file) => mkdirSync(file),
  'a pipe': (file) => void spawnSync('mkfifo', [file]),
  'a link to itself': (file) => symlinkSync(file, file),
  'of another prediction': (file, good) =>
    writeFileSync(file, good.replace(/"id":"\w+"/, `"id":"${'a'.repeat(32)}"`)),
  'null bytes': (file) => writeFileSync(file, Buffer.alloc(4_096)),
};

test('what cannot be read costs its own prediction, and is told by its id; others go on', async () => {
  const data = join(scratch, 'damaged');
  const predictions = join(data, 'predictions');
  const fileOf = (id: string, name: string) => join(predictions, id, `${name}.json`);
  const good = (id: string) => asked.replace(request.id, id);
  /** A prediction of which one record is damaged. */
  const damaged = (damage: Damage, name: 'request' | 'result', also: 'result' | 'nothing'): string => {
    const id = newPredictionId();
    mkdirSync(join(predictions, id), { recursive: true });
    if (name === 'result') writeFileSync(fileOf(id, 'request'), good(id));
    if (also === 'result') writeFileSync(fileOf(id, 'result'), drawn);
    damage(fileOf(id, name), name === 'request' ? good(id) : drawn);
    return id;
  };
  const kinds = Object.values(DAMAGES);
  const unfinished = kinds.map((damage) => damaged(damage, 'request', 'nothing'));
  const finished = kinds.map((damage) => damaged(damage, 'request', 'result'));
  const drawnBadly = kinds
    .filter((damage) => damage !== DAMAGES['of another prediction'])
    .map((damage) => damaged(damage, 'result', 'nothing'));
  const whole = newPredictionId();
  mkdirSync(join(predictions, whole));
  writeFileSync(fileOf(whole, 'request'), good(whole));
  // Half of a write of a service that was killed, and what is nobody's.
  const partial = `${fileOf(whole, 'result')}.${crypto.randomUUID()}.partial`;
  writeFileSync(partial, drawn.slice(0, 50));
  const foreign = [newPredictionId(), 'notes.txt', 'of-somebody/notes.txt', `${newPredictionId()}/notes.txt`];
  for (const name of foreign) {
    mkdirSync(join(predictions, dirname(name)), { recursive: true });
    writeFileSync(join(predictions, name), 'hers');
  }
  const expired = damaged(DAMAGES['empty'] as Damage, 'request', 'result');
  utimesSync(join(predictions, expired), 1, 1);
  mkdirSync(join(data, 'wake.json'));

  const home = await start(data);
  await until('the good one is drawn', async () => {
    const response = await home.fetch(`/predictions/${whole}`);
    return ((await response.json()) as { status: string }).status === 'succeeded';
  });
  for (const id of unfinished) await until(`${id} is told`, () => home.stderr.includes(id));
  for (const id of [...unfinished, ...finished, ...drawnBadly]) {
    const response = await home.fetch(`/predictions/${id}`);
    const problem = problemSchema.parse(await response.json());
    expect([id, problem.status, problem.detail]).toEqual([
      id,
      500,
      expect.stringMatching(/damaged.*send its request again/),
    ]);
    expect(home.stderr).toContain(id);
  }
  expect(existsSync(partial)).toBe(false);
  expect(existsSync(join(predictions, expired))).toBe(false);
  for (const name of foreign) expect(readFileSync(join(predictions, name), 'utf8')).toBe('hers');
  expect(home.stderr).not.toContain('private');
  expect((await home.predict({ prompt: 'a tree' })).status).toBe(200);
  expect(home.stderr.match(/could not be worked on/g)).toBeNull();
});

test('a folder that cannot be used is told before anything is started', async () => {
  const data = join(scratch, 'no-folder');
  mkdirSync(data);
  writeFileSync(join(data, 'predictions'), 'a file where a folder should be');
  const { code, stderr } = await sdTurbo(['serve', '--port', '0', '--data', data], scratch);
  expect(code).toBe(2);
  expect(stderr).toBe(`sd-turbo: --data ${data} cannot be used (EEXIST)\n`);
});
