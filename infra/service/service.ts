import { Annotations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ANY_ORIGIN } from '../../lib/schemas/cors-origins.js';
import { Api } from '../api/api.js';
import type { FunctionBasics } from '../basics/function-settings.js';
import { METRICS_NAMESPACE } from '../basics/service-metrics.js';
import type { Config } from '../options/config.js';
import { PredictionQueue } from '../predictions/prediction-queue.js';
import { Results } from '../predictions/results.js';
import { WebhookSecret } from '../predictions/webhook-secret.js';
import { Worker } from '../predictions/worker.js';
import { Alarms } from '../watch/alarms.js';
import { Dashboard } from '../watch/dashboard.js';
import { makeBackend } from './make-backend.js';

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
    const telemetry = { POWERTOOLS_SERVICE_NAME: name, POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE };
    const backend = makeBackend(this, { config, root, basics, queue, results, telemetry });
    const settings = {
      ...basics,
      environment: {
        ...backend.environment,
        ...results.environment,
        ...queue.environment,
        ...telemetry,
      },
    };
    const common = { backend, queue, results, settings };
    const webhookSecret = new WebhookSecret(this, 'WebhookSecret', {
      name: `/${name}/webhook-secret`,
      basics,
    });
    const worker = new Worker(this, 'Worker', { ...common, webhookSecret });
    const { rateLimit, burstLimit, dailyQuota, decoder, corsOrigins } = config;
    this.api = new Api(this, 'Api', {
      ...common,
      name,
      requests: { decoder, ...(corsOrigins && { corsOrigins }) },
      plan: { rateLimit, burstLimit, dailyQuota },
    });

    const { alarmEmail: email, monthlyBudget, instanceType } = config;
    const { all: alarms } = new Alarms(this, 'Alarms', {
      ...{ name, backend, api: this.api, worker },
      ...(email !== undefined && { email }),
      ...(monthlyBudget !== undefined && { monthlyBudget }),
    });
    this.dashboard = new Dashboard(this, 'Dashboard', {
      ...{ name, instanceType, backend, queue, api: this.api, alarms },
    });
    this.#warn(config);
  }

  #warn({ backend, region, minCopies, corsOrigins }: Config): void {
    if (corsOrigins?.includes(ANY_ORIGIN)) {
      Annotations.of(this).addWarningV2(
        'sd-turbo:cors',
        'corsOrigins is *: any page may use the service with a key that it has. Name the origins of your own pages',
      );
    }
    if (backend !== 'sagemaker' || minCopies > 0 || !REGIONS_WITHOUT_SLEEP.includes(region ?? '')) return;
    Annotations.of(this).addWarningV2(
      'sd-turbo:region',
      `${region} was reported to refuse endpoints that sleep: should the deploy fail with "Min instance count", choose ` +
        'another region, or -c minCopies=1',
    );
  }
}
