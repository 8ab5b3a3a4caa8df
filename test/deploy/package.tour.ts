import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../lib/client/create-client.js';
import { pack } from '../../packages/pack.mjs';
import { emptyProject, execute, npm } from '../packages/project.js';
import { Account, OPTIONS, workFolder } from './account.js';
import { AccountApi } from './account-api.js';
import { DeployedStack } from './deployed-stack.js';
import { leftovers } from './steps/leftovers.js';

// From the published package, without a clone: the app that `sd-turbo init` writes is deployed, gets a second service of the
// other backend, draws a picture through each, and is destroyed.

const STACK = 'gallery';
const work = workFolder();
const app = join(work, STACK);
/** The tour's model, for a CPU. */
const SMALL = `model: ${JSON.stringify({ repository: OPTIONS.model, revision: OPTIONS.revision, taesd: OPTIONS.taesd })}, drawing: { dialect: 'standard' }`;
const SECOND = `
const second = new SdTurbo(stack, 'Second', { backend: 'ec2', ${SMALL}, sleep: { idleSeconds: 20 } });
new CfnOutput(stack, 'SecondUrl', { value: second.url });
new CfnOutput(stack, 'SecondApiKeyId', { value: second.apiKey.keyId });
`;

let account: Account;
let bootstrapped: Record<string, string[]>;

beforeAll(async () => {
  const { file } = await pack('main', work);
  const installer = emptyProject(work, 'installer');
  await npm(installer, 'install', file);
  await execute('npx', ['--no-install', 'sd-turbo', 'init', app], installer);
  await npm(app, 'install');
  account = await Account.openFor(work, app, await server());
  bootstrapped = await account.bootstrap();
});
afterAll(() => account?.close());

test("the app as init writes it, with the tour's small model: a picture", async () => {
  change((code) => code.replace("backend: 'sagemaker'", `$&, ${SMALL}`));
  const outputs = await account.cdk.deploy(STACK, {});
  await expectPicture(outputs['Url'], outputs['ApiKeyId']);
});

test('another backend beside it in the same stack: a picture through each', async () => {
  change((code) => code + SECOND);
  const outputs = await account.cdk.deploy(STACK, {});
  await expectPicture(outputs['Url'], outputs['ApiKeyId']);
  await expectPicture(outputs['SecondUrl'], outputs['SecondApiKeyId']);
});

test('destroyed, nothing is left but images, and the role that the account had not', async () => {
  await account.cdk.destroy(STACK);
  // Every account has a bus, which the emulator makes when it is first asked for.
  const { 'eventbridge.buses': _, ...left } = leftovers(bootstrapped, await account.emulator.inventory());
  expect(left).toEqual({ 'ecr.images': expect.any(Array), 'iam.roles': ['sd-turbo-gateway-logs'] });
  expect(await account.emulator.refusals()).toEqual([]);
  account.isGood = true;
});

function change(edit: (code: string) => string): void {
  const file = join(app, 'app.ts');
  writeFileSync(file, edit(readFileSync(file, 'utf8')));
}

/** Whether or not the service is asleep. */
async function expectPicture(url = '', keyId = ''): Promise<void> {
  const apiKey = await new AccountApi(account.emulator).apiKey(keyId);
  const { fetch } = new DeployedStack({ emulator: account.emulator, name: STACK, url, key: apiKey });
  const { images } = await createClient({ url, apiKey, fetch }).generate({ prompt: 'a tree' });
  expect(await sharp(images[0]).metadata()).toMatchObject({ format: 'png', width: account.side });
}

/** What stage `server` of the package's Dockerfile makes of its build context: /opt/server, with npm's own packages. */
async function server(): Promise<string> {
  const context = join(work, 'context');
  cpSync(join(app, 'node_modules/sd-turbo-serverless/dist/image'), context, { recursive: true });
  await npm(context, 'ci', '--omit=dev', '--ignore-scripts');
  const packages = join(context, 'bundle/node_modules');
  await execute(process.execPath, ['functions/endpoint/runtime-packages.mjs', '--outdir', packages], context);
  return join(context, 'bundle/server.mjs');
}
