import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { afterAll } from 'vitest';
import { BUNDLES_KEY } from '../../../infra/assets.js';
import { givenOptions, readConfig } from '../../../infra/options/config.js';
import { toProps } from '../../../infra/options/paths.js';
import { ServiceStack } from '../../../infra/stack.js';
import { ROOT } from '../reference.js';

const FUNCTIONS = [
  'api',
  'worker',
  'dead-letters',
  'authorizer',
  'import-weights',
  'webhook-secret',
  'empty-bucket',
  'gateway-log-role',
  'stopped',
];

const { context: OWN_CONTEXT } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8'));

/** All that a stack of instances can be asked for. */
export const EVERYTHING_OF_EC2 = {
  backend: 'ec2',
  zones: 'us-east-1b,us-east-1c',
  machineImage: 'ami-0123abcd',
  sessionManager: true,
  attentionKernels: 'exact',
  alarmEmail: 'me@example.com',
  modelUri: 's3://bundles/a/b',
};

export type Properties = Readonly<Record<string, unknown>>;

/** What is at a path inside a template's value; fails where there is nothing. */
export function at<T = Properties>(value: unknown, ...path: readonly (string | number)[]): T {
  return path.reduce<unknown>((inner, key) => {
    const next = (inner as Record<string | number, unknown> | undefined)?.[key];
    if (next === undefined) throw new Error(`there is no ${path.join('.')}`);
    return next;
  }, value) as T;
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Properties;
  readonly DependsOn?: string | string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: Readonly<Record<string, string>>;
}

export interface TemplateJson {
  readonly Resources: Record<string, Resource>;
  readonly Parameters: Record<string, Record<string, unknown>>;
  readonly Outputs: Record<string, { readonly Value: unknown }>;
}

/** A template, and questions that the tests have about it. */
export class Service {
  readonly template: TemplateJson;
  readonly stack: Stack;
  readonly folder: string;

  constructor(stack: Stack, folder: string) {
    this.stack = stack;
    this.folder = folder;
    const assembly = (stack.node.root as App).synth();
    this.template = assembly.getStackByName(stack.stackName).template as TemplateJson;
  }

  all(type: string): [string, Resource][] {
    return Object.entries(this.template.Resources).filter(([, resource]) => resource.Type === type);
  }

  /** Where a resource stands, from the service on. */
  path(id: string): string | undefined {
    return this.template.Resources[id]?.Metadata?.['aws:cdk:path']?.replace(/^[^/]+\/(Default\/)?/, '');
  }

  /** The only one of a type, or the one whose path from the service on begins so. */
  id(type: string, path = ''): string {
    const found = this.all(type).filter(([id]) => this.path(id)?.startsWith(path));
    if (found.length !== 1)
      throw new Error(`${found.length} of ${type} below ${path}: ${found.map(([id]) => id)}`);
    return (found[0] as [string, Resource])[0];
  }

  resource(type: string, path = ''): Resource {
    return this.template.Resources[this.id(type, path)] as Resource;
  }

  properties(type: string, path = ''): Properties {
    return this.resource(type, path).Properties;
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'synth-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/**
 * An app in a folder of its own, which gets the assembly as `cdk.out`, with functions that do nothing.
 *
 * @param context beside what tests need; this repository's flags of CDK where nothing is said
 */
export function makeApp(context: Readonly<Record<string, unknown>> = OWN_CONTEXT): {
  app: App;
  folder: string;
} {
  const folder = mkdtempSync(join(scratch, 'service-'));
  for (const name of FUNCTIONS) {
    mkdirSync(join(folder, 'bundles', name), { recursive: true });
    writeFileSync(join(folder, 'bundles', name, 'index.mjs'), `export const handler = () => '${name}';\n`);
  }
  const app = new App({
    outdir: join(folder, 'cdk.out'),
    context: { ...context, 'aws:cdk:enable-path-metadata': true, [BUNDLES_KEY]: join(folder, 'bundles') },
  });
  return { app, folder };
}

/**
 * The stack as `cdk synth` makes it of these options. Synthesis takes a second: make one for all tests of a file.
 */
export function synthService(options: Readonly<Record<string, unknown>> = {}): Service {
  const { app, folder } = makeApp({ ...OWN_CONTEXT, ...options });
  const context = app.node.getAllContext();
  const { stackName, region } = readConfig(context);
  const stack = new ServiceStack(app, stackName, {
    service: toProps(givenOptions(context)),
    ...(region !== undefined && { env: { region } }),
  });
  return new Service(stack, folder);
}
