import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import sharp from 'sharp';
import { expect } from 'vitest';
import { createClient } from '../../../lib/client/create-client.js';
import { ROOT } from '../../support/reference.js';
import { type Account, OPTIONS } from '../account.js';
import { DOCKER_STAND_IN } from '../cdk.js';
import type { DeployedStack } from '../deployed-stack.js';

const run = promisify(execFile);

/** Of OpenAI's package, whose retries come as soon as the wakes before were short. */
const PATIENCE = 200;

/** The programs that people use, each of which finds the endpoint asleep and waits for its picture. */
export const CALLERS: readonly [string, (account: Account, stack: DeployedStack) => Promise<void>][] = [
  ["OpenAI's package", openai],
  ['the typed client', typedClient],
  ['npx sd-turbo generate --endpoint', command],
];

async function openai({ side }: Account, { url, key, fetch }: DeployedStack): Promise<void> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: PATIENCE, fetch });
  const { data } = await client.images.generate({ prompt: 'a house' });
  await expectPicture(Buffer.from(data?.[0]?.b64_json ?? '', 'base64'), side);
}

async function typedClient({ side }: Account, stack: DeployedStack): Promise<void> {
  const { url, key, fetch, waitsForWakes } = stack;
  const ids = new Set<string | undefined>();
  const client = createClient({ url, apiKey: key, fetch });
  const onProgress = ({ id }: { id?: string }) => void ids.add(id);
  const { images } = await client.generate({ prompt: 'a boat' }, { onProgress });
  await expectPicture(Buffer.from(images[0] as Uint8Array), side);
  if (!waitsForWakes) expect(ids.size, 'it was followed').toBe(2);
}

async function command({ side, work, emulator }: Account, { url, key }: DeployedStack): Promise<void> {
  const out = join(work, 'command.png');
  const args = ['generate', 'a tree', '--endpoint', url, '--out', out];
  await run(process.execPath, [join(ROOT, 'lib/cli/sd-turbo.mjs'), ...args], {
    env: { ...process.env, ...emulator.callerEnvironment, SD_TURBO_API_KEY: key },
  });
  await expectPicture(out, side);
}

async function expectPicture(picture: Buffer | string, side: number): Promise<void> {
  expect(await sharp(picture).metadata()).toMatchObject({ format: 'png', width: side, height: side });
}

/** `npx sd-turbo doctor` for a stack of the tour. */
export async function doctor(
  { emulator }: Account,
  stack: string,
  types = 'ml.g4dn.xlarge',
): Promise<string> {
  const { model, revision } = OPTIONS;
  const options = [
    '--stack-name',
    stack,
    '--instance-types',
    types,
    '--model',
    model,
    '--revision',
    revision,
  ];
  const args = [join(ROOT, 'lib/cli/sd-turbo.mjs'), 'doctor', ...options, '--taesd', 'none'];
  const env = {
    ...process.env,
    ...emulator.environment,
    CDK_DOCKER: DOCKER_STAND_IN,
    DOCKER_LOG: '/dev/null',
  };
  const { stdout, stderr } = await run(process.execPath, args, { env }).catch((error) => error);
  return `${stdout}${stderr}`;
}

/** The script that a person runs after a real deploy. @returns what it has printed */
export async function smoke({ emulator }: Account, { url, key }: DeployedStack): Promise<string> {
  const script = [join(ROOT, 'test/support/run-ts.mjs'), join(ROOT, 'test/smoke/deployed.ts')];
  const { stdout } = await run(process.execPath, [...script, '--url', url, '--api-key', key], {
    env: { ...process.env, ...emulator.callerEnvironment },
  }).catch((error) => {
    throw new Error(`the smoke script: ${error.stdout}${error.stderr}`);
  });
  return stdout;
}
