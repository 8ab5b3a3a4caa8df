import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { FunctionSettings } from '../../basics/function-settings.js';
import { NodeFunction } from '../../basics/node-function.js';

export interface StoppedProps {
  readonly instanceIds: readonly string[];
  readonly settings: FunctionSettings;
}

/** Looks, whenever an instance has stopped, whether a message came too late for it, and starts it again then. */
export class Stopped extends Construct {
  readonly handler: NodeFunction;

  constructor(scope: Construct, id: string, { instanceIds, settings }: StoppedProps) {
    super(scope, id);
    this.handler = new NodeFunction(this, 'Handler', {
      ...settings,
      description: 'Starts an instance again that stopped while something waited',
      bundle: 'stopped',
      timeout: Duration.seconds(60),
      memory: 256,
    });
    new Rule(this, 'Rule', {
      description: 'An instance of this stack has stopped',
      eventPattern: {
        source: ['aws.ec2'],
        detailType: ['EC2 Instance State-change Notification'],
        detail: { state: ['stopped'], 'instance-id': [...instanceIds] },
      },
      targets: [new LambdaFunction(this.handler.function)],
    });
  }
}
