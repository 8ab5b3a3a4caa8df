import { Token } from 'aws-cdk-lib';
import * as z from 'zod';
import { ATTENTION_KERNELS } from '../../lib/schemas/attention-kernels.js';
import { corsOrigins } from '../../lib/schemas/cors-origins.js';
import { DECODERS, MAX_IMAGES } from '../../lib/schemas/request.js';
import { BACKENDS } from './backends.js';
import { boolean, COMMIT, integer, lateList, lateText, list, money } from './option-types.js';
import { readWarmHours, type WarmHours } from './warm-hours.js';

/** GPU families that CUDA 13 and its driver run on; all of them have at least one NVIDIA GPU. With `ml.` SageMaker's. */
const INSTANCE_TYPE = /^(ml\.)?(g4dn|g5|g6|g6e|p4d|p4de|p5)\.[a-z0-9]+$/;
/** CloudWatch looks back one day at most; one alarm needs 30 minutes more than `idleMinutes`. */
const MAX_IDLE_MINUTES = 1380;
/** SageMaker's priorities of instance types: 1 to 5. */
const MAX_INSTANCE_TYPES = 5;
/** Longer is a machine that hardly sleeps: its clock runs eleven hours. */
const MAX_IDLE_SECONDS = 6 * 3600;
const ACCESS_LOG_MODES = ['set-role', 'keep-role', 'none'] as const;
/** CloudWatch's; the last one of CDK's stands for ever. */
const LOG_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  9999,
];

export const optionsSchema = z.strictObject({
  /** Name of the stack; whatever needs a name is named after it. Two of them may live in one account. @default 'sd-turbo' */
  stackName: z
    .string()
    .regex(/^[A-Za-z](-?[A-Za-z0-9]){0,39}$/, 'must be letters, digits and single dashes, 40 at most')
    // Of these Systems Manager makes no parameters.
    .regex(/^(?!aws|ssm)/i, 'must not begin with aws or ssm')
    .default('sd-turbo'),
  /** @default the AWS CLI's */
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d+$/, 'must be a region such as us-east-1')
    .optional(),

  /** What draws: an endpoint of SageMaker, or an instance of one's own that is kept stopped. @default 'sagemaker' */
  backend: z.enum(BACKENDS, { error: 'must be sagemaker or ec2' }).default('sagemaker'),
  /**
   * Billed by the second while an instance is up: about $0.736 an hour with `sagemaker`, $0.526 with `ec2` (us-east-1).
   * @default 'ml.g4dn.xlarge', with `ec2` 'g4dn.xlarge'
   */
  instanceType: z
    .string()
    .regex(INSTANCE_TYPE, 'must be a GPU type such as ml.g4dn.xlarge, with ec2 g4dn.xlarge')
    .optional(),
  /**
   * Taken in this order where there is none of `instanceType` to be had; each needs its quota.
   * @default none, with `ec2` 'g4dn.2xlarge,g5.xlarge,g6.xlarge'
   */
  fallbackInstanceTypes: list(INSTANCE_TYPE, 'must be GPU types such as ml.g5.xlarge,ml.g6.xlarge')
    .refine((types) => types.length < MAX_INSTANCE_TYPES, `must be ${MAX_INSTANCE_TYPES - 1} at most`)
    .optional(),
  /**
   * How SageMaker gives instances back, to try: whether it shortens the 12 minutes after the last copy is not known.
   * @default 'none', SageMaker's own way
   */
  scaleInPolicy: z
    .enum(['none', 'idle-release', 'consolidation'], { error: 'must be none, idle-release or consolidation' })
    .default('none'),
  /**
   * Most copies, each on an instance of its own. During an update one more instance may come up for some minutes.
   * More than 1 adds alarms for about $0.80 a month. @default 1
   */
  maxInstances: integer(1, 100).default(1),
  /** 0 sleeps when idle; 1 keeps one instance up all the time, about $540 a month. @default 0 */
  minCopies: integer(0, 100).default(0),
  /** Minutes without work before the last copy goes; each sleep pays for that and about 12 minutes more. @default 5 */
  idleMinutes: integer(5, MAX_IDLE_MINUTES).default(5),
  /** Hours in which one copy stays up, as `MON-FRI 08:00-18:00`; costs that many instance hours. @default none */
  warmHours: z
    .string()
    .refine(readWarmHours, 'must be days and hours such as MON-FRI 08:00-18:00, ending on the day they begin')
    .optional(),
  /** Of `warmHours`, as the IANA database names it. @default 'UTC' */
  timeZone: z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin').default('UTC'),

  /** Seconds without work before the instance powers off. @default 60 */
  idleSeconds: integer(10, MAX_IDLE_SECONDS).default(60),
  /** How many instances, each in a zone of its own, or the zones by name; one draws, the second is for a zone without room. @default 1 */
  zones: zones().default(1),
  /** Of an instance, for $0.08 a month and GB. The machine image has 30. @default 30 */
  diskGb: integer(30, 1000).default(30),
  /** What an instance starts from: `ami-...`, or `recommended`, AWS's newest at each deploy. @default 'recommended' */
  machineImage: lateText(
    /^(recommended|ami-[0-9a-f]{8,17})$/,
    'must be recommended, or an id such as ami-0123abcd',
  ).default('recommended'),
  /**
   * Of the instances: any word. Another one than at the last deploy makes them anew, whatever else is the same: for one
   * that was terminated by hand, or is broken. @default none
   */
  generation: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,20}$/, 'must be a word of up to 20 letters, digits and dashes')
    .optional(),
  /** Whether Session Manager may open a shell on an instance. @default false */
  sessionManager: boolean().default(false),
  /** A network for the instances, with `subnetIds`. @default one of their own */
  vpcId: lateText(/^vpc-[0-9a-f]{8,17}$/, 'must be an id such as vpc-0123abcd').optional(),

  /** Checkpoint on Hugging Face that the deploy imports. 2.6 GB in S3: about $0.06 a month. @default 'stabilityai/sd-turbo' */
  model: repo().default('stabilityai/sd-turbo'),
  /** Commit, tag or branch of `model`; a new one is imported beside the old one. @default the commit this was built for */
  revision: revision().default('b261bac6fd2cf515557d5d0707481eafa0485ec2'),
  /** TAESD decoder on Hugging Face, or `none`. @default 'madebyollin/taesd' */
  taesd: z.union([z.literal('none'), repo()]).default('madebyollin/taesd'),
  /** Its commit was not known where this was built: `main` is resolved at the first deploy. @default 'main' */
  taesdRevision: revision().default('main'),
  /** Of the graphs: `cuda` has kernels for NVIDIA GPUs only, `standard` ONNX's own operators. @default 'cuda' */
  dialect: z.enum(['standard', 'cuda'], { error: 'must be standard or cuda' }).default('cuda'),
  /** Of the arithmetic; cuda computes in float16. @default 'float16' */
  precision: z.enum(['float16', 'float32'], { error: 'must be float16 or float32' }).default('float16'),
  /** Whether pictures can begin with one (`image`): 70 MB more, which each wake loads. @default false */
  imageToImage: boolean().default(false),
  /** Decoder of requests that name none. @default 'vae' */
  decoder: z.enum(DECODERS, { error: 'must be vae or taesd' }).default('vae'),
  /** On the GPU: `fused` is fastest, `exact` for whoever finds black pictures. @default guarded */
  attentionKernels: z.enum(ATTENTION_KERNELS, { error: 'must be fused, guarded or exact' }).optional(),
  /**
   * Requests of which one run of the UNet draws a picture each, while others wait: for a GPU that one picture does not fill;
   * a T4 should gain nothing. More than 1 takes 3.3 GB more of its memory, and a seed's picture may differ by a level from
   * the one that is drawn alone. @default 1
   */
  maxBatchSize: integer(1, MAX_IMAGES).default(1),
  /** Finished bundle in a bucket of this account, instead of an import. @default none */
  modelUri: lateText(
    /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/[^/\s]+(\/[^/\s]+)*$/,
    'must be s3://bucket/prefix',
  ).optional(),
  /** Whether the imported weights outlive the stack, and are billed on. @default false, but true with `removalPolicy` retain */
  keepWeights: boolean().optional(),
  /** What becomes of the buckets when the stack goes: `destroy`, or `retain`, with predictions and weights. @default 'destroy' */
  removalPolicy: z.enum(['destroy', 'retain'], { error: 'must be destroy or retain' }).default('destroy'),

  /** Requests a second of the API key. @default 10 */
  rateLimit: integer(1, 10_000).default(10),
  /** Requests at once on top of that. @default 20 */
  burstLimit: integer(1, 5_000).default(20),
  /** Requests a day of the API key: what a key that leaks can cost. @default 20000 */
  dailyQuota: integer(1, 100_000_000).default(20_000),
  /**
   * Pages of these origins may use the service: `https://app.example.com,https://www.example.com`, or `*` for any. Whoever
   * opens such a page can read the key that it sends. @default none
   */
  corsOrigins: corsOrigins(Token.isUnresolved).optional(),

  /**
   * The gateway's log of requests, refused ones included. It is written with a role that is the account's, for all its
   * APIs: `set-role` gives the account one where it has none, and touches no other; `keep-role` leaves it to the account to
   * have one; with `none` there is no such log. @default 'set-role'
   */
  accessLog: z.enum(ACCESS_LOG_MODES, { error: 'must be set-role, keep-role or none' }).default('set-role'),

  /** Days that predictions are kept, in S3: about $0.01 a month for 1,000 pictures. @default 1 */
  retentionDays: integer(1, 3650).default(1),
  /** Days that logs are kept. @default 30 */
  logDays: z.coerce
    .number()
    .pipe(z.literal(LOG_DAYS, { error: `must be one of ${LOG_DAYS.slice(0, -1).join(', ')}` }))
    .default(30),
  /** Who is told of alarms. @default nobody; the dashboard shows them */
  alarmEmail: lateText((text) => z.email().safeParse(text).success, 'must be an e-mail address').optional(),
  /** Dollars a month of the whole account, above which `alarmEmail` is told. @default no budget */
  monthlyBudget: money(1, 1_000_000).optional(),

  /**
   * Subnets for the endpoint's containers, which must reach S3; with `ec2` one for each instance, and a way to AWS's services.
   * @default SageMaker's own network
   */
  subnetIds: lateList(/^subnet-[0-9a-f]{8,17}$/, 'must be ids such as subnet-0123abcd').optional(),
  /** Required with `subnetIds`. */
  securityGroupIds: lateList(/^sg-[0-9a-f]{8,17}$/, 'must be ids such as sg-0123abcd').optional(),
});

export type Config = Omit<z.output<typeof optionsSchema>, 'warmHours' | 'instanceType' | 'keepWeights'> & {
  readonly warmHours?: WarmHours;
  readonly instanceType: string;
  readonly keepWeights: boolean;
};

/** A number of them, or their names. */
function zones() {
  const error = 'must be 1, 2, or zones such as us-east-1a,us-east-1b';
  const names = list(/^[a-z]{2}(-[a-z]+)+-\d+[a-z]$/, error).refine((zones) => zones.length <= 2, error);
  return z.union([integer(1, 2), names], { error });
}

function repo() {
  return z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9_][\w.-]{0,95}$/, 'must be OWNER/NAME on Hugging Face');
}

function revision() {
  return z.string().regex(COMMIT, 'must be a commit, tag or branch');
}

function isTimeZone(name: string): boolean {
  // Node takes any case, AWS does not.
  if (!/^[A-Z][\w+-]*(\/[A-Z][\w+-]*)*$/.test(name)) return false;
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}
