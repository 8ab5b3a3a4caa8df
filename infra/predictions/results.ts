import { CustomResource, Duration } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { type Bucket, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { Construct, type IDependable } from 'constructs';
import { acknowledge, wildcard } from '../basics/acknowledge.js';
import type { FunctionBasics } from '../basics/function-settings.js';
import { NodeFunction } from '../basics/node-function.js';
import { PrivateBucket } from '../basics/private-bucket.js';

/**
 * `predictions/{id}/*`, records and pictures, expires, and with it `owners/{owner}/*`, which says whose it is; `wake.json`
 * and `worker.json` do not.
 */
const PREDICTIONS = 'predictions/';
const OWNERS = 'owners/';
const WAKE_LOG = 'wake.json';
const WORKER_STATE = 'worker.json';

export interface ResultsProps {
  /** After so many days a prediction counts as gone. */
  readonly retentionDays: number;
  /** Whether they outlive the stack: until they expire, that is. */
  readonly keep: boolean;
  /** Of pages that may read pictures by their addresses. @default none */
  readonly corsOrigins?: readonly string[];
  readonly basics: FunctionBasics;
}

/** What has been accepted and what became of it. */
export class Results extends Construct {
  /** What a function needs to know of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #bucket: Bucket;
  readonly #emptying: IDependable | undefined;

  constructor(scope: Construct, id: string, props: ResultsProps) {
    super(scope, id);
    const { retentionDays, keep, corsOrigins, basics } = props;
    const expiration = Duration.days(retentionDays + 1);
    const lifecycleRules = [PREDICTIONS, OWNERS].map((prefix) => ({ prefix, expiration }));
    const cors = corsOrigins && [{ allowedMethods: [HttpMethods.GET], allowedOrigins: [...corsOrigins] }];
    this.#bucket = new PrivateBucket(this, 'Objects', { lifecycleRules, keep, ...(cors && { cors }) }).bucket;
    this.environment = {
      RESULTS_BUCKET: this.#bucket.bucketName,
      RETENTION_DAYS: String(retentionDays),
    };
    this.#emptying = keep ? undefined : this.#emptyAtTheEnd(basics);
  }

  /** Know when the endpoint was woken, and say so. */
  grantWakeLog(grantee: IGrantable): Grant {
    return this.#grantObjects(grantee, this.#bucket.arnForObjects(WAKE_LOG));
  }

  /** Say what a worker that pulls is doing. */
  grantWorkerState(grantee: IGrantable): Grant {
    return this.#grantObjects(grantee, this.#bucket.arnForObjects(WORKER_STATE));
  }

  /** Know what it is doing. Who may not list is told 403 of a record that is not there, instead of 404. */
  grantReadWorkerState(grantee: IGrantable): Grant {
    return this.#allow(grantee, 's3:GetObject', this.#bucket.arnForObjects(WORKER_STATE)).combine(
      this.#allow(grantee, 's3:ListBucket', this.#bucket.bucketArn),
    );
  }

  /** Read and write predictions. Who may not list is told 403 of a record that is not there, instead of 404. */
  grantPredictions(grantee: IGrantable & Construct): Grant {
    const objects = this.#bucket.arnForObjects(`${PREDICTIONS}*`);
    acknowledge(grantee, { [wildcard(this, objects)]: 'The ids of predictions are made at run time.' });
    // Nobody may be left to fill the bucket again when it is emptied.
    if (this.#emptying) grantee.node.addDependency(this.#emptying);
    return this.#grantObjects(grantee, objects).combine(
      this.#allow(grantee, 's3:ListBucket', this.#bucket.bucketArn),
    );
  }

  /** Say whose predictions are, with what `grantPredictions` grants; nobody reads an entry, whose name says it all. */
  grantLists(grantee: IGrantable & Construct): Grant {
    const entries = this.#bucket.arnForObjects(`${OWNERS}*`);
    acknowledge(grantee, {
      [wildcard(this, entries)]: 'An entry is named after its prediction, at run time.',
    });
    return this.#allow(grantee, 's3:PutObject', entries);
  }

  #allow(grantee: IGrantable, action: string, resource: string): Grant {
    return Grant.addToPrincipal({ grantee, actions: [action], resourceArns: [resource] });
  }

  #grantObjects(grantee: IGrantable, arn: string): Grant {
    return Grant.addToPrincipal({ grantee, actions: ['s3:GetObject', 's3:PutObject'], resourceArns: [arn] });
  }

  /** CloudFormation deletes no bucket that has objects. CDK's own helper would need wider permissions, and leave its log. */
  #emptyAtTheEnd(basics: FunctionBasics): IDependable {
    const emptier = new NodeFunction(this, 'Emptier', {
      ...basics,
      description: 'Deletes all results when the stack is deleted',
      bundle: 'empty-bucket',
      timeout: Duration.minutes(15),
      memory: 256,
    });
    const allow = (action: string, resource: string) =>
      Grant.addToPrincipal({ grantee: emptier, actions: [action], resourceArns: [resource] });
    const everything = this.#bucket.arnForObjects('*');
    allow('s3:DeleteObject', everything);
    allow('s3:ListBucket', this.#bucket.bucketArn);
    acknowledge(emptier, { [wildcard(this, everything)]: 'It is there to delete every object.' });
    const resource = new CustomResource(this, 'Emptying', {
      resourceType: 'Custom::EmptyBucket',
      serviceToken: emptier.function.functionArn,
      serviceTimeout: Duration.minutes(20),
      properties: { Bucket: this.#bucket.bucketName },
    });
    resource.node.addDependency(emptier, this.#bucket);
    return resource;
  }
}
