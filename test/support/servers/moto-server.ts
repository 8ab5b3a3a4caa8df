import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.js';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

/** The program, from `.venv` or from PATH; undefined where moto is not installed. */
export function findMotoServer(): string | undefined {
  const folders = [join(REPOSITORY, '.venv', 'bin'), ...(process.env['PATH'] ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, 'moto_server')).find((path) => existsSync(path));
}

/** For `describe.skipIf`; says once, in the tests' output, what is missing. */
export function motoIsAbsent(): boolean {
  if (findMotoServer()) return false;
  console.log(
    'skipped: no moto_server in .venv/bin or on PATH (pip install -r test/python/requirements.txt brings it)',
  );
  return true;
}

export interface MotoServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  stop(): Promise<void>;
}

/** What every client of moto needs; moto does not look at the credentials. */
export function motoClientConfig(endpoint: string) {
  return {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
}

/** An empty AWS, on a free port of this machine. */
export async function startMotoServer(): Promise<MotoServer> {
  const program = findMotoServer();
  if (!program) throw new Error('moto_server is not installed');
  const port = await freePort();
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await waitUntilReady(url, child);
  return {
    url,
    async stop() {
      if (child.exitCode !== null) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error(`moto_server ended with code ${child.exitCode}`);
    const answer = await fetch(`${url}/moto-api/`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await wait(50);
  }
  child.kill('SIGKILL');
  throw new Error('moto_server did not answer within 30 s');
}
