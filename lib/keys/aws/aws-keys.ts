import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
  DeleteApiKeyCommand,
  DeleteUsagePlanCommand,
  DeleteUsagePlanKeyCommand,
  paginateGetUsagePlanKeys,
  paginateGetUsagePlans,
  UpdateUsagePlanCommand,
  type UsagePlan,
} from '@aws-sdk/client-api-gateway';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { AppError } from '../../errors/app-error.js';
import { DEFAULT_KEY_NAME, QUOTA_PERIODS } from '../key-file.js';
import type { KeyInfo, KeyLimits, KeyStore } from '../key-store.js';
import { asked } from './asked.js';
import { findApi } from './find-api.js';

/** A plan that lets keys into the API, and what it lets in. */
interface Plan {
  readonly plan: UsagePlan;
  readonly keys: readonly { readonly id: string; readonly name: string }[];
}

const MADE_BY = 'Made by sd-turbo keys';
const PERIODS = { day: 'DAY', month: 'MONTH' } as const;

/** What of the API a plan lets its keys into. */
const stageOf = (api: string, { apiStages = [] }: UsagePlan) => apiStages.find(({ apiId }) => apiId === api);

/**
 * Keys of a stack's API Gateway. A key `STACK/NAME` is in the stack's own usage plan, or where it has limits of its own in
 * a plan of the same name: a plan's quota counts each of its keys by itself. CloudFormation knows none of them.
 */
export class AwsKeys implements KeyStore {
  readonly #gateway: APIGatewayClient;
  readonly #formation: CloudFormationClient;
  readonly #stack: string;

  /** @param region @default the AWS CLI's */
  constructor(stackName: string, region?: string) {
    const config = { maxAttempts: 5, ...(region !== undefined && { region }) };
    this.#gateway = new APIGatewayClient(config);
    this.#formation = new CloudFormationClient(config);
    this.#stack = stackName;
  }

  async add(name: string, limits: KeyLimits): Promise<string> {
    if (name === DEFAULT_KEY_NAME)
      throw new AppError('INVALID_INPUT', `${name} is the key of the deploy: choose another name`);
    const api = await findApi(this.#formation, this.#stack);
    const plans = await this.#plans(api);
    const full = this.#fullName(name);
    if (plans.some(({ keys }) => keys.some((key) => key.name === full)))
      throw new AppError('CONFLICT', `there is a key ${name}: remove it first, or choose another name`);
    const main = plans.find(({ plan }) => !this.#isOurs(plan.name))?.plan;
    if (!main) throw new AppError('NOT_FOUND', `the stack ${this.#stack} has no usage plan`);
    const { id: keyId, value } = await this.#makeKey(full);
    let own: UsagePlan | undefined;
    try {
      own = hasLimits(limits) ? await this.#makePlan(full, limits, main, api) : undefined;
      await this.#admit(keyId, (own ?? main).id as string);
    } catch (error) {
      // A key that nobody has been told, and a plan without one, are of no use to anybody.
      await this.#deleteKey(keyId).catch(() => undefined);
      if (own) await this.#deletePlan(api, own).catch(() => undefined);
      throw error;
    }
    return value;
  }

  async list(): Promise<readonly KeyInfo[]> {
    const api = await findApi(this.#formation, this.#stack);
    const plans = await this.#plans(api);
    const infos = plans.flatMap(({ plan, keys }) =>
      keys.map((key) => ({ name: this.#shortName(key.name), ...limitsOf(plan) })),
    );
    return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async remove(name: string): Promise<void> {
    const api = await findApi(this.#formation, this.#stack);
    const full = this.#fullName(name);
    const plans = await this.#plans(api);
    const found = plans.flatMap(({ plan, keys }) =>
      keys.filter((key) => key.name === full).map(({ id }) => ({ id, plan })),
    );
    // Also what is left of a removal that was broken off.
    const own = plans.filter(({ plan }) => plan.name === full);
    if (found.length === 0 && own.length === 0)
      throw new AppError('NOT_FOUND', `there is no key ${name} in the stack ${this.#stack}`);
    for (const { id, plan } of found) {
      await this.#expel(id, plan);
      await this.#deleteKey(id);
    }
    for (const { plan } of own) await this.#deletePlan(api, plan);
  }

  /** Every usage plan of the API, with its keys. Their values are not asked for. */
  async #plans(api: string): Promise<Plan[]> {
    const mine = await asked('apigateway:GET on /usageplans', async () => {
      const found: UsagePlan[] = [];
      for await (const { items = [] } of paginateGetUsagePlans({ client: this.#gateway }, { limit: 500 }))
        found.push(...items.filter((plan) => stageOf(api, plan)));
      return found;
    });
    return Promise.all(mine.map(async (plan) => ({ plan, keys: await this.#keysOf(plan) })));
  }

  #keysOf({ id: usagePlanId }: UsagePlan): Promise<Plan['keys']> {
    return asked('apigateway:GET on /usageplans/*/keys', async () => {
      const found: Plan['keys'][number][] = [];
      const pages = paginateGetUsagePlanKeys({ client: this.#gateway }, { usagePlanId, limit: 500 });
      for await (const { items = [] } of pages)
        for (const { id = '', name = '' } of items) found.push({ id, name });
      return found;
    });
  }

  async #makeKey(name: string): Promise<{ id: string; value: string }> {
    const command = new CreateApiKeyCommand({ name, enabled: true, description: MADE_BY });
    const { id, value } = await asked('apigateway:POST on /apikeys', () => this.#gateway.send(command));
    if (id !== undefined && value !== undefined) return { id, value };
    throw new AppError('UNAVAILABLE', 'API Gateway has made a key, and does not say which');
  }

  /** What is not said is as in the stack's own plan. */
  #makePlan(name: string, { quota, rate }: KeyLimits, main: UsagePlan, api: string): Promise<UsagePlan> {
    const command = new CreateUsagePlanCommand({
      name,
      description: MADE_BY,
      apiStages: [{ apiId: api, stage: stageOf(api, main)?.stage }],
      throttle: rate === undefined ? main.throttle : { rateLimit: rate, burstLimit: 2 * rate },
      quota: quota ? { limit: quota.limit, period: PERIODS[quota.period] } : main.quota,
    });
    return asked('apigateway:POST on /usageplans', () => this.#gateway.send(command));
  }

  async #admit(keyId: string, usagePlanId: string): Promise<void> {
    const command = new CreateUsagePlanKeyCommand({ usagePlanId, keyId, keyType: 'API_KEY' });
    await asked('apigateway:POST on /usageplans/*/keys', () => this.#gateway.send(command));
  }

  async #expel(keyId: string, { id: usagePlanId }: UsagePlan): Promise<void> {
    const command = new DeleteUsagePlanKeyCommand({ usagePlanId, keyId });
    await asked('apigateway:DELETE on /usageplans/*/keys/*', () => this.#gateway.send(command));
  }

  async #deleteKey(apiKey: string): Promise<void> {
    const command = new DeleteApiKeyCommand({ apiKey });
    await asked('apigateway:DELETE on /apikeys/*', () => this.#gateway.send(command));
  }

  async #deletePlan(api: string, plan: UsagePlan): Promise<void> {
    const { id: usagePlanId } = plan;
    // A plan that lets somebody in is not deleted.
    const value = `${api}:${stageOf(api, plan)?.stage}`;
    const closing = new UpdateUsagePlanCommand({
      usagePlanId,
      patchOperations: [{ op: 'remove', path: '/apiStages', value }],
    });
    await asked('apigateway:PATCH on /usageplans/*', () => this.#gateway.send(closing));
    const deletion = new DeleteUsagePlanCommand({ usagePlanId });
    await asked('apigateway:DELETE on /usageplans/*', () => this.#gateway.send(deletion));
  }

  #fullName(name: string): string {
    return `${this.#stack}/${name}`;
  }

  #isOurs(fullName = ''): boolean {
    return fullName.startsWith(`${this.#stack}/`);
  }

  #shortName(fullName: string): string {
    return this.#isOurs(fullName) ? fullName.slice(this.#stack.length + 1) : DEFAULT_KEY_NAME;
  }
}

function hasLimits({ quota, rate }: KeyLimits): boolean {
  return quota !== undefined || rate !== undefined;
}

function limitsOf({ quota, throttle }: UsagePlan): KeyLimits {
  const { limit } = quota ?? {};
  const period = QUOTA_PERIODS.find((each) => PERIODS[each] === quota?.period);
  const rate = throttle?.rateLimit;
  return {
    ...(limit !== undefined && period && { quota: { limit, period } }),
    ...(rate !== undefined && { rate }),
  };
}
