import { Aws, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { FunctionBasics } from '../basics/function-settings.js';
import { NodeFunction } from '../basics/node-function.js';

/** One for the account, whichever stack comes first: all of its APIs log with it. */
const ROLE_NAME = 'sd-turbo-gateway-logs';
/** A new role takes some seconds to be known everywhere. */
const TIMEOUT = Duration.minutes(3);

export interface GatewayLogRoleProps {
  readonly basics: FunctionBasics;
}

/**
 * API Gateway writes the access logs of all APIs of an account's region with one role, and makes no stage with such a log
 * where there is none. CDK's way (`cloudWatchRole: true`) puts a new one in its place at each stack's first deploy, and when
 * that stack goes the others may have none. So this sets one only where none is, and makes none where it is not needed;
 * what it has set stays, since other APIs may have come to log with it.
 */
export class GatewayLogRole extends Construct {
  constructor(scope: Construct, id: string, { basics }: GatewayLogRoleProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const policy = `arn:${Aws.PARTITION}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs`;
    const role = stack.formatArn({ service: 'iam', region: '', resource: 'role', resourceName: ROLE_NAME });
    // The account that a gateway's ARN is of is nobody's.
    const account = `arn:${Aws.PARTITION}:apigateway:${Aws.REGION}::/account`;
    const setter = new NodeFunction(this, 'Setter', {
      ...basics,
      description: 'Gives API Gateway a role to log with, where the account has none',
      bundle: 'gateway-log-role',
      timeout: TIMEOUT,
      memory: 256,
    });
    const allow = (actions: string[], resource: string, conditions?: object) =>
      setter.role.addToPolicy(
        new PolicyStatement({
          effect: Effect.ALLOW,
          actions,
          resources: [resource],
          ...(conditions && { conditions: { StringEquals: conditions } }),
        }),
      );
    allow(['apigateway:GET', 'apigateway:PATCH'], account);
    allow(['iam:CreateRole', 'iam:GetRole'], role);
    allow(['iam:AttachRolePolicy'], role, { 'iam:PolicyARN': policy });
    allow(['iam:PassRole'], role, { 'iam:PassedToService': 'apigateway.amazonaws.com' });
    const resource = new CustomResource(this, 'Role', {
      resourceType: 'Custom::GatewayLogRole',
      serviceToken: setter.function.functionArn,
      serviceTimeout: TIMEOUT.plus(Duration.minutes(1)),
      properties: { RoleName: ROLE_NAME, PolicyArn: policy },
    });
    resource.node.addDependency(setter);
  }
}
