import { Annotations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Api } from '../api/api.js';
import { Endpoint } from '../backends/sagemaker/endpoint.js';
import { endpointImage } from '../backends/sagemaker/endpoint-image.js';
import { ImageScan } from '../backends/sagemaker/image-scan.js';
import type { FunctionBasics } from '../basics/function-settings.js';
import { ExistingModel } from '../model/existing-model.js';
import { ImportedModel } from '../model/imported-model.js';
import type { ModelBundle } from '../model/model-bundle.js';
import type { Config } from '../options/config.js';
import { PredictionQueue } from '../predictions/prediction-queue.js';
import { Results } from '../predictions/results.js';
import { WebhookSecret } from '../predictions/webhook-secret.js';
import { Worker } from '../predictions/worker.js';
import { Alarms } from '../watch/alarms.js';
import { Dashboard } from '../watch/dashboard.js';
import { METRICS_NAMESPACE } from '../watch/service-metrics.js';

/** Requests that a copy takes at once from the queue: what target tracking aims at, so that a backlog scales out. */
const MESSAGES_PER_COPY = 2;
/** Where AWS was reported to refuse an endpoint that may have no instance. */
const REGIONS_WITHOUT_SLEEP = ['eu-west-3'];

export interface ServiceProps {
  readonly config: Config;
  /** Of the repository: what the image is built from. */
  readonly root: string;
  /** Folder of bundles, as `functions/bundle-lambda.mjs` makes it. */
  readonly bundles: string;
}

/** Everything that answers requests, and what watches it. */
export class Service extends Construct {
  readonly api: Api;
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, { config, root, bundles }: ServiceProps) {
    super(scope, id);
    const name = config.stackName;
    const basics: FunctionBasics = { bundles, logDays: config.logDays };
    const results = new Results(this, 'Results', { retentionDays: config.retentionDays, basics });
    const queue = new PredictionQueue(this, 'Predictions');
    const endpoint = this.#endpoint(config, root, basics, queue);
    const settings = {
      ...basics,
      environment: {
        ...endpoint.environment,
        ...results.environment,
        ...queue.environment,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
      },
    };
    const common = { endpoint, queue, results, settings };
    const webhookSecret = new WebhookSecret(this, 'WebhookSecret', {
      name: `/${name}/webhook-secret`,
      basics,
    });
    const concurrency = MESSAGES_PER_COPY * config.maxInstances;
    const worker = new Worker(this, 'Worker', { ...common, webhookSecret, concurrency });
    const { rateLimit, burstLimit, dailyQuota, decoder } = config;
    this.api = new Api(this, 'Api', {
      ...common,
      name,
      decoder,
      plan: { rateLimit, burstLimit, dailyQuota },
    });

    const { alarmEmail: email, monthlyBudget, instanceType } = config;
    const { all: alarms } = new Alarms(this, 'Alarms', {
      ...{ name, endpoint, api: this.api, worker, sleeps: config.minCopies === 0 && !config.warmHours },
      ...(email !== undefined && { email }),
      ...(monthlyBudget !== undefined && { monthlyBudget }),
    });
    this.dashboard = new Dashboard(this, 'Dashboard', {
      ...{ name, instanceType, endpoint, queue, api: this.api, alarms },
    });
    this.#warn(config);
  }

  #endpoint(config: Config, root: string, basics: FunctionBasics, queue: PredictionQueue): Endpoint {
    const { minCopies, maxInstances: maxCopies, idleMinutes, warmHours, timeZone } = config;
    const { subnetIds, securityGroupIds, attentionKernels } = config;
    const image = endpointImage(this, 'Image', root);
    new ImageScan(this, 'ImageScan', { image, logDays: config.logDays });
    return new Endpoint(this, 'Endpoint', {
      name: config.stackName,
      container: {
        image,
        model: this.#model(config, root, basics),
        environment: { ...(attentionKernels && { ATTENTION_KERNELS: attentionKernels }) },
      },
      instances: {
        types: [config.instanceType, ...(config.fallbackInstanceTypes ?? [])],
        scaleInPolicy: config.scaleInPolicy,
      },
      limits: { minCopies, maxCopies, idleMinutes, ...(warmHours && { warmHours, timeZone }) },
      pending: queue.pending,
      logDays: config.logDays,
      ...(subnetIds && securityGroupIds && { network: { subnetIds, securityGroupIds } }),
    });
  }

  #model(config: Config, root: string, basics: FunctionBasics): ModelBundle {
    const { modelUri, keepWeights: keep, model, revision, taesd, taesdRevision, dialect, precision } = config;
    const { imageToImage } = config;
    if (modelUri !== undefined) return new ExistingModel(this, 'Model', { uri: modelUri });
    const source = { model, revision, taesd, taesdRevision, dialect, precision, imageToImage };
    return new ImportedModel(this, 'Model', { source, keep, root, basics });
  }

  #warn({ region, minCopies }: Config): void {
    if (minCopies > 0 || !REGIONS_WITHOUT_SLEEP.includes(region ?? '')) return;
    Annotations.of(this).addWarningV2(
      'sd-turbo:region',
      `${region} was reported to refuse endpoints that sleep: should the deploy fail with "Min instance count", choose ` +
        'another region, or -c minCopies=1',
    );
  }
}
