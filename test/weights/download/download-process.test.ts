import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Client } from '../../../lib/weights/sources/s3/create-s3-client.js';
import { differences, randomBundle, seededRandom, uploadBundle } from '../../support/graphs/random-bundle.js';
import { bundleScript } from '../../support/processes/bundle-script.js';
import type { DownloadChildProps } from '../../support/processes/download-child.js';
import { type FaultProxyProps, startFaultProxy } from '../../support/servers/fault-proxy.js';
import {
  type MotoServer,
  motoClientConfig,
  motoIsAbsent,
  startMotoServer,
} from '../../support/servers/moto-server.js';
import { FETCH_WORKER } from '../../support/weights/fetch-worker.js';

const KILLS = 10;
const PARALLELISM = 4;
const CHUNK = 64 * 1024;
const CHUNKS = 96;
const bundle = randomBundle({ small: 100, first: 24 * CHUNK - 5, second: 71 * CHUNK }, CHUNK);

describe.skipIf(motoIsAbsent())('a process that downloads', () => {
  let moto: MotoServer;
  let script: Awaited<ReturnType<typeof bundleScript>>;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'download-process-'));
    script = await bundleScript(
      fileURLToPath(new URL('../../support/processes/download-child.ts', import.meta.url)),
    );
    moto = await startMotoServer();
    const client = createS3Client(motoClientConfig(moto.url));
    await uploadBundle(client, 'models', bundle);
    client.destroy();
  });
  afterAll(async () => {
    await moto?.stop();
    await script?.remove();
    await rm(folder, { recursive: true });
  });

  const start = (endpoint: string, directory: string, env: NodeJS.ProcessEnv = {}): ChildProcess => {
    const { manifest } = bundle;
    const props: DownloadChildProps = {
      endpoint,
      bucket: 'models',
      directory,
      manifest,
      parallelism: PARALLELISM,
      fetchWorker: FETCH_WORKER.href,
    };
    return spawn(process.execPath, [script.path, JSON.stringify(props)], {
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
  };
  const ended = (child: ChildProcess) =>
    new Promise<number | NodeJS.Signals | null>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code));
    });

  it(`resumes after each of ${KILLS} kills and fetches again only what was under way`, async () => {
    const proxy = await startFaultProxy({
      target: moto.url,
      faultFor: () => ({ kind: 'slow', bytesPerSecond: 1_000_000 }),
    });
    const directory = join(folder, 'killed');
    const moments = randomMoments(KILLS, 0.9 * CHUNKS * CHUNK);
    for (const moment of moments) {
      const child = start(proxy.url, directory);
      const end = ended(child);
      while (proxy.bytesSent() < moment && child.exitCode === null) await wait(1);
      child.kill('SIGKILL');
      expect(await end).toBe('SIGKILL');
    }
    expect(await ended(start(proxy.url, directory))).toBe(0);
    expect(await differences(directory, bundle)).toEqual([]);
    console.log(`${proxy.requests.length} requests for ${CHUNKS} chunks over ${KILLS} kills`);
    expect(proxy.requests.length).toBeLessThanOrEqual(CHUNKS + KILLS * PARALLELISM);
    await proxy.stop();
  });

  it('reads TLS directly where the certificate is trusted, and not at all where it is not', async () => {
    const tls = await makeCertificate(folder);
    const proxy = await startFaultProxy({ target: moto.url, faultFor: () => undefined, tls });
    const directory = join(folder, 'tls');
    expect(await ended(start(proxy.url, directory))).toBe(1);
    expect(proxy.requests).toEqual([]);
    expect(await ended(start(proxy.url, directory, { NODE_EXTRA_CA_CERTS: tls.file }))).toBe(0);
    expect(await differences(directory, bundle)).toEqual([]);
    expect(proxy.requests).toHaveLength(CHUNKS);
    // Node's own client would have said "keep-alive".
    expect(new Set(proxy.requests.map(({ headers }) => headers.connection))).toEqual(new Set([undefined]));
    await proxy.stop();
  });
});

/** Increasing, at random distances, the last one at `end`. */
function randomMoments(count: number, end: number): number[] {
  const random = seededRandom(10);
  const distances = Array.from({ length: count }, () => random());
  const sum = distances.reduce((a, b) => a + b, 0);
  let at = 0;
  return distances.map((distance) => {
    at += (distance / sum) * end;
    return at;
  });
}

async function makeCertificate(
  folder: string,
): Promise<NonNullable<FaultProxyProps['tls']> & { file: string }> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1';
  const args = [
    ...request.split(' '),
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    key,
    '-out',
    cert,
  ];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8'), file: cert };
}
