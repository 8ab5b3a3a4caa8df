import type { RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

/** What both backends take. */
export interface CommonProps {
  /**
   * Of the service in its metrics and logs, and of what must have a name; one of its kind in an account's region. Letters,
   * digits and single dashes, 40 at most. @default made of the names of the stack and of this construct
   */
  readonly name?: string;
  /** The weights. @default stabilityai/sd-turbo and its small decoder, imported from Hugging Face at the deploy */
  readonly model?: ModelProps;
  /** How pictures are drawn. @default in float16, by CUDA's own kernels */
  readonly drawing?: DrawingProps;
  /** How it is called, and how often. @default one key, 20000 requests a day */
  readonly api?: ApiProps;
  /** @default a day */
  readonly predictions?: PredictionProps;
  /** @default 30 days */
  readonly logs?: LogProps;
  /** Who is told when something is wrong. @default nobody; the dashboard shows it */
  readonly alarms?: AlarmProps;
  /**
   * What becomes of the buckets, that is of predictions and imported weights, when the stack or this construct goes:
   * `DESTROY` or `RETAIN`. @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
}

export interface ModelProps {
  /** `OWNER/NAME` of a checkpoint on Hugging Face. @default 'stabilityai/sd-turbo' */
  readonly repository?: string;
  /** Commit, tag or branch of it; another one is imported beside the old one. @default the commit this was built for */
  readonly revision?: string;
  /** `OWNER/NAME` of a TAESD decoder on Hugging Face, or `none`. @default 'madebyollin/taesd' */
  readonly taesd?: string;
  /** Commit, tag or branch of it. @default 'main', as it is at the first deploy */
  readonly taesdRevision?: string;
  /** `s3://bucket/prefix` of a finished bundle (`sd-turbo import --to`), instead of an import. @default none */
  readonly uri?: string;
  /** Whether the imported weights outlive the stack, and are billed on. @default as `removalPolicy` */
  readonly keep?: boolean;
}

export interface DrawingProps {
  /** `cuda` has kernels for NVIDIA GPUs only, `standard` ONNX's own operators. @default 'cuda' */
  readonly dialect?: 'cuda' | 'standard';
  /** Of the arithmetic; `cuda` computes in float16. @default 'float16' */
  readonly precision?: 'float16' | 'float32';
  /** Whether pictures can begin with one (`image`): 70 MB more, which each wake loads. @default false */
  readonly imageToImage?: boolean;
  /** Of requests that name none. @default 'vae' */
  readonly decoder?: 'vae' | 'taesd';
  /** `fused` is fastest, `exact` for whoever finds black pictures. @default 'guarded' */
  readonly attentionKernels?: 'fused' | 'guarded' | 'exact';
}

export interface ApiProps {
  /** Of each key: requests a second, 1 to 10000. @default 10 */
  readonly rateLimit?: number;
  /** Of each key: requests at once on top of that, 1 to 5000. @default 20 */
  readonly burstLimit?: number;
  /** Of each key: requests a day, 1 to 100000000: what one that leaks can cost. @default 20000 */
  readonly dailyQuota?: number;
  /**
   * Pages of these origins may use the service: `https://app.example.com`, or `*` for any. Whoever opens such a page can read
   * the key that it sends. @default none
   */
  readonly corsOrigins?: readonly string[];
  /** Of the API key: 20 to 128 letters, digits, dashes or underscores; from a parameter or a secret. @default a random one */
  readonly keyValue?: SecretValue;
  /**
   * The gateway's log of requests, refused ones included. It is written with a role that is the account's, for all its
   * APIs: `set-role` gives the account one where it has none, and touches no other; `keep-role` leaves it to the account to
   * have one, without which the deploy fails; with `none` there is no such log. @default 'set-role'
   */
  readonly accessLog?: 'set-role' | 'keep-role' | 'none';
  /** An address of one's own. @default the gateway's */
  readonly customDomain?: CustomDomain;
}

export interface CustomDomain {
  /** `pictures.example.com` */
  readonly domainName: string;
  /** For `domainName`, in the region of the stack. */
  readonly certificate: ICertificate;
  /** Path below which the service answers: letters, digits, dots, dashes and underscores. @default the domain is the service's alone */
  readonly basePath?: string;
  /** Gets the record of `domainName`. @default none: make one, to `customDomainTarget` */
  readonly hostedZone?: IHostedZone;
}

export interface PredictionProps {
  /** Days that predictions are kept, 1 to 3650: about $0.01 a month for 1,000 pictures. @default 1 */
  readonly retentionDays?: number;
}

export interface LogProps {
  /** Days that logs are kept. @default RetentionDays.ONE_MONTH */
  readonly retentionDays?: RetentionDays;
}

export interface AlarmProps {
  /** Gets a mail. @default nobody does */
  readonly email?: string;
  /** Is told. CloudWatch must be allowed to publish to it. @default one of its own where there is an `email`, else none */
  readonly topic?: ITopic;
  /** Dollars a month of the whole account, 1 to 1000000, above which `email` is told. @default no budget */
  readonly monthlyBudget?: number;
}
