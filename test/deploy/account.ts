import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasReference, REFERENCE, ROOT } from '../support/reference.js';
import { type HubFront, startHubFront } from '../support/servers/hub-front.js';
import { Cdk } from './cdk.js';
import { Emulator } from './emulator.js';

/** What a deploy reads of a checkout. */
const SOURCES = [
  'lib',
  'functions',
  'infra',
  'cdk.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];

/** Small enough for a CPU: the reference checkpoint, or where that is not to be had, the one of the demo model. */
const CHECKPOINT = hasReference
  ? { folder: join(REFERENCE, 'checkpoints/tiny-turbo'), side: 128 }
  : { folder: join(ROOT, 'lib/demo-model/model'), side: 512 };

const TAESD = { repo: 'tiny/taesd', folder: join(REFERENCE, 'checkpoints/tiny-turbo-taesd') };

type Options = Readonly<Record<string, string>>;

/** Options of every stack of the tour: the model is small, and the kernels are a CPU's. */
export const OPTIONS = { model: 'tiny/turbo', revision: 'main', taesd: 'none', dialect: 'standard' };
/** What the first stack has not. The demo model has no second decoder. */
export const SECOND_OPTIONS: Options = {
  ...OPTIONS,
  ...(hasReference && { taesd: TAESD.repo, decoder: 'taesd' }),
  retentionDays: '2',
  fallbackInstanceTypes: 'ml.g5.xlarge,ml.g6.xlarge',
  scaleInPolicy: 'consolidation',
};

/** An AWS account without anything in it, the hub, a checkout, and a folder that keeps what all of them say. */
export class Account {
  readonly work: string;
  readonly root: string;
  readonly emulator: Emulator;
  readonly cdk: Cdk;
  readonly side = CHECKPOINT.side;
  /** Whether there is nothing to look into. */
  isGood = false;
  readonly #hub: HubFront;

  private constructor(work: string, root: string, emulator: Emulator, hub: HubFront) {
    this.work = work;
    this.root = root;
    this.emulator = emulator;
    this.#hub = hub;
    this.cdk = new Cdk({ emulator, root, work });
  }

  /** With a checkout of this repository. */
  static async open(): Promise<Account> {
    const work = workFolder();
    const root = copyCheckout(join(work, 'checkout'));
    // Below node_modules, so that the server finds its packages.
    const bundle = join(ROOT, 'node_modules/.cache', `deploy-${process.pid}`);
    execFileSync(process.execPath, [join(root, 'functions/endpoint/bundle.mjs'), '--outdir', bundle]);
    return Account.openFor(work, root, join(bundle, 'server.mjs'));
  }

  /**
   * With an app of somebody else's.
   *
   * @param work for everything that is written
   * @param root of the app
   * @param server of the container
   */
  static async openFor(work: string, root: string, server: string): Promise<Account> {
    const hub = await startHubFront(
      { repo: OPTIONS.model, folder: CHECKPOINT.folder },
      ...(hasReference ? [TAESD] : []),
    );
    const container = [process.execPath, '--enable-source-maps', server];
    const emulator = await Emulator.start({ work, container, hub: hub.endpoint });
    return new Account(work, root, emulator, hub);
  }

  /** @returns what is in the account from then on */
  async bootstrap(): Promise<Record<string, string[]>> {
    // Elsewhere: bootstrap needs no app.
    const folder = join(this.work, 'bootstrap');
    mkdirSync(folder);
    await this.cdk.succeed('bootstrap', ['bootstrap', 'aws://000000000000/us-east-1'], folder);
    return this.emulator.inventory();
  }

  /** Says what was refused and what failed, too. */
  async close(): Promise<void> {
    for (const { principal, action, resource, why } of await this.emulator.refusals())
      console.log(`refused: ${principal} ${action} on ${resource} (${why})`);
    for (const line of this.emulator.functionFailures()) console.log(`failed: ${line}`);
    await this.emulator.stop();
    await this.#hub.stop();
    rmSync(join(ROOT, 'node_modules/.cache', `deploy-${process.pid}`), { recursive: true, force: true });
    if (this.isGood) rmSync(this.work, { recursive: true });
    else console.log(`what everybody said is kept in ${this.work}`);
  }
}

export function workFolder(): string {
  return mkdtempSync(join(tmpdir(), 'deploy-'));
}

/** A copy that may be changed. */
function copyCheckout(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const name of SOURCES) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
