import { createHash } from 'node:crypto';
import { CfnDeletionPolicy, type CfnResource, CustomResource, Duration } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IDependable } from 'constructs';
import { SELF_TEST_NAME } from '../../lib/schemas/self-test.js';
import { acknowledge, wildcard } from '../basics/acknowledge.js';
import type { FunctionBasics } from '../basics/function-settings.js';
import { NodeFunction } from '../basics/node-function.js';
import { PrivateBucket } from '../basics/private-bucket.js';
import type { ModelBundle } from './model-bundle.js';

const BUNDLES = 'bundles';
/** Lambda's longest. The function itself gives up half a minute earlier, and says how far it came. */
const TIMEOUT = Duration.minutes(15);
/**
 * Megabytes. One core for the checksums, and the network that comes with it; the import itself was measured with
 * 303 MB at most, whatever the size of the model.
 */
const MEMORY = 2048;

/** What is imported. */
export interface ModelSource {
  /** `owner/name` on Hugging Face. */
  readonly model: string;
  readonly revision: string;
  /** `owner/name` on Hugging Face, or `none`. */
  readonly taesd: string;
  readonly taesdRevision: string;
  readonly dialect: string;
  readonly precision: string;
  readonly imageToImage: boolean;
}

export interface ImportedModelProps {
  readonly source: ModelSource;
  /** Whether the weights outlive the stack. */
  readonly keep: boolean;
  /** Fingerprints of what makes a bundle: another one may make other bytes. */
  readonly exporter: readonly string[];
  readonly basics: FunctionBasics;
}

/**
 * The weights: a bucket, and at deploy an import from Hugging Face into it, unless the bundle is there. Whatever makes
 * a difference to a bundle is in its prefix, so that a bundle never changes. After an update CloudFormation deletes the
 * old resource, and the function the old bundle, when the endpoint has moved to the new one; after a failed update it
 * deletes the new one.
 */
export class ImportedModel extends Construct implements ModelBundle {
  readonly uri: string;
  readonly ready: IDependable;
  readonly readReasons: Readonly<Record<string, string>>;
  readonly #bucket: Bucket;
  /** The files of all bundles: while an update goes on, copies with the old one may still have to start. */
  readonly #files: string;
  readonly #record: string;

  constructor(scope: Construct, id: string, props: ImportedModelProps) {
    super(scope, id);
    const { source, keep, exporter } = props;
    this.#bucket = new PrivateBucket(this, 'Weights', { keep }).bucket;
    this.#files = this.#bucket.arnForObjects(`${BUNDLES}/*`);
    const prefix = prefixOf(source, exporter);
    this.#record = this.#bucket.arnForObjects(`${prefix}/${SELF_TEST_NAME}`);
    this.uri = `s3://${this.#bucket.bucketName}/${prefix}`;
    this.readReasons = {
      [wildcard(this, this.#files)]: 'Which files a bundle has is in its manifest.',
    };
    const importer = this.#makeImporter(props);
    const resource = new CustomResource(this, 'Bundle', {
      resourceType: 'Custom::ModelBundle',
      serviceToken: importer.function.functionArn,
      // A function that was killed says nothing: Lambda starts it again, twice.
      serviceTimeout: TIMEOUT.plus(Duration.minutes(5)),
      properties: {
        From: `hf:${source.model}@${source.revision}`,
        ...(source.taesd !== 'none' && { Taesd: `hf:${source.taesd}@${source.taesdRevision}` }),
        Dialect: source.dialect,
        Precision: source.precision,
        Encoder: String(source.imageToImage),
        Bucket: this.#bucket.bucketName,
        Prefix: prefix,
      },
    });
    // Of the stack's end only: after an update the old bundle goes all the same.
    if (keep)
      (resource.node.defaultChild as CfnResource).cfnOptions.deletionPolicy =
        CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
    // With its permissions, and the bucket's policy: both are needed to delete, too.
    resource.node.addDependency(importer, this.#bucket);
    this.ready = resource;
  }

  grantRead(grantee: IGrantable): void {
    const allow = (action: string, resource: string) =>
      Grant.addToPrincipal({ grantee, actions: [action], resourceArns: [resource] });
    allow('s3:GetObject', this.#files);
    // Who may not list is told 403 of a file that is not there, instead of 404.
    allow('s3:ListBucket', this.#bucket.bucketArn);
  }

  grantRecord(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['s3:PutObject'], resourceArns: [this.#record] });
  }

  #makeImporter({ basics }: ImportedModelProps): NodeFunction {
    const importer = new NodeFunction(this, 'Importer', {
      ...basics,
      description: 'Brings the weights from Hugging Face at deploy, deletes them with the stack',
      bundle: 'import-weights',
      timeout: TIMEOUT,
      memory: MEMORY,
    });
    const allow = (resource: string, ...actions: string[]) =>
      Grant.addToPrincipal({ grantee: importer, actions, resourceArns: [resource] });
    allow(this.#files, 's3:AbortMultipartUpload', 's3:DeleteObject', 's3:GetObject', 's3:PutObject');
    allow(this.#bucket.bucketArn, 's3:ListBucket', 's3:ListBucketMultipartUploads');
    acknowledge(importer, {
      [wildcard(this, this.#files)]: 'Which files a bundle has is known when it has been imported.',
    });
    return importer;
  }
}

/** `bundles/sd-turbo/cuda-float16-0123456789ab`: readable, and other for whatever makes other bytes. */
function prefixOf(source: ModelSource, exporter: readonly string[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([source, exporter]))
    .digest('hex')
    .slice(0, 12);
  const name = source.model.split('/')[1];
  return `${BUNDLES}/${name}/${source.dialect}-${source.precision}-${hash}`;
}
