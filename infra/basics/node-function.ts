import { join } from 'node:path';
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type IGrantable, type IPrincipal, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { FunctionBasics } from './function-settings.js';

export interface NodeFunctionProps extends FunctionBasics {
  readonly description: string;
  /** This function's folder. */
  readonly bundle: string;
  readonly timeout: Duration;
  /** Megabytes; processor time comes in proportion, 1769 are one core. */
  readonly memory: number;
  /** @default none */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A bundled Lambda function with a log of its own, which is all that its role may use until it is granted more. */
export class NodeFunction extends Construct implements IGrantable {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const { description, bundles, bundle, timeout, memory, logDays, environment } = props;
    const logGroup = new LogGroup(this, 'Logs', { retention: logDays, removalPolicy: RemovalPolicy.DESTROY });
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(this.role);
    this.function = new LambdaFunction(this, 'Function', {
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(join(bundles, bundle)),
      handler: 'index.handler',
      timeout,
      memorySize: memory,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      environment: { NODE_OPTIONS: '--enable-source-maps', ...environment },
    });
  }

  get grantPrincipal(): IPrincipal {
    return this.role;
  }
}
