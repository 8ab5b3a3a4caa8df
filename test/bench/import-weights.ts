// The import at deploy, full size, as Lambda would run it: its bundle in a process with 2048 MB of memory and 1.16 of
// a core (cgroup v1, as root), from a stand-in of Hugging Face to a local S3 server, killed in the middle and asked
// again:
//   go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
//   node functions/bundle-lambda.mjs --outdir dist/lambda
//   node test/support/run-ts.mjs test/bench/import-weights.ts --from DIR --taesd DIR [--dialect standard]
// (test/bench/checkpoint/make-checkpoint.ts makes the directories)

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { type CloudFormation, startCloudFormation } from '../support/infra/cloudformation.js';
import { startHubFront } from '../support/servers/hub-front.js';
import { makeBucket, openUploads } from '../support/weights/s3-objects.js';

/** What infra/model/imported-model.ts gives the function; Lambda gives a core to 1769 MB. */
const MEMORY_MB = 2048;
const CORES = MEMORY_MB / 1769;
const BUCKET = 'weights';
const KEYS = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };
const PORT = 7171;
const PREFIX = 'bundles/sd-turbo/bench';

/** Starts the handler once, with Lambda's limits. */
const DRIVER = `
const { handler } = await import(process.argv[2]);
const ends = Date.now() + 900_000;
await handler(JSON.parse(process.argv[3]), {
  getRemainingTimeInMillis: () => ends - Date.now(), logGroupName: 'bench', awsRequestId: '1',
});
`;

class Limits {
  readonly #folders = ['memory', 'cpu'].map((kind) => `/sys/fs/cgroup/${kind}/import-weights-${process.pid}`);

  constructor() {
    for (const folder of this.#folders) mkdirSync(folder);
    const [memory, cpu] = this.#folders;
    writeFileSync(`${memory}/memory.limit_in_bytes`, String(MEMORY_MB * 2 ** 20));
    writeFileSync(`${cpu}/cpu.cfs_quota_us`, String(Math.round(CORES * 100_000)));
  }

  /** Starts a program that joins before it does anything. */
  spawn(args: readonly string[], env: Record<string, string>): ChildProcess {
    const join = this.#folders.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(' && ');
    const command = `${join} && exec "$0" "$@"`;
    return spawn('sh', ['-c', command, process.execPath, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  remove(): void {
    for (const folder of this.#folders) rmdirSync(folder);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      taesd: { type: 'string' },
      dialect: { type: 'string', default: 'cuda' },
      kill: { type: 'string', default: '0.4' },
    },
  });
  const { from, taesd, kill, dialect } = values;
  if (!from || !taesd) throw new Error('--from and --taesd are needed: see the head of this file');
  const folder = await mkdtemp(join(tmpdir(), 'bench-import-'));
  mkdirSync(join(folder, 's3'));
  const gateway = startGateway(join(folder, 's3'));
  const hub = await startHubFront({ repo: 'some/turbo', folder: from }, { repo: 'some/tiny', folder: taesd });
  const cloudFormation = await startCloudFormation();
  const limits = new Limits();
  const endpoint = `http://127.0.0.1:${PORT}`;
  const client = createS3Client({ endpoint, region: 'us-east-1', credentials: KEYS });
  try {
    await wait(1_000);
    await makeBucket(client, BUCKET);
    await writeFile(join(folder, 'driver.mjs'), DRIVER);
    const environment = { AWS_ENDPOINT_URL: endpoint, HF_ENDPOINT: hub.endpoint, HOME: folder };
    const run = (killAt?: number) =>
      invoke({ folder, limits, cloudFormation, environment, dialect, ...(killAt && { killAt }) });
    console.log(`killed: ${await run(Number(kill))}`);
    const left = (await openUploads(client, BUCKET)).length;
    console.log(`after the kill: ${left} uploads are open, no bundle: ${!(await isThere(client))}`);
    console.log(`again: ${await run()}`);
    console.log(`a third time: ${await run()}`);
    console.log(
      `the bundle is there: ${await isThere(client)}; open uploads: ${(await openUploads(client, BUCKET)).length}`,
    );
  } finally {
    client.destroy();
    gateway.kill();
    await Promise.all([hub.stop(), cloudFormation.stop()]);
    limits.remove();
    await rm(folder, { recursive: true });
  }
}

interface InvokeProps {
  readonly folder: string;
  readonly limits: Limits;
  readonly cloudFormation: CloudFormation;
  readonly environment: Record<string, string>;
  readonly dialect: string;
  /** Share of the bytes after which the process is killed. @default never */
  readonly killAt?: number;
}

async function invoke({
  folder,
  limits,
  cloudFormation,
  environment,
  dialect,
  killAt,
}: InvokeProps): Promise<string> {
  const event = cloudFormation.event({
    type: 'Create',
    properties: {
      From: 'hf:some/turbo@v1',
      Taesd: 'hf:some/tiny@main',
      Dialect: dialect,
      Precision: 'float16',
      Bucket: BUCKET,
      Prefix: PREFIX,
      Keep: 'false',
    },
  });
  const told = cloudFormation.told.length;
  const handler = pathToFileURL('dist/lambda/import-weights/index.mjs').href;
  const started = performance.now();
  const child = limits.spawn([join(folder, 'driver.mjs'), handler, JSON.stringify(event)], {
    ...environment,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentPeak(child.pid));
  }, 100);
  child.stdout?.on('data', (text: Buffer) => {
    const [, done, total] = /"done":(\d+),"total":(\d+)/.exec(String(text)) ?? [];
    if (killAt !== undefined && Number(done) >= killAt * Number(total)) child.kill('SIGKILL');
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on('exit', (...end) => resolve(end)),
  );
  clearInterval(watch);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const answer = cloudFormation.told[told];
  return `${answer?.Status ?? 'no answer'} ${answer?.Reason ?? ''} after ${seconds} s, peak ${peak.toFixed(0)} MB (${code ?? signal})`;
}

/** Megabytes of the process at its largest, so far. */
function residentPeak(pid = 0): number {
  const path = `/proc/${pid}/status`;
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(existsSync(path) ? readFileSync(path, 'utf8') : '') ?? [];
  return Number(kilobytes ?? 0) / 1024;
}

async function isThere(client: ReturnType<typeof createS3Client>): Promise<boolean> {
  const command = new HeadObjectCommand({ Bucket: BUCKET, Key: `${PREFIX}/manifest.json` });
  return client.send(command).then(
    () => true,
    () => false,
  );
}

function startGateway(folder: string): ChildProcess {
  const folders = [join(homedir(), 'go', 'bin'), ...(process.env['PATH'] ?? '').split(delimiter)];
  const program = folders.map((path) => join(path, 'versitygw')).find((path) => existsSync(path));
  if (!program) throw new Error('versitygw is not installed: see the head of this file');
  const env = { ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey };
  const args = ['--port', `127.0.0.1:${PORT}`, '--quiet', '--keep-alive', 'posix', folder];
  return spawn(program, args, { env, stdio: 'ignore' });
}

await main();
