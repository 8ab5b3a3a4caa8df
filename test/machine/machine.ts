import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { userData } from '../../infra/backends/ec2/user-data.js';
import { ROOT } from '../support/reference.js';

const HERE = join(ROOT, 'test/machine');
const BASE = join(
  process.env['CONTAINER_CACHE'] ?? join(homedir(), '.cache/sd-turbo-container'),
  'machine-bookworm',
);
/** Of a boot, many times what one takes. Milliseconds. */
const LONGEST = 240_000;
const RECORDED = ['docker', 'nvidia-smi', 'nvidia-ctk', 'dnf', 'modprobe', 'cfn-signal', 'aws'];
/** Units that the machine image has, which here do nothing. */
const UNITS = ['docker', 'nvidia-persistenced', 'ecs'];

/** What the stack fills in. */
export const TOLD = {
  machine: {
    REGION: 'us-east-1',
    STACK: 'sd-turbo',
    RESOURCE: 'InstancesMachine1',
    IMAGE: 'registry.test/images:0123',
    LOG_GROUP: 'sd-turbo-logs',
  },
  worker: { MODEL_URI: 's3://weights/bundle', IDLE_SECONDS: '60' },
};

/** Why no machine can be booted here; undefined where one can. */
export function machineIsAbsent(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can boot a machine';
  if (!existsSync(BASE)) return 'test/machine/make-root.sh has not been run';
  return undefined;
}

export interface MachineProps {
  /** A checkout to take scripts and units from. @default this one */
  readonly root?: string;
  /** What programs do, as lines of bash, or what they read; by name. @default as on a good day */
  readonly answers?: Readonly<Record<string, string>>;
  /** Programs that the machine image has not. @default none */
  readonly without?: readonly string[];
  /** Settings of the worker's unit that would take hours. @default none */
  readonly unit?: string;
  /** Runs beside the worker. @default nothing */
  readonly meanwhile?: string;
}

/** What boot.sh ends with. */
const ENDS: Readonly<Record<number, 'off' | 'again'>> = { 130: 'off', 129: 'again' };

export interface Boot {
  /** How it ended; `never` where it had to be stopped from outside. */
  readonly end: 'off' | 'again' | 'never';
  /** How the programs were called during this boot, in order. */
  readonly calls: readonly string[];
}

/** What the answers are where nothing goes wrong. */
const GOOD_DAY: Readonly<Record<string, string>> = {
  runtimes: '{"nvidia":{},"runc":{}}\n',
  driver: '580.95.05\n',
  runs: 'exit 0\n',
  'self-test': 'true\n',
  'answers/nvidia-ctk': '',
  'answers/dnf': '',
  'answers/modprobe': '',
  'answers/cfn-signal': '',
  'answers/aws': '',
};

/**
 * The instance as the stack makes it: our scripts and units under a real systemd, which boots and powers off. What
 * cannot be had here is replaced by stand-ins that record how they are called: Docker, the driver, packages, AWS, cloud-init.
 */
export class Machine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'machine-'));
  readonly #root = join(this.#folder, 'root');

  constructor({ root = ROOT, answers = {}, without = [], unit, meanwhile }: MachineProps = {}) {
    const [upper, work] = ['upper', 'work'].map((name) => join(this.#folder, name));
    for (const folder of [this.#root, upper, work]) mkdirSync(folder as string);
    const layers = `lowerdir=${BASE},upperdir=${upper},workdir=${work}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, this.#root]);
    this.#installPrograms(answers, without);
    this.#write('/var/lib/cloud/data/instance-id', 'i-0123456789abcdef0\n');
    this.#write(
      '/var/lib/cloud/instance/user-data.txt',
      userData({ scripts: join(root, 'infra/backends/ec2/machine'), ...TOLD }),
    );
    if (unit) this.#write('/etc/systemd/system/worker.service.d/test.conf', `[Service]\n${unit}\n`);
    this.#enable('cloud-final', readFileSync(join(HERE, 'stand-ins/cloud-final.service'), 'utf8'));
    for (const name of UNITS)
      this.#enable(name, '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n');
    if (meanwhile) this.#enable('meanwhile', `[Service]\nType=exec\nExecStart=/bin/bash -c '${meanwhile}'\n`);
  }

  async boot(): Promise<Boot> {
    const before = this.#calls().length;
    const child = spawn(join(HERE, 'boot.sh'), [this.#root], { stdio: 'ignore' });
    const late = setTimeout(() => child.kill('SIGKILL'), LONGEST);
    const status = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    clearTimeout(late);
    return { end: ENDS[status ?? 0] ?? 'never', calls: this.#calls().slice(before) };
  }

  /** Gives other answers from the next boot on. */
  answer(answers: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(answers)) this.#write(`/stand-ins/${name}`, text);
  }

  /** What is in a file of the machine. */
  read(path: string): string {
    return readFileSync(join(this.#root, path), 'utf8');
  }

  delete(): void {
    execFileSync('umount', [this.#root]);
    rmSync(this.#folder, { recursive: true });
  }

  #calls(): string[] {
    return this.read('/stand-ins/calls').split('\n').filter(Boolean);
  }

  #installPrograms(answers: Readonly<Record<string, string>>, without: readonly string[]): void {
    this.#write('/stand-ins/calls', '');
    for (const name of ['docker', 'nvidia-smi'])
      this.#write(`/stand-ins/answers/${name}`, readFileSync(join(HERE, 'stand-ins', name), 'utf8'));
    this.answer({ ...GOOD_DAY, ...answers });
    cpSync(join(HERE, 'stand-ins/record'), join(this.#root, 'stand-ins/record'));
    chmodSync(join(this.#root, 'stand-ins/record'), 0o755);
    for (const name of RECORDED.filter((name) => !without.includes(name)))
      symlinkSync('/stand-ins/record', join(this.#root, 'usr/local/bin', name));
  }

  #enable(name: string, unit: string): void {
    const installed = unit.includes('[Install]') ? unit : `${unit}\n[Install]\nWantedBy=multi-user.target\n`;
    this.#write(`/etc/systemd/system/${name}.service`, installed);
    const wants = '/etc/systemd/system/multi-user.target.wants';
    mkdirSync(join(this.#root, wants), { recursive: true });
    symlinkSync(`../${name}.service`, join(this.#root, wants, `${name}.service`));
  }

  #write(path: string, text: string): void {
    const file = join(this.#root, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
  }
}
