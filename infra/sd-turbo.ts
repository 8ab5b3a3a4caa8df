import { Annotations, Duration, Stack } from 'aws-cdk-lib';
import type { IApiKey, RestApi } from 'aws-cdk-lib/aws-apigateway';
import type { IMetric, Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ANY_ORIGIN } from '../lib/schemas/cors-origins.js';
import { Api } from './api/api.js';
import { CallersKey } from './api/callers-key.js';
import { type Assets, assets } from './assets.js';
import type { Backend } from './backends/backend.js';
import type { FunctionBasics } from './basics/function-settings.js';
import { allowImpliedDependencies } from './basics/implied-dependencies.js';
import { METRICS_NAMESPACE, serviceMetric } from './basics/service-metrics.js';
import type { SdTurboProps } from './options/props/sd-turbo-props.js';
import { type CheckedProps, readProps } from './options/read-props.js';
import { PredictionQueue } from './predictions/prediction-queue.js';
import { Results } from './predictions/results.js';
import { WebhookSecret } from './predictions/webhook-secret.js';
import { Worker } from './predictions/worker.js';
import { makeBackend } from './service/make-backend.js';
import { serviceName } from './service/service-name.js';
import { Alarms, unexpectedErrors } from './watch/alarms.js';
import { Dashboard } from './watch/dashboard.js';

/** Where AWS was reported to refuse an endpoint that may have no instance. */
const REGIONS_WITHOUT_SLEEP = ['eu-west-3'];

/** What became of a request, as the service counts them. */
export type RequestOutcome = 'drawn' | 'replayed' | 'accepted' | 'refused' | 'later' | 'failed';

/**
 * Text to pictures on a GPU that sleeps when nobody asks: an HTTP API with keys, a queue, and what draws, by the name of
 * `backend`. Everything stands below this construct, and goes with it, but what `removalPolicy` keeps.
 */
export class SdTurbo extends Construct {
  /** Of the service, without a slash at its end: the custom domain's where there is one. */
  readonly url: string;
  /**
   * For people and programs elsewhere; the outputs of this repository's own stack say how to read its value:
   * `aws apigateway get-api-key --api-key ID --include-value`. Functions of the app get one by `grantPredict`.
   */
  readonly apiKey: IApiKey;
  /** The gateway: for a firewall, say, or another usage plan. */
  readonly restApi: RestApi;
  /** Of the service in its metrics, and of what must have a name. */
  readonly serviceName: string;
  readonly dashboardUrl: string;
  /** What the record of a custom domain must lead to, where no hosted zone was given. */
  readonly customDomainTarget?: string;
  /** Where alarms go: the one that was given, or the one that was made for an e-mail address. */
  readonly alarmTopic?: ITopic;
  /** Of the instances: `ami-...`. Backend `ec2` only. */
  readonly machineImage?: string;
  readonly #api: Api;
  readonly #backend: Backend;

  /** @throws Error with a line for each prop that is unknown or wrong, by its path */
  constructor(scope: Construct, id: string, props: SdTurboProps = {}) {
    super(scope, id);
    const checked = readProps(props, this.node.path, serviceName(this));
    const { config, objects } = checked;
    const name = config.stackName;
    this.serviceName = name;
    const { worker, queue, ...parts } = this.#makeParts(checked, assets(this));
    this.#api = parts.api;
    this.#backend = parts.backend;
    this.apiKey = this.#api.key;
    this.restApi = this.#api.restApi;
    this.url = this.#api.url;
    if (this.#api.customDomainTarget !== undefined) this.customDomainTarget = this.#api.customDomainTarget;
    if (this.#backend.machineImage !== undefined) this.machineImage = this.#backend.machineImage;

    const { alarmEmail: email, monthlyBudget, instanceType } = config;
    const topic = objects['alarms.topic'];
    const alarms = new Alarms(this, 'Alarms', {
      ...{ name, backend: this.#backend, api: this.#api, worker },
      ...(email !== undefined && { email }),
      ...(topic && { topic }),
      ...(monthlyBudget !== undefined && { monthlyBudget }),
    });
    if (alarms.topic) this.alarmTopic = alarms.topic;
    const { url } = new Dashboard(this, 'Dashboard', {
      ...{ name, instanceType, backend: this.#backend, queue, api: this.#api, alarms: alarms.all },
    });
    this.dashboardUrl = url;
    allowImpliedDependencies(this);
    this.#warn(checked);
  }

  /**
   * Lets a function of the app, or whatever else has a role, call the service: it may read `callersKey`, whose value it
   * sends as `x-api-key`.
   *
   * ```ts
   * const caller = new NodejsFunction(this, 'Caller', {
   *   environment: { PICTURES_URL: pictures.url, PICTURES_KEY: pictures.callersKey.secretArn },
   * });
   * pictures.grantPredict(caller);
   * ```
   *
   * A key from a secret, because it is the one way that takes the same door as everybody: quota, throttle, metrics and
   * the log count the app as they count others, and any HTTP client will do. IAM instead would be another authorizer
   * on each route, or an invocation of the API's own function past all of those. The value is made by Secrets Manager
   * ($0.40 a month, from the first grant on) and stands in no template, output or environment; it is a key of the app's
   * own, so that taking it back disturbs nobody.
   */
  grantPredict(grantee: IGrantable): Grant {
    return this.callersKey.grantRead(grantee);
  }

  /** The secret whose value is the API key of the app's own callers; made when it is first asked for. */
  get callersKey(): ISecret {
    const made = this.node.tryFindChild('CallersKey') as CallersKey | undefined;
    return (made ?? new CallersKey(this, 'CallersKey', { plan: this.#api.plan })).secret as ISecret;
  }

  /** Any number that the service writes of itself, by its name. @default the sum over five minutes */
  metric(metricName: string, props: MetricOptions = {}): Metric {
    return serviceMetric(this.serviceName, metricName).with(props);
  }

  /** Requests for pictures of one outcome. */
  metricRequests(outcome: RequestOutcome, props: MetricOptions = {}): Metric {
    return serviceMetric(this.serviceName, 'Requests', { outcome }).with(props);
  }

  /** Predictions that went through the queue, of one outcome; `again` ones are tried once more. */
  metricPredictions(outcome: 'succeeded' | 'failed' | 'again', props: MetricOptions = {}): Metric {
    return serviceMetric(this.serviceName, 'Predictions', { outcome }).with(props);
  }

  /** How often it was woken. */
  metricWakes(props: MetricOptions = {}): Metric {
    return this.metric('Wakes', props);
  }

  /** Seconds from the request that woke it to its picture. @default the longest in five minutes */
  metricColdStartSeconds(props: MetricOptions = {}): Metric {
    return this.metric('ColdStartSeconds', { statistic: 'Maximum', ...props });
  }

  /** Seconds that the oldest prediction waits. @default the most in five minutes */
  metricQueueAgeSeconds(props: MetricOptions = {}): Metric {
    return this.metric('QueueAgeSeconds', { statistic: 'Maximum', ...props });
  }

  /** Webhooks that could not be delivered. */
  metricWebhookFailures(props: MetricOptions = {}): Metric {
    return this.metric('WebhookFailures', props);
  }

  /** Answers with 5xx in five minutes, less those that say that it is still asleep. */
  metricServerErrors(): IMetric {
    return unexpectedErrors(this.serviceName, this.#api);
  }

  /** Minutes in which an instance was up, and billed. @param period @default an hour */
  metricInstanceMinutes(period: Duration = Duration.hours(1)): IMetric {
    return this.#backend.instanceMinutes(period);
  }

  #makeParts({ config, objects }: CheckedProps, { bundles, ...carried }: Assets) {
    const { stackName: name, removalPolicy } = config;
    const basics: FunctionBasics = { bundles, logDays: config.logDays };
    const keep = removalPolicy === 'retain';
    const { retentionDays, corsOrigins } = config;
    const results = new Results(this, 'Results', {
      ...{ retentionDays, keep, basics },
      ...(corsOrigins && { corsOrigins }),
    });
    const queue = new PredictionQueue(this, 'Predictions');
    const telemetry = { POWERTOOLS_SERVICE_NAME: name, POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE };
    const backend = makeBackend(this, {
      ...{ config, objects, carried, basics, queue, results, telemetry },
    });
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
    const { rateLimit, burstLimit, dailyQuota, decoder, accessLog } = config;
    const { 'api.keyValue': keyValue, 'api.customDomain': customDomain } = objects;
    const api = new Api(this, 'Api', {
      ...common,
      ...{ name, accessLog },
      requests: { decoder, ...(corsOrigins && { corsOrigins }) },
      plan: { rateLimit, burstLimit, dailyQuota },
      ...(keyValue && { keyValue }),
      ...(customDomain && { customDomain }),
    });
    return { api, backend, worker, queue };
  }

  #warn({ config: { backend, minCopies, corsOrigins } }: CheckedProps): void {
    if (corsOrigins?.includes(ANY_ORIGIN)) {
      Annotations.of(this).addWarningV2(
        'sd-turbo:cors',
        'corsOrigins is *: any page may use the service with a key that it has. Name the origins of your own pages',
      );
    }
    const { region } = Stack.of(this);
    if (backend !== 'sagemaker' || minCopies > 0 || !REGIONS_WITHOUT_SLEEP.includes(region)) return;
    Annotations.of(this).addWarningV2(
      'sd-turbo:region',
      `${region} was reported to refuse endpoints that sleep: should the deploy fail with "Min instance count", choose ` +
        'another region, or keep a copy up (-c minCopies=1, sleep.minCopies)',
    );
  }
}
