import { join } from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { FileKeys } from '../../keys/file-keys.js';
import { DEFAULT_KEY_NAME, KEY_NAME, QUOTA_PERIODS, type Quota } from '../../keys/key-file.js';
import type { KeyInfo, KeyLimits, KeyStore } from '../../keys/key-store.js';
import { assertInstalled, KEYS_PACKAGES } from '../assert-installed.js';
import { assertLocal } from '../assert-local.js';
import { readEnvironment } from '../environment.js';
import { example } from '../example.js';
import { parseNumber } from '../parse-number.js';
import { parseOptions } from '../parse-options.js';

/** API Gateway's own limits. */
const MAX_QUOTA = 2_147_483_647;
const MAX_RATE = 10_000;

const rate = { error: `must be an integer from 1 to ${MAX_RATE}` };
const placeShape = {
  data: z.string().min(1, { error: 'must not be empty' }).optional(),
  stackName: z
    .string()
    .regex(/^[A-Za-z](-?[A-Za-z0-9])*$/, 'must be letters, digits and single dashes')
    .max(128)
    .optional(),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'must be a region such as us-east-1')
    .optional(),
};
const addSchema = z.object({
  ...placeShape,
  quota: z.string().transform(parseQuota).optional(),
  rate: z.int(rate).min(1, rate).max(MAX_RATE, rate).optional(),
});
const placeSchema = z.object(placeShape);
type Place = z.infer<typeof placeSchema>;

const FLAGS = {
  data: '--data',
  stackName: '--stack-name',
  region: '--region',
  quota: '--quota',
  rate: '--rate',
};

export function keysCommand(): Command {
  return new Command('keys')
    .description('give others keys of their own, with quotas of their own, and take them back')
    .addCommand(
      atPlace(new Command('add'))
        .description('make a key, and print it: nothing can show it again')
        .argument('<NAME>', 'whose it is: letters, digits, - and _')
        .option('--quota <N/PERIOD>', "most requests: 500/day, 10000/month (default: the service's own)")
        .option('--rate <N>', 'most requests a second, and twice as many at once', parseNumber)
        .addHelpText('after', example('keys add alice --quota 500/day'))
        .action((name: string, options: unknown) => add(name, parseOptions(addSchema, options, FLAGS))),
    )
    .addCommand(
      atPlace(new Command('list'))
        .description('names and limits (the default)')
        .option('--json', 'print one JSON array on stdout')
        .addHelpText('after', example('keys list --json'))
        .action((options: { json?: boolean }) =>
          list(parseOptions(placeSchema, options, FLAGS), options.json === true),
        ),
      { isDefault: true },
    )
    .addCommand(
      atPlace(new Command('remove'))
        .description('take keys back: the next request with one is refused')
        .argument('[NAME...]', 'as they are listed')
        .option('--all', 'all that were added')
        .addHelpText('after', example('keys remove alice'))
        .action((names: string[], options: { all?: boolean }) =>
          remove(names, parseOptions(placeSchema, options, FLAGS), options.all === true),
        ),
    )
    .addHelpText('after', '\nWithout --stack-name: of the service at home, whose --data it is.')
    .addHelpText('after', example('keys add alice'));
}

/** Which service. */
function atPlace(command: Command): Command {
  return command
    .option(
      '--stack-name <NAME>',
      'of a service on AWS, as -c stackName; credentials as the AWS CLI finds them',
    )
    .option('--region <REGION>', "of the stack (default: the AWS CLI's)")
    .option(
      '--data <DIR>',
      'of a service at home, as serve --data (default: ~/.local/share/sd-turbo/service)',
    );
}

async function open({ data, stackName, region }: Place): Promise<KeyStore> {
  if (stackName === undefined) {
    if (region !== undefined) throw new AppError('INVALID_INPUT', '--region goes with --stack-name');
    if (data !== undefined) assertLocal('--data', data);
    return new FileKeys(data ?? join(readEnvironment().data, 'service'));
  }
  if (data !== undefined) throw new AppError('INVALID_INPUT', '--data and --stack-name are two services');
  assertInstalled('keys --stack-name', KEYS_PACKAGES);
  const { AwsKeys } = await import('../../keys/aws/aws-keys.js');
  return new AwsKeys(stackName, region);
}

/** The key alone is on stdout, so that a variable can take it. */
async function add(name: string, { quota, rate, ...place }: z.infer<typeof addSchema>): Promise<void> {
  checkName(name);
  const store = await open(place);
  const key = await store.add(name, { ...(quota && { quota }), ...(rate !== undefined && { rate }) });
  process.stderr.write(`The key of ${name}, which nothing can show again:\n`);
  process.stdout.write(`${key}\n`);
}

async function list(place: Place, asJson: boolean): Promise<void> {
  const keys = await (await open(place)).list();
  process.stdout.write(asJson ? `${JSON.stringify(keys.map(toJson))}\n` : inWords(keys));
}

async function remove(names: readonly string[], place: Place, all: boolean): Promise<void> {
  if (all === names.length > 0)
    throw new AppError('INVALID_INPUT', 'keys remove takes the NAME of a key, or --all');
  names.forEach(checkName);
  const store = await open(place);
  const wanted = all
    ? (await store.list()).map(({ name }) => name).filter((name) => name !== DEFAULT_KEY_NAME)
    : names;
  for (const name of wanted) {
    await store.remove(name);
    process.stdout.write(`${name} is removed\n`);
  }
}

function checkName(name: string): void {
  if (KEY_NAME.test(name)) return;
  throw new AppError(
    'INVALID_INPUT',
    'NAME must be up to 48 letters, digits, - and _, and begin with a letter or a digit',
  );
}

/** `500/day`, `500 per month`, and `500` for a day's. */
function parseQuota(text: string, context: z.RefinementCtx): Quota {
  const [, digits, period = 'day'] = /^\s*(\d{1,10})\s*(?:(?:\/|per)\s*(\w+))?\s*$/i.exec(text) ?? [];
  const known = QUOTA_PERIODS.find((each) => each === period.toLowerCase());
  const limit = Number(digits);
  if (known && limit >= 1 && limit <= MAX_QUOTA) return { limit, period: known };
  context.addIssue({
    code: 'custom',
    message: 'must be a number per day or month, as 500/day or 10000/month',
  });
  return z.NEVER;
}

function inWords(keys: readonly KeyInfo[]): string {
  if (keys.length === 0) return 'No key has been added: npx sd-turbo keys add NAME makes one.\n';
  const width = Math.max(...keys.map(({ name }) => name.length));
  return keys
    .map((key) => `${key.name.padEnd(width)}  ${[...limitsInWords(key), ...since(key)].join(', ')}\n`)
    .join('');
}

function limitsInWords({ quota, rate }: KeyLimits): string[] {
  const said = [
    ...(quota ? [`${quota.limit} requests a ${quota.period}`] : []),
    ...(rate === undefined ? [] : [`${rate} a second`]),
  ];
  return said.length > 0 ? said : ['no limits of its own'];
}

function since({ createdAt }: KeyInfo): string[] {
  return createdAt === undefined ? [] : [`since ${createdAt.slice(0, 10)}`];
}

function toJson({ name, quota, rate, createdAt }: KeyInfo) {
  return { name, quota: quota ?? null, rate: rate ?? null, created_at: createdAt ?? null };
}
