import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { predictionSchema } from '../../lib/schemas/prediction.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { startScriptedService } from '../client/scripted-service.js';
import { ABOUT_DEMO } from '../support/demo-card.js';
import { HomeProcess } from '../support/processes/home-process.js';
import { isRunning } from '../support/processes/process-table.js';
import { sdTurbo } from '../support/processes/run-command.js';
import { until } from '../support/until.js';

const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), 'cli-serve-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const folder = () => mkdtempSync(join(scratch, 'run-'));

const running: HomeProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((home) => home.kill()));
});

function start(args: readonly string[] = [], cwd = folder()): HomeProcess {
  const home = new HomeProcess(['--data', join(cwd, 'data'), ...args], cwd);
  running.push(home);
  return home;
}

/** Waits for a prediction that has been accepted. */
async function finished(home: HomeProcess, id: string) {
  for (;;) {
    const response = await home.fetch(`/predictions/${id}`, { headers: { prefer: 'wait=20' } });
    const prediction = predictionSchema.parse(await response.json());
    if (prediction.status !== 'queued') return prediction;
  }
}

async function accepted(response: Response): Promise<string> {
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
}

test('the printed line never writes an error, or a picture that is to come, into the file', async () => {
  const home = await start().started();
  const later = { id: 'a'.repeat(32), status: 'queued', status_url: 'http://service.test/predictions/a' };
  const refused = { status: 400, detail: 'prompt: is required' };
  const answers = [
    { status: 202, body: later },
    { status: 400, body: refused },
    { status: 503, body: refused },
    { status: 401, body: refused },
  ];
  const scripted = await startScriptedService([...answers], {});
  const line = home.curl.replace(home.url, scripted.url);
  for (const shell of ['bash', 'sh'])
    for (const { body } of answers.splice(0, 2)) {
      const cwd = folder();
      // Not `spawnSync`: the service is in this process.
      const { stdout } = await run(shell, ['-c', line], { cwd }).catch((error) => error);
      expect(JSON.parse(stdout)).toEqual(body);
      expect(readdirSync(cwd)).toEqual([]);
    }
  await scripted.close();
});

describe('pages of other origins', () => {
  const asks = (home: HomeProcess, origin: string) =>
    fetch(`${home.url}/predict`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-api-key',
      },
    });

  test('may ask where --cors-origin names them, again or with commas', async () => {
    const args = ['--cors-origin', 'https://a.test,HTTP://LocalHost:5173', '--cors-origin', 'https://b.test'];
    const home = await start(args).started();
    for (const origin of ['https://a.test', 'http://localhost:5173', 'https://b.test']) {
      const response = await asks(home, origin);
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
    }
    expect((await asks(home, 'https://c.test')).headers.get('access-control-allow-origin')).toBeNull();
    // Without its key, a page is told so.
    const headers = { origin: 'https://a.test', 'x-api-key': '' };
    const refused = await home.fetch('/warmup', { method: 'POST', headers });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
      401,
      headers.origin,
    ]);
    expect(home.stderr).not.toContain('any page');
  });

  test('any may where it says *, which is warned of', async () => {
    const home = await start(['--cors-origin', '*']).started();
    expect((await asks(home, 'https://c.test')).headers.get('access-control-allow-origin')).toBe('*');
    expect(home.stderr).toContain('--cors-origin *: any page may use this service with a key that it has\n');
  });

  test.each([
    ['app.example.com', 'app.example.com is no origin: it must have a scheme and a host'],
    ['https://a.test/', 'https://a.test/ is no origin: it must end before its path, as https://a.test'],
    ['https://a.test,,', 'nothing is no origin'],
  ])('%s is none', async (origin, said) => {
    const { code, stderr } = await sdTurbo(['serve', '--port', '0', '--cors-origin', origin], folder());
    expect([code, stderr]).toEqual([2, expect.stringContaining(`sd-turbo: --cors-origin ${said}`)]);
  });
});

test('what it prints works when it is pasted; a key is needed; Ctrl-C leaves nothing behind', async () => {
  const cwd = folder();
  const home = await start([], cwd).started();
  const pasted = spawnSync('bash', ['-c', home.curl], { cwd });
  expect([pasted.status, String(pasted.stdout)]).toEqual([0, '']);
  const picture = await sharp(readFileSync(join(cwd, 'picture.png'))).metadata();
  expect(picture).toMatchObject({ format: 'png', width: 512, height: 512 });

  const body = JSON.stringify({ prompt: 'a very private tree' });
  const post = (headers: Record<string, string>) =>
    fetch(`${home.url}/predict?secret=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  for (const headers of [{ authorization: `Api-Key ${home.key}` }, { authorization: `Bearer ${home.key}` }])
    expect((await post(headers)).status).toBe(200);
  const [none, wrong] = [await post({}), await post({ 'x-api-key': `${home.key}x` })];
  expect([none.status, wrong.status]).toEqual([401, 401]);
  expect(none.headers.get('www-authenticate')).toBeTruthy();
  for (const response of [none, wrong]) problemSchema.parse(await response.json());
  expect((await fetch(`${home.url}/health`)).status).toBe(200);

  const endpoints = home.endpoints();
  expect(endpoints).toHaveLength(1);
  expect(await drawWhile(home, () => home.signal('SIGINT'))).toBe(200);
  expect(await home.exited()).toBe(0);
  expect(endpoints.filter(isRunning)).toEqual([]);
  expect(home.stderr).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ POST \/predict 200 \d+ ms [\w-]{36}$/m);
  for (const secret of ['private', 'secret', home.key]) expect(home.stderr).not.toContain(secret);
});

/** Does something when the service has begun with a request, and says how that is answered. */
function drawWhile({ url, key }: HomeProcess, act: () => void): Promise<number | undefined> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json', expect: '100-continue' };
  return new Promise((resolve, reject) => {
    const call = request(`${url}/predict`, { method: 'POST', headers });
    call.on('continue', () => {
      act();
      call.end(JSON.stringify({ prompt: 'a boat', num_steps: 4 }));
    });
    call.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
    call.flushHeaders();
  });
}

test('it sleeps without work; requests then are accepted, wake it once, and are drawn', async () => {
  const home = await start(['--scale-to-zero', '1']).started();
  await until('it sleeps', () => home.endpoints().length === 0);
  expect(await (await fetch(`${home.url}/health`)).json()).toEqual({ state: 'asleep', ...ABOUT_DEMO });
  const prompt = 'a very private tree';
  const responses = await Promise.all([1, 2, 3, 4, 5].map((seed) => home.predict({ prompt, seed })));
  for (const response of responses) {
    expect(response.headers.get('location')).toMatch(`${home.url}/predictions/`);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  const ids = await Promise.all(responses.map(accepted));
  const predictions = await Promise.all(ids.map((id) => finished(home, id)));
  expect(predictions.map((prediction) => prediction.status === 'succeeded' && prediction.seed)).toEqual([
    1, 2, 3, 4, 5,
  ]);
  // At the start, and now.
  expect(home.stderr.match(/the endpoint is ready/g)).toHaveLength(2);
  const picture = await home.fetch(`/predictions/${ids[0]}`, { headers: { accept: 'image/png' } });
  expect(await sharp(await picture.arrayBuffer()).metadata()).toMatchObject({ format: 'png' });
  await until('it sleeps again', () => home.endpoints().length === 0);
  expect(home.stderr).not.toContain('private');
  home.signal('SIGTERM');
  expect(await home.exited()).toBe(0);
});

test('it sleeps: who says how long it waits gets the picture of a wake that is as short as that', async () => {
  const home = await start(['--scale-to-zero', '1']).started();
  const asleep = () => until('it sleeps', () => home.endpoints().length === 0);
  await asleep();
  const patient = await home.predict(
    { prompt: 'a tree', seed: 1 },
    { prefer: 'wait=25', accept: 'image/png' },
  );
  expect([patient.status, patient.headers.get('preference-applied')]).toEqual([200, 'wait=25']);
  expect(await sharp(await patient.arrayBuffer()).metadata()).toMatchObject({ format: 'png' });
  await asleep();
  // No wake is so short.
  const hurried = await home.predict({ prompt: 'a tree', seed: 1 }, { prefer: 'wait=0' });
  expect([hurried.status, hurried.headers.get('preference-applied')]).toEqual([202, 'wait=0']);
  await finished(home, await accepted(hurried));
  await asleep();
  const silent = await home.predict({ prompt: 'a tree', seed: 1 });
  expect([silent.status, silent.headers.get('preference-applied')]).toEqual([202, null]);
});

test('kill -9 ends the endpoint too, and a restart on the same data loses nothing that was accepted', async () => {
  const cwd = folder();
  const home = await start([], cwd).started();
  const endpoints = home.endpoints();
  const asked = [1, 2, 3, 4, 5, 6].map((seed) =>
    home.predict({ prompt: 'a tree', seed, num_steps: 4 }, { prefer: 'respond-async' }),
  );
  const ids = await Promise.all((await Promise.all(asked)).map(accepted));
  home.signal('SIGKILL');
  await home.exited();
  await until('the endpoint is gone', () => !endpoints.some(isRunning));
  const isDrawn = (id: string) => existsSync(join(cwd, 'data/predictions', id, 'result.json'));
  // Else this would prove nothing.
  expect(ids.filter(isDrawn).length).toBeLessThan(6);
  // The key is another one, the owner the same.
  const again = await start([], cwd).started();
  expect(again.key).not.toBe(home.key);
  const predictions = await Promise.all(ids.map((id) => finished(again, id)));
  expect(predictions.map((prediction) => prediction.status === 'succeeded' && prediction.seed)).toEqual([
    1, 2, 3, 4, 5, 6,
  ]);
});

test('a terminal that is closed ends the endpoint', async () => {
  const home = await start().started();
  const endpoints = home.endpoints();
  home.signal('SIGHUP');
  expect(await home.exited()).toBe('SIGHUP');
  await until('the endpoint is gone', () => !endpoints.some(isRunning));
});

test('Ctrl-C while the model is loaded is no failure, and leaves nothing behind', async () => {
  const home = start();
  await until('the endpoint is started', () => home.endpoints().length > 0);
  const endpoints = home.endpoints();
  home.signal('SIGINT');
  expect(await home.exited()).toBe(0);
  expect(endpoints.filter(isRunning)).toEqual([]);
  expect(home.stderr).not.toContain('sd-turbo:');
});

test('the key, the address and the webhook secret are as they are asked for', async () => {
  const home = await start(['--api-key', 'my.own-key', '--host', '0.0.0.0', '--webhook-secret']).started();
  expect(home.key).toBe('my.own-key');
  expect(home.url).toMatch(/^http:\/\/localhost:\d+$/);
  expect(home.stdout).toMatch(/^Webhook secret {2}whsec_[\w+/]{32}$/m);
  expect((await home.fetch('/health')).status).toBe(200);
  // A webhook's address is looked at before anything is sent to it.
  const id = await accepted(await home.predict({ prompt: 'a boat', webhook: 'https://127.0.0.1/told' }));
  await until('the webhook is refused', async () => {
    const prediction = await finished(home, id);
    return prediction.status === 'succeeded' && prediction.webhook?.status === 'failed';
  });
});

describe('a start that fails is one line, and leaves nothing behind', () => {
  test('a port that is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const cwd = folder();
    const { code, stdout, stderr } = await sdTurbo(['serve', '--port', `${port}`, '--data', 'data'], cwd);
    server.close();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(`sd-turbo: port ${port} is taken: choose another one with --port\n`);
  });

  test('a model that is not there', async () => {
    const home = start(['--model', '/nowhere/bundle']);
    expect(await home.exited()).toBe(1);
    expect(home.stderr).toMatch(/^sd-turbo: the endpoint cannot work: .*\/nowhere\/bundle/m);
    expect(home.stderr.trim().split('\n')).toHaveLength(1);
  });

  test.each([
    [2, ['--port', '65536'], '--port'],
    [2, ['--port', 'http'], '--port'],
    [2, ['--host', ''], '--host'],
    [1, ['--host', 'no.such.host.invalid'], '--host'],
    [2, ['--api-key', ''], '--api-key'],
    [2, ['--api-key', "it's"], '--api-key'],
    [2, ['--scale-to-zero', '0'], '--scale-to-zero'],
    [2, ['--scale-to-zero', 'soon'], '--scale-to-zero'],
    [2, ['--data', ''], '--data'],
    [2, ['--data', '/dev/null/data'], '/dev/null/data'],
    [2, ['--data', '/proc/nope/data'], '/proc/nope/data'],
    [2, ['--webhook-secret', 'whsec_short'], '--webhook-secret'],
    [1, ['--model', 'someone/model'], 'hf:someone/model'],
    [2, ['--model', ''], '--model'],
    [2, ['now'], 'serve'],
  ])('exit code %d: %j', async (exitCode, args, named) => {
    const { code, stdout, stderr } = await sdTurbo(['serve', '--port', '0', ...args], folder());
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(stderr).toContain(named);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toContain('whsec_short');
  });
});
