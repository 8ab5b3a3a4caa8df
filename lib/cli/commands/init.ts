import { existsSync } from 'node:fs';
import { Command } from 'commander';
import * as z from 'zod';
import { assertLocal } from '../assert-local.js';
import { example } from '../example.js';
import { BACKENDS, newApp } from '../init/new-app.js';
import { ownSpec } from '../init/own-spec.js';
import { writeNewFolder } from '../init/write-new-folder.js';
import { parseOptions } from '../parse-options.js';

const optionsSchema = z.object({
  folder: z.string().min(1, 'must name a directory'),
  backend: z.enum(BACKENDS, { error: `must be ${BACKENDS.join(' or ')}` }),
});

const FLAGS = { folder: 'DIR', backend: '--backend' };

export function initCommand(): Command {
  return new Command('init')
    .description('write a CDK app that deploys the service to AWS, for those who have no clone')
    .argument('<DIR>', 'of the app: a new directory, or an empty one')
    .option('--backend <NAME>', 'what draws: sagemaker (an endpoint) or ec2 (an instance)', 'sagemaker')
    .addHelpText('after', example('init pictures --backend ec2'))
    .action((folder: string, options: object) => init({ folder, ...options }));
}

async function init(values: unknown): Promise<void> {
  const { folder, backend } = parseOptions(optionsSchema, values, FLAGS);
  assertLocal('DIR', folder);
  const own = await ownSpec();
  await writeNewFolder(folder, await newApp(folder, { backend, own }));
  process.stdout.write(`${folder}\n`);
  process.stderr.write(`${nextSteps(own)}\n`);
}

function nextSteps(own: string): string {
  const steps = 'in it: npm install, npx cdk bootstrap (once), npx cdk deploy; its README.md says more';
  const [, tarball] = /^file:(.*)/s.exec(own) ?? [];
  if (tarball === undefined || existsSync(tarball)) return steps;
  return `${tarball} is not there: in a clone, npm run pack:main makes it\n${steps}`;
}
