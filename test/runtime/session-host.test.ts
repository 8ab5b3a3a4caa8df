import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodeModel } from '../../lib/onnx/encode-model.js';
import { GraphBuilder } from '../../lib/onnx/graph-builder.js';
import { graphPath } from '../../lib/pipeline/bundle.js';
import { SessionHost } from '../../lib/runtime/session-host.js';
import { startSessionHost } from '../support/graphs/session-host.js';
import { ROOT } from '../support/reference.js';

const scratch = mkdtempSync(join(tmpdir(), 'host-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const decoder = graphPath(join(ROOT, 'lib/demo-model/bundle'), 'vae');
const latents = () => ({
  latent_sample: { type: 'float32' as const, data: new Float32Array(4 * 64 * 64), dims: [1, 4, 64, 64] },
});

test('the calling thread goes on while a network runs', async () => {
  const host = startSessionHost();
  const signature = await host.load('decoder', decoder, { provider: 'cpu' });
  expect(signature.inputs).toEqual([{ name: 'latent_sample', type: 'float32', shape: ['batch', 4, 64, 64] }]);
  expect(signature.outputs).toEqual([
    { name: 'image', type: 'uint8', shape: ['batch', 512, 512, 3] },
    { name: 'image_mean', type: 'float32', shape: ['batch'] },
  ]);

  let turns = 0;
  let running = true;
  const result = host.run('decoder', latents()).finally(() => (running = false));
  while (running) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  expect((await result).outputs['image']?.dims).toEqual([1, 512, 512, 3]);
  // A blocked thread would see one or two.
  expect(turns).toBeGreaterThan(20);
  await host.close();
});

test('a missing or damaged graph is an error that names the file', async () => {
  const host = startSessionHost();
  const damaged = join(scratch, 'damaged.onnx');
  writeFileSync(damaged, 'this is no graph');
  for (const path of [join(scratch, 'missing.onnx'), damaged]) {
    const load = host.load('x', path, { provider: 'cpu' });
    await expect(load).rejects.toMatchObject({ name: 'AppError', code: 'INVALID_FILE' });
    await expect(load).rejects.toThrow(path);
  }
  await expect(host.run('x', {})).rejects.toMatchObject({ code: 'INTERNAL' });
  await host.close();
});

test('feeds that do not fit are told with the network, and the next run goes well', async () => {
  const host = startSessionHost();
  await host.load('decoder', decoder, { provider: 'cpu' });
  const small = { type: 'float32' as const, data: new Float32Array(4), dims: [1, 4, 1, 1] };
  await expect(host.run('decoder', { latent_sample: small })).rejects.toThrow('the decoder graph');

  const feeds = latents();
  expect((await host.run('decoder', feeds)).outputs['image']?.type).toBe('uint8');
  // Handed over by the first run: without a check the second would wait for ever.
  await expect(host.run('decoder', feeds)).rejects.toThrow('latent_sample has 0 numbers');
  await host.close();
});

test('two feeds may share their numbers', async () => {
  const graph = new GraphBuilder('sum');
  const [a, b] = ['a', 'b'].map((name) => graph.input(name, 'float32', [2])) as [string, string];
  graph.output('sum', 'float32', [2], graph.node('add', 'Add', [a, b]));
  const path = join(scratch, 'sum.onnx');
  writeFileSync(path, encodeModel(graph.build()));
  const host = startSessionHost();
  await host.load('sum', path, { provider: 'cpu' });
  const both = { type: 'float32' as const, data: Float32Array.of(1, 2), dims: [2] };
  const { outputs } = await host.run('sum', { a: both, b: both });
  expect(outputs['sum']?.data).toEqual(Float32Array.of(2, 4));
  await host.close();
});

test('a graph can be taken as it is', async () => {
  const graph = new GraphBuilder('idle');
  const x = graph.input('x', 'float32', [2]);
  graph.output('y', 'float32', [2], graph.node('idle', 'Identity', [graph.node('busy', 'Neg', [x])]));
  const path = join(scratch, 'idle.onnx');
  writeFileSync(path, encodeModel(graph.build()));
  const nodesRun = async (asIs: boolean) => {
    const host = startSessionHost();
    const profilePrefix = join(scratch, `profile-${asIs}`);
    await host.load('idle', path, { provider: 'cpu', asIs, profilePrefix });
    await host.run('idle', { x: { type: 'float32', data: Float32Array.of(1, 2), dims: [2] } });
    await host.close();
    const profile = readdirSync(scratch).find((file) => file.startsWith(`profile-${asIs}`)) as string;
    const events: { name: string }[] = JSON.parse(readFileSync(join(scratch, profile), 'utf8'));
    return events.filter(({ name }) => name.endsWith('_kernel_time')).length;
  };
  // Neg, Identity, and the Identity that names the output.
  expect([await nodesRun(true), await nodesRun(false)]).toEqual([3, 1]);
});

test('idle() waits for what is under way, and for what follows from it at once', async () => {
  const host = startSessionHost();
  const answered: string[] = [];
  const note = (what: string) => () => void answered.push(what);
  const loads = host
    .load('first', decoder, { provider: 'cpu' })
    .then(note('first'))
    .then(() => host.load('second', decoder, { provider: 'cpu' }))
    .then(note('second'));
  await host.idle();
  expect(answered).toEqual(['first', 'second']);
  await loads;
  await host.idle();
  await host.close();
  await host.idle();
});

test('close() waits for a run under way and refuses later calls', async () => {
  const host = startSessionHost();
  await host.load('decoder', decoder, { provider: 'cpu' });
  const run = host.run('decoder', latents());
  const closed = host.close();
  await expect(host.run('decoder', latents())).rejects.toThrow('closed');
  expect((await run).milliseconds).toBeGreaterThan(0);
  await closed;
  await host.close();
});

test('the death of the thread is told to whoever waits', async () => {
  const entry = join(scratch, 'dies.mjs');
  writeFileSync(
    entry,
    "import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('out of luck'); });",
  );
  const host = new SessionHost(new URL(`file://${entry}`));
  const run = host.run('x', {});
  await Promise.all([expect(run).rejects.toThrow('out of luck'), host.idle()]);
  await expect(host.run('x', {})).rejects.toMatchObject({ code: 'INTERNAL' });
  await host.close();
});
