import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { ROOT } from '../support/reference.js';
import { type Boot, type MachineProps, machineIsAbsent } from './machine.js';
import { callsOf, makeMachine, starts } from './make-machine.js';

// That the tests beside this one can fail: scripts and unit are broken, one thing at a time, and the machine no longer
// does what is expected of it there.

vi.setConfig({ testTimeout: 900_000 });
const FOLDER = 'infra/backends/ec2/machine';
const scratch = mkdtempSync(join(tmpdir(), 'breaks-'));
afterAll(() => rmSync(scratch, { recursive: true }));

interface Broken {
  readonly file: string;
  /** Becomes `to`. */
  readonly from: string;
  readonly to: string;
  readonly props?: MachineProps;
  /** What `docker run` does at the second boot; there is none without it. */
  readonly runs?: string;
  /** What is looked at, as it is with what is broken. */
  readonly seen: (boot: Boot) => unknown;
  readonly broken: unknown;
  readonly whole: unknown;
}

const BAD_PICTURE = { answers: { 'self-test': 'echo black; exit 1\n' } };
const told = (boot: Boot) => [boot.end, callsOf(boot, 'cfn-signal').map((call) => call.split(' ')[2])];
const woke = (boot: Boot) => [boot.end, starts(boot)];

const breaks: [string, Broken][] = [
  [
    'failures in a pipe go unseen: a bad picture is told as a success',
    {
      ...{ file: 'first-boot.sh', from: 'set -euo pipefail', to: 'set -eu' },
      ...{ props: BAD_PICTURE, seen: told, broken: ['off', ['true']], whole: ['off', ['false']] },
    },
  ],
  [
    'nobody tells CloudFormation: a deploy that waits for its timeout',
    {
      ...{ file: 'first-boot.sh', from: 'trap finish EXIT', to: 'trap "systemctl poweroff" EXIT' },
      ...{ props: BAD_PICTURE, seen: told, broken: ['off', []], whole: ['off', ['false']] },
    },
  ],
  [
    'an old driver is taken',
    {
      ...{ file: 'first-boot.sh', from: '[ "$branch" -ge "$DRIVER_BRANCH" ]', to: 'true' },
      ...{
        props: { answers: { driver: '550.1\n' } },
        seen: told,
        broken: ['off', ['true']],
        whole: ['off', ['false']],
      },
    },
  ],
  [
    'crashes are not followed by another try',
    {
      ...{ file: 'worker.service', from: 'Restart=on-failure', to: 'Restart=no' },
      ...{ runs: 'exit 1\nexit 0\n', seen: woke, broken: ['off', 1], whole: ['off', 2] },
    },
  ],
  [
    'a third crash is not the last',
    {
      ...{ file: 'worker.service', from: 'StartLimitBurst=3', to: 'StartLimitBurst=5' },
      ...{ runs: 'exit 1\nexit 1\nexit 1\nexit 0\n', seen: woke, broken: ['off', 4], whole: ['off', 3] },
    },
  ],
  [
    'a worker that was up for too long is started again',
    {
      ...{ file: 'power-off.sh', from: 'success | timeout)', to: 'success)' },
      ...{ props: { unit: 'RuntimeMaxSec=2' }, runs: 'draws\nexit 0\n' },
      ...{ seen: woke, broken: ['off', 2], whole: ['off', 1] },
    },
  ],
  [
    'the container is not told to finish',
    {
      ...{ file: 'run-container.sh', from: 'exec docker run', to: 'docker run' },
      ...{ props: { unit: 'RuntimeMaxSec=2\nTimeoutStopSec=1' }, runs: 'draws\n' },
      ...{ seen: ({ calls }) => calls.includes('drained'), broken: false, whole: true },
    },
  ],
];

describe.skipIf(machineIsAbsent()).concurrent('broken', () => {
  test.each(breaks)('%s', async (_, { file, from, to, props = {}, runs, seen, broken, whole }) => {
    const root = mkdtempSync(join(scratch, 'checkout-'));
    cpSync(join(ROOT, FOLDER), join(root, FOLDER), { recursive: true });
    const path = join(root, FOLDER, file);
    const text = readFileSync(path, 'utf8');
    expect(text.split(from)).toHaveLength(2);
    writeFileSync(path, text.replace(from, to));
    const look = async (at: MachineProps) => {
      const machine = makeMachine(at);
      const first = await machine.boot();
      if (runs === undefined) return seen(first);
      machine.answer({ runs });
      return seen(await machine.boot());
    };
    expect([await look({ ...props, root }), await look(props)]).toEqual([broken, whole]);
  });
});
