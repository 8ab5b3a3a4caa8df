// From an empty disk to checked weights, beside s5cmd from the same S3 server on this machine, in turns:
//   go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
//   .venv/bin/pip install -r test/python/requirements.txt
//   node test/support/run-ts.mjs test/bench/download.ts [--pairs 5] [--parallelism 16] [--node PATH]
//
// Both are timed as a person would see them, from the start of the process to its end, and ours also from the making
// of the client to the last checked byte: the endpoint's process has been started before. s5cmd checks nothing.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { crc32 } from '../../lib/weights/bytes/crc32.js';
import { type DownloadProps, startDownload } from '../../lib/weights/download/download-bundle.js';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import { S3Source } from '../../lib/weights/sources/s3/s3-source.js';
import { bundleScript } from '../support/processes/bundle-script.js';

/** Bytes of stabilityai/sd-turbo's float16 files, which a bundle's are within a few kilobytes of. */
const SIZES = {
  'text_encoder/model.onnx.data': 680_820_392,
  'unet/model.onnx.data': 1_731_904_736,
  'vae_decoder/model.onnx.data': 167_335_342,
};
const TOTAL = Object.values(SIZES).reduce((sum, size) => sum + size, 0);
const CHUNK_SIZE = 16 * 1024 * 1024;
const BUCKET = 'models';
const KEYS = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };

interface OurProps {
  readonly endpoint: string;
  readonly manifest: DownloadProps['manifest'];
  readonly directory: string;
  readonly parallelism: number;
}

/** The child process: prints its seconds and its peak of memory. */
async function downloadOurs({ endpoint, ...props }: OurProps): Promise<void> {
  const started = performance.now();
  const client = createS3Client({ endpoint, region: 'us-east-1', credentials: KEYS });
  const source = new S3Source(client, { bucket: BUCKET, prefix: '' });
  const threads = { entry: pathToFileURL('dist/lib/weights/download/fetch-worker.js') };
  await startDownload({ source, threads, ...props }).done;
  const seconds = (performance.now() - started) / 1000;
  console.log(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '5' },
      parallelism: { type: 'string', default: '16' },
      node: { type: 'string', default: process.execPath },
    },
  });
  const gateway = find('versitygw', [join(homedir(), 'go', 'bin')]);
  const s5cmd = findS5cmd();
  const folder = await mkdtemp(join(tmpdir(), 'bench-download-'));
  // The threads run what is in `dist`.
  execFileSync(process.execPath, ['lib/cli/build.mjs']);
  const script = await bundleScript(process.argv[1] as string);
  const port = await freePort();
  const env = { ...process.env, ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey };
  const args = [
    '--port',
    `127.0.0.1:${port}`,
    '--quiet',
    '--keep-alive',
    'posix',
    '--nometa',
    join(folder, 's3'),
  ];
  try {
    const manifest = await writeWeights(join(folder, 's3', BUCKET));
    const server = spawn(gateway, args, { env, stdio: 'ignore' });
    try {
      await untilListening(port);
      const directory = join(folder, 'to');
      const endpoint = `http://127.0.0.1:${port}`;
      const parallelism = Number(values.parallelism);
      const ours = [
        values.node,
        script.path,
        'ours',
        JSON.stringify({ endpoint, manifest, directory, parallelism }),
      ];
      const copy = [
        'cp',
        '--concurrency',
        values.parallelism,
        '--part-size',
        '16',
        `s3://${BUCKET}/*`,
        `${directory}/`,
      ];
      const theirs = [s5cmd, '--endpoint-url', endpoint, '--log', 'error', ...copy];
      await compare(Number(values.pairs), directory, ours, theirs);
    } finally {
      server.kill();
    }
  } finally {
    await rm(folder, { recursive: true });
    await script.remove();
  }
}

async function compare(pairs: number, directory: string, ours: string[], theirs: string[]): Promise<void> {
  const rates = { ours: [] as number[], process: [] as number[], s5cmd: [] as number[] };
  const run = async (command: string[]) => {
    await rm(directory, { recursive: true, force: true });
    // The kernel holds writers back while it still has much to write for those before.
    spawnSync('sync');
    await wait(500);
    return timed(command);
  };
  // A run that does not count goes before each: in a virtual machine it matters who used the memory last.
  const runOurs = async () => {
    await run(ours);
    const { seconds, output } = await run(ours);
    const inside = JSON.parse(output) as { seconds: number; peakMiB: number };
    rates.ours.push(TOTAL / 1e6 / inside.seconds);
    rates.process.push(TOTAL / 1e6 / seconds);
    return `ours ${mb(rates.ours)} (whole process ${mb(rates.process)}, peak ${inside.peakMiB.toFixed(0)} MiB)`;
  };
  const runTheirs = async () => {
    await run(theirs);
    rates.s5cmd.push(TOTAL / 1e6 / (await run(theirs)).seconds);
    return `s5cmd ${mb(rates.s5cmd)}`;
  };
  for (let pair = 1; pair <= pairs; pair++) {
    const [first, second] = pair % 2 === 1 ? [runOurs, runTheirs] : [runTheirs, runOurs];
    const lines = [await first(), await second()];
    const ratio = last(rates.ours) / last(rates.s5cmd);
    console.log(`pair ${pair}: ${lines.join(', ')}, ratio ${ratio.toFixed(2)}`);
  }
  const [median, whole, s5cmd] = [rates.ours, rates.process, rates.s5cmd].map(medianOf) as [
    number,
    number,
    number,
  ];
  console.log(
    `median of ${pairs}: ours ${median.toFixed(0)} MB/s, checks included; s5cmd ${s5cmd.toFixed(0)} MB/s; ` +
      `ratio ${(median / s5cmd).toFixed(2)} (goal 0.9); whole process ${(whole / s5cmd).toFixed(2)}`,
  );
}

function timed([command = '', ...args]: string[]): { seconds: number; output: string } {
  const env = {
    ...process.env,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  };
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { env: { ...env, AWS_REGION: 'us-east-1' } });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return { seconds: (performance.now() - started) / 1000, output: String(stdout) };
}

/** Random bytes in the place of a bundle, in the folder that the server shows as a bucket. */
async function writeWeights(folder: string): Promise<DownloadProps['manifest']> {
  const files: DownloadProps['manifest']['files'] = [];
  for (const [path, size] of Object.entries(SIZES)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const handle = await open(join(folder, path), 'w');
    const sums: string[] = [];
    for (let at = 0; at < size; at += CHUNK_SIZE) {
      const chunk = randomFillSync(Buffer.allocUnsafe(Math.min(CHUNK_SIZE, size - at)));
      sums.push(crc32(chunk).toString(16).padStart(8, '0'));
      await handle.writeFile(chunk);
    }
    await handle.close();
    files.push({ path, size, sha256: '0'.repeat(64), crc32: sums });
  }
  return {
    format: 'sd-turbo-bundle',
    version: 1,
    dialect: 'cuda',
    precision: 'float16',
    source: { repo: 'random', revision: null },
    chunk_size: CHUNK_SIZE,
    files,
  };
}

function find(program: string, folders: string[]): string {
  const all = [...folders, ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = all.map((folder) => join(folder, program)).find((path) => existsSync(path));
  if (!found)
    throw new Error(`${program} is neither in ${folders.join(', ')} nor on PATH: see the head of this file`);
  return found;
}

/** The program itself, where the wheel has put a Python script before it. */
function findS5cmd(): string {
  const script = find('s5cmd', [fileURLToPath(new URL('.venv/bin', `file://${process.cwd()}/`))]);
  const libraries = join(dirname(dirname(script)), 'lib');
  const versions = existsSync(libraries) ? readdirSync(libraries) : [];
  const programs = versions.map((name) => join(libraries, name, 'site-packages', 's5cmd', 'bin', 's5cmd'));
  return programs.find((path) => existsSync(path)) ?? script;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (connected) return;
    await wait(100);
  }
  throw new Error('versitygw did not start within 10 s');
}

const last = (values: number[]): number => values.at(-1) as number;
const mb = (rates: number[]): string => `${last(rates).toFixed(0)} MB/s`;
const medianOf = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

if (process.argv[2] === 'ours') await downloadOurs(JSON.parse(process.argv[3] as string) as OurProps);
else await main();
