import { Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct, type IDependable } from 'constructs';
import { SELF_TEST_NAME } from '../../lib/schemas/self-test.js';
import { wildcard } from '../basics/acknowledge.js';
import type { ModelBundle } from './model-bundle.js';

export interface ExistingModelProps {
  /** `s3://bucket/prefix` of a finished bundle, where the stack's roles may read. */
  readonly uri: string;
}

/** Weights that somebody brought: `sd-turbo import --to s3://...`. The stack neither makes nor deletes them. */
export class ExistingModel extends Construct implements ModelBundle {
  readonly uri: string;
  readonly ready: IDependable = this;
  readonly readReasons: Readonly<Record<string, string>>;
  readonly #objects: string;
  readonly #bucket: string;
  readonly #record: string;

  constructor(scope: Construct, id: string, { uri }: ExistingModelProps) {
    super(scope, id);
    this.uri = uri;
    const [bucket = '', ...prefix] = uri.slice('s3://'.length).split('/');
    const arn = (resource: string) =>
      Stack.of(this).formatArn({ service: 's3', region: '', account: '', resource });
    this.#bucket = arn(bucket);
    this.#objects = arn(`${bucket}/${prefix.join('/')}/*`);
    this.#record = arn(`${bucket}/${prefix.concat(SELF_TEST_NAME).join('/')}`);
    this.readReasons = {
      [wildcard(this, this.#objects)]: 'Which files a bundle has is in its manifest.',
    };
  }

  grantRead(grantee: IGrantable): void {
    const allow = (action: string, resource: string) =>
      Grant.addToPrincipal({ grantee, actions: [action], resourceArns: [resource] });
    allow('s3:GetObject', this.#objects);
    allow('s3:ListBucket', this.#bucket);
  }

  grantRecord(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ['s3:PutObject'], resourceArns: [this.#record] });
  }
}
