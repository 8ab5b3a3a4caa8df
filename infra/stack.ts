import { Stack, type StackProps } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { Api } from './api.js';
import type { Config } from './config.js';
import { Endpoint } from './endpoint.js';
import { endpointImage } from './endpoint-image.js';
import { ExistingModel } from './existing-model.js';
import { ImportedModel } from './imported-model.js';
import type { ModelBundle } from './model-bundle.js';
import { PredictionQueue } from './prediction-queue.js';
import { Results } from './results.js';
import { WebhookSecret } from './webhook-secret.js';
import { Worker } from './worker.js';

/** Requests that a copy takes at once from the queue: what target tracking aims at, so that a backlog scales out. */
const MESSAGES_PER_COPY = 2;

export interface ServiceStackProps extends StackProps {
  readonly config: Config;
  /** Of the repository: what the image is built from. */
  readonly root: string;
  /** Folder of bundles, as `functions/bundle-lambda.mjs` makes it. */
  readonly bundles: string;
}

/** The whole service. */
export class ServiceStack extends Stack {
  constructor(scope: Construct, id: string, { config, root, bundles, ...props }: ServiceStackProps) {
    super(scope, id, props);
    const name = config.stackName;
    const logDays: RetentionDays = config.logDays;
    const results = new Results(this, 'Results', {
      retentionDays: config.retentionDays,
      bundles,
      logDays,
    });
    const queue = new PredictionQueue(this, 'Predictions');
    const endpoint = new Endpoint(this, 'Endpoint', {
      name,
      image: endpointImage(this, 'Image', root),
      model: this.#model(config, root, bundles, logDays),
      instanceType: config.instanceType,
      limits: {
        minCopies: config.minCopies,
        maxCopies: config.maxInstances,
        idleMinutes: config.idleMinutes,
        ...(config.warmHours && { warmHours: config.warmHours, timeZone: config.timeZone }),
      },
      pending: queue.pending,
      logDays,
      ...network(config),
    });
    const settings = {
      bundles,
      logDays,
      environment: {
        ...endpoint.environment,
        ...results.environment,
        ...queue.environment,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: 'SdTurbo',
      },
    };
    const webhookSecret = new WebhookSecret(this, 'WebhookSecret', {
      name: `/${name}/webhook-secret`,
      bundles,
      logDays,
    });
    new Worker(this, 'Worker', {
      endpoint,
      queue,
      results,
      webhookSecret,
      settings,
      concurrency: MESSAGES_PER_COPY * config.maxInstances,
    });
    const { rateLimit, burstLimit, dailyQuota } = config;
    new Api(this, 'Api', {
      name,
      endpoint,
      queue,
      results,
      settings,
      plan: { rateLimit, burstLimit, dailyQuota },
    });
  }

  #model(config: Config, root: string, bundles: string, logDays: RetentionDays): ModelBundle {
    const { modelUri, keepWeights, model, revision, taesd, taesdRevision, dialect, precision } = config;
    if (modelUri !== undefined) return new ExistingModel(this, 'Model', { uri: modelUri });
    return new ImportedModel(this, 'Model', {
      source: { model, revision, taesd, taesdRevision, dialect, precision },
      keep: keepWeights,
      root,
      bundles,
      logDays,
    });
  }
}

function network({ subnetIds, securityGroupIds }: Config) {
  return subnetIds && securityGroupIds ? { network: { subnetIds, securityGroupIds } } : {};
}
