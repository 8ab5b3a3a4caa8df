import { Duration, RemovalPolicy, type SecretValue } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  ApiKeySourceType,
  AuthorizationType,
  EndpointType,
  type IApiKey,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  Period,
  RequestAuthorizer,
  RestApi,
  type UsagePlan,
} from 'aws-cdk-lib/aws-apigateway';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Backend } from '../backends/backend.js';
import { acknowledge } from '../basics/acknowledge.js';
import type { FunctionSettings } from '../basics/function-settings.js';
import { NodeFunction } from '../basics/node-function.js';
import type { CustomDomain as CustomDomainOptions } from '../options/props/common-props.js';
import type { PredictionQueue } from '../predictions/prediction-queue.js';
import type { Results } from '../predictions/results.js';
import { BINARY_MEDIA_TYPES, PREFLIGHTS, ROUTES, type Route } from './api-routes.js';
import { CustomDomain } from './custom-domain.js';
import { GatewayLogRole } from './gateway-log-role.js';
import { addGatewayResponses } from './gateway-responses.js';

const STAGE = 'prod';
/** The gateway's own limit; the function stops waiting after 25 s. */
const TIMEOUT = Duration.seconds(29);
/** Of all routes and callers together, those without a key as well: a second, and at once. */
const STAGE_RATE = 100;
const STAGE_BURST = 200;

/** What the access log has of a request: no key, no body, no query, no id of a prediction, no address of a caller. */
const ACCESS_LOG = {
  request_id: '$context.requestId',
  time: '$context.requestTime',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  milliseconds: '$context.responseLatency',
  bytes: '$context.responseLength',
  key_id: '$context.identity.apiKeyId',
  refusal: '$context.error.responseType',
  integration_error: '$context.integration.error',
  authorizer_error: '$context.authorizer.error',
};

export interface ApiProps {
  /** Of the API in the console. */
  readonly name: string;
  readonly backend: Backend;
  readonly queue: PredictionQueue;
  readonly results: Results;
  readonly settings: FunctionSettings;
  readonly plan: UsagePlanProps;
  /** Of the API key. @default a random one */
  readonly keyValue?: SecretValue;
  /** @default the gateway's own address */
  readonly customDomain?: CustomDomainOptions;
  readonly requests: RequestProps;
  readonly accessLog: AccessLogMode;
}

/** How requests are understood. */
export interface RequestProps {
  /** Of those that name none. */
  readonly decoder: string;
  /** Of pages elsewhere that may ask. @default none */
  readonly corsOrigins?: readonly string[];
}

/** Whether requests are logged by the gateway, and whether the account gets the role for that where it has none. */
export type AccessLogMode = 'set-role' | 'keep-role' | 'none';

/** What one key may do. */
export interface UsagePlanProps {
  /** Requests a second. */
  readonly rateLimit: number;
  /** Requests at once on top of that. */
  readonly burstLimit: number;
  /** Requests a day. */
  readonly dailyQuota: number;
}

/** The public side: a REST API that checks key and usage plan before any GPU is used. */
export class Api extends Construct {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: IApiKey;
  readonly plan: UsagePlan;
  readonly restApi: RestApi;
  /** What the record of the custom domain, if any, must lead to. */
  readonly customDomainTarget?: string;
  readonly handler: NodeFunction;

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id);
    this.handler = this.#makeHandler(props);
    this.restApi = this.#makeRestApi(props);
    this.#addRoutes(props);
    addGatewayResponses(this.restApi, props.requests.corsOrigins);
    // Ours says the same.
    this.restApi.node.tryRemoveChild('Endpoint');
    this.plan = this.#makePlan(props.plan);
    this.key = this.#makeKey(props);
    const { customDomain: domain } = props;
    const custom = domain && new CustomDomain(this, 'CustomDomain', { api: this.restApi, domain });
    if (custom) this.customDomainTarget = custom.target;
    this.url = custom?.url ?? this.restApi.url.replace(/\/$/, '');
  }

  #makeHandler({ backend, queue, results, settings, requests }: ApiProps): NodeFunction {
    const { decoder, corsOrigins } = requests;
    const handler = new NodeFunction(this, 'Handler', {
      ...settings,
      description: 'Answers the requests of the API',
      bundle: 'api',
      timeout: TIMEOUT,
      memory: 1024,
      environment: {
        ...settings.environment,
        DEFAULT_DECODER: decoder,
        ...(corsOrigins && { CORS_ORIGINS: corsOrigins.join(',') }),
      },
    });
    results.grantPredictions(handler);
    results.grantLists(handler);
    results.grantWakeLog(handler);
    backend.grantApi(handler);
    queue.grantSend(handler);
    return handler;
  }

  #makeRestApi({ name, settings, accessLog: mode }: ApiProps): RestApi {
    const { bundles, logDays: retention } = settings;
    const accessLog =
      mode === 'none'
        ? undefined
        : new LogGroup(this, 'AccessLog', { retention, removalPolicy: RemovalPolicy.DESTROY });
    const api = new RestApi(this, 'RestApi', {
      restApiName: name,
      endpointTypes: [EndpointType.REGIONAL],
      apiKeySourceType: ApiKeySourceType.AUTHORIZER,
      binaryMediaTypes: BINARY_MEDIA_TYPES,
      // It would take the place of the one that the account has.
      cloudWatchRole: false,
      deployOptions: {
        stageName: STAGE,
        ...(accessLog && {
          accessLogDestination: new LogGroupLogDestination(accessLog),
          accessLogFormat: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
        }),
        loggingLevel: MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        throttlingRateLimit: STAGE_RATE,
        throttlingBurstLimit: STAGE_BURST,
      },
    });
    if (mode === 'set-role') {
      const role = new GatewayLogRole(this, 'LogRole', { basics: { bundles, logDays: retention } });
      api.deploymentStage.node.addDependency(role);
    }
    acknowledge(api, {
      'AwsSolutions-APIG2': 'The service checks requests itself and names every wrong field.',
      'AwsSolutions-APIG3':
        'A firewall costs $6 a month while nobody asks; keys, throttle and quota bound the use.',
      'AwsSolutions-APIG6': 'Execution logs would repeat the access log, and could show headers with keys.',
      'AwsSolutions-COG4': 'Callers are programs with API keys, not people with accounts.',
      ...(!accessLog && {
        'AwsSolutions-APIG1':
          "Asked for by an option: the functions' own logs tell of all requests but refused ones.",
      }),
    });
    return api;
  }

  #addRoutes({ settings: { environment: _, ...settings }, requests }: ApiProps): void {
    const reader = new NodeFunction(this, 'KeyReader', {
      ...settings,
      description: 'Reads the API key from whichever header it is in',
      bundle: 'authorizer',
      timeout: Duration.seconds(5),
      memory: 256,
    });
    const authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: reader.function,
      // Any header may have the key: none may be missing, and nothing is kept.
      identitySources: [],
      resultsCacheTtl: Duration.seconds(0),
    });
    const integration = new LambdaIntegration(this.handler.function, {
      scopePermissionToMethod: false,
      timeout: TIMEOUT,
    });
    const withKey = { authorizer, authorizationType: AuthorizationType.CUSTOM, apiKeyRequired: true };
    const routes = requests.corsOrigins ? [...ROUTES, ...PREFLIGHTS] : ROUTES;
    for (const route of routes) this.#addRoute(route, integration, route.key ? withKey : undefined);
  }

  #addRoute(
    { method, path }: Route,
    integration: LambdaIntegration,
    withKey: Parameters<RestApi['root']['addMethod']>[2],
  ): void {
    const resource = this.restApi.root.resourceForPath(path);
    const added = resource.addMethod(
      method,
      integration,
      withKey ?? { authorizationType: AuthorizationType.NONE },
    );
    if (withKey) return;
    acknowledge(added, {
      'AwsSolutions-APIG4':
        'Pages that say how to use the service, its health, and what browsers ask before they send a key: public, ' +
        'throttled, without a GPU.',
    });
  }

  #makeKey({ keyValue }: ApiProps): IApiKey {
    const key = this.restApi.addApiKey('Key', { ...(keyValue && { value: keyValue.unsafeUnwrap() }) });
    this.plan.addApiKey(key);
    return key;
  }

  #makePlan({ rateLimit, burstLimit, dailyQuota }: UsagePlanProps): UsagePlan {
    return this.restApi.addUsagePlan('Plan', {
      apiStages: [{ stage: this.restApi.deploymentStage }],
      throttle: { rateLimit, burstLimit },
      quota: { limit: dailyQuota, period: Period.DAY },
    });
  }
}
