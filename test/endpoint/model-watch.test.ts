import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ModelWatch } from '../../functions/endpoint/model-watch.js';
import { AppError, type ErrorCode } from '../../lib/errors/app-error.js';
import { until } from '../support/until.js';

/** A model whose self-test does as told; what it was told is in `broken`. */
function watchOver(selfTest: () => Promise<unknown> = async () => undefined) {
  const broken: unknown[] = [];
  const watch = new ModelWatch({ selfTest, onBroken: (reason) => void broken.push(reason), stuckMs: 200 });
  return { watch, broken };
}

const fail = (code: ErrorCode) => async () => {
  throw new AppError(code, 'CUDA failure 700');
};
const endless = new AbortController().signal;

test.each<ErrorCode>(['INTERNAL', 'BAD_NUMBERS'])(
  '%s: the request is to blame where the model still draws',
  async (code) => {
    const { watch, broken } = watchOver();
    await expect(watch.over(fail(code), endless)).rejects.toMatchObject({ code });
    expect([broken, watch.isBroken]).toEqual([[], false]);
    expect(await watch.over(async () => 'a picture', endless)).toBe('a picture');
  },
);

test('where it does not, every request may be drawn elsewhere, and the reason is told once', async () => {
  const reason = new AppError('INTERNAL', 'the session thread has ended');
  const { watch, broken } = watchOver(() => Promise.reject(reason));
  const requests = [fail('INTERNAL'), fail('BAD_NUMBERS'), fail('INTERNAL')];
  for (const request of requests)
    await expect(watch.over(request, endless)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  watch.giveUp(new Error('somebody else has seen it, too'));
  expect([broken, watch.isBroken]).toEqual([[reason], true]);
});

test('what a model cannot be blamed for makes nobody draw', async () => {
  const { watch } = watchOver(() => expect.unreachable('a self-test'));
  for (const code of ['INVALID_INPUT', 'UNSUPPORTED', 'UNAVAILABLE'] as const)
    await expect(watch.over(fail(code), endless)).rejects.toMatchObject({ code });
  const late = AbortSignal.abort(new Error('its time is up'));
  await expect(watch.over(fail('INTERNAL'), late)).rejects.toMatchObject({ code: 'INTERNAL' });
});

test('of several under way the one that fails is looked into, and the others go on', async () => {
  const { watch, broken } = watchOver(() => pause(20));
  const slow = watch.over(() => pause(50).then(() => 'a picture'), endless);
  const failures = [fail('INTERNAL'), fail('BAD_NUMBERS')].map((draw) => watch.over(draw, endless));
  await expect(failures[0]).rejects.toMatchObject({ code: 'INTERNAL' });
  await expect(failures[1]).rejects.toMatchObject({ code: 'BAD_NUMBERS' });
  expect(await slow).toBe('a picture');
  expect(broken).toEqual([]);
});

test('what ends all of them at once is told once, and none of them is to blame', async () => {
  const { watch, broken } = watchOver(() => pause(20).then(fail('INTERNAL')));
  const requests = [1, 2, 3].map(() => watch.over(fail('INTERNAL'), endless));
  for (const each of await Promise.allSettled(requests))
    expect(each).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
  expect(broken).toHaveLength(1);
});

test('a run that ends a while after its time is up is none that is stuck', async () => {
  const { watch, broken } = watchOver();
  const signal = AbortSignal.timeout(20);
  const draw = async () => {
    while (!signal.aborted) await pause(5);
    await pause(50);
    signal.throwIfAborted();
  };
  await expect(watch.over(draw, signal)).rejects.toMatchObject({ name: 'TimeoutError' });
  await pause(300);
  expect(broken).toEqual([]);
});

test('a run that never ends is told of', async () => {
  const { watch, broken } = watchOver();
  void watch.over(() => new Promise(() => undefined), AbortSignal.timeout(20));
  await until('it is told', () => broken.length === 1);
  expect(String(broken[0])).toContain('still being drawn');
});
