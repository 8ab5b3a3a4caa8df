import { describe, expect, test, vi } from 'vitest';
import { type Machine, type MachineProps, machineIsAbsent } from './machine.js';
import { callsOf, makeMachine, starts } from './make-machine.js';

// How a wake ends, however the worker does: with a machine that is off.

/** A machine whose first boot is over. */
async function wakeable(runs: string, props: MachineProps = {}): Promise<Machine> {
  const machine = makeMachine(props);
  await machine.boot();
  machine.answer({ runs });
  return machine;
}

// Boots of many machines at once: many times what one takes alone.
vi.setConfig({ testTimeout: 900_000 });

describe.skipIf(machineIsAbsent()).concurrent('a wake', () => {
  const ends: [string, string, number][] = [
    ['nothing is left to do', 'exit 0\n', 1],
    ['a crash, then it goes well', 'exit 1\nexit 0\n', 2],
    ['two crashes, then it goes well', 'exit 1\nkilled\nexit 0\n', 3],
  ];
  test.each(ends)('%s: off', async (_, runs, expected) => {
    const boot = await (await wakeable(runs)).boot();
    expect([boot.end, starts(boot)]).toEqual(['off', expected]);
  });

  const crashes: [string, string][] = [
    ['it crashes whenever it starts', 'exit 1'],
    ['it is killed whenever it starts', 'killed'],
    ['out of memory, as Docker says it', 'exit 137'],
  ];
  test.each(crashes)('%s: three tries, then off', async (_, run) => {
    const boot = await (await wakeable(`${run}\n`.repeat(4))).boot();
    expect([boot.end, starts(boot)]).toEqual(['off', 3]);
  });

  test('one wake after the other', async () => {
    const machine = await wakeable('exit 0\n');
    for (const runs of ['exit 0\n', 'exit 1\nexit 0\n', 'exit 0\n']) {
      machine.answer({ runs });
      const boot = await machine.boot();
      expect([boot.end, starts(boot)]).toEqual(['off', runs.split('\n').length - 1]);
    }
  });

  test('up for too long: it may finish what it draws, is not started again, and the machine goes off', async () => {
    const boot = await (await wakeable('draws\ndraws\n', { unit: 'RuntimeMaxSec=2' })).boot();
    expect([boot.end, starts(boot)]).toEqual(['off', 1]);
    expect(boot.calls.at(-1)).toBe('drained');
  });

  test('up for too long, and deaf: it is killed, and the machine goes off', async () => {
    const unit = 'RuntimeMaxSec=2\nTimeoutStopSec=1';
    const boot = await (await wakeable('stuck\nstuck\n', { unit })).boot();
    expect([boot.end, starts(boot)]).toEqual(['off', 1]);
  });

  test('EC2 stops it from outside: it finishes what it draws', async () => {
    const machine = await wakeable('draws\n', {
      meanwhile:
        '[ -s /stand-ins/runs ] || exit 0; sleep 2; [ -e /opt/sd-turbo/image ] && systemctl poweroff',
    });
    const boot = await machine.boot();
    expect([boot.end, starts(boot)]).toEqual(['off', 1]);
    expect(boot.calls.at(-1)).toBe('drained');
  });

  test('without Docker: three tries, then off', async () => {
    const machine = await wakeable('');
    machine.answer({ 'answers/docker': 'echo "Cannot connect to the Docker daemon" >&2; exit 125\n' });
    const boot = await machine.boot();
    expect([boot.end, starts(boot)]).toEqual(['off', 3]);
  });

  test('a worker that cannot even be started: off', async () => {
    const machine = await wakeable('', { unit: 'ExecStartPre=/no/such/program' });
    const boot = await machine.boot();
    expect([boot.end, starts(boot)]).toEqual(['off', 0]);
  });

  test('what a container left behind is taken away before each start', async () => {
    const boot = await (await wakeable('exit 1\nexit 0\n')).boot();
    expect(callsOf(boot, 'docker').map((call) => call.slice(0, 10))).toEqual([
      'docker rm ',
      'docker run',
      'docker rm ',
      'docker run',
    ]);
  });
});
