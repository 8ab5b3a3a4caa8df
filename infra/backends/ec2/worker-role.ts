import { Aws } from 'aws-cdk-lib';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import { Grant, InstanceProfile, ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from '../../basics/acknowledge.js';
import type { ModelBundle } from '../../model/model-bundle.js';
import type { DrawQueue } from './draw-queue.js';
import type { Surroundings } from './surroundings.js';

export interface WorkerRoleProps {
  readonly image: DockerImageAsset;
  readonly model: ModelBundle;
  readonly drawQueue: DrawQueue;
  readonly surroundings: Surroundings;
  readonly logs: LogGroup;
  /** Whether Session Manager may open a shell. */
  readonly sessionManager: boolean;
}

/** What an instance may do: read weights, take work, write results. It can start and stop nothing, itself included. */
export class WorkerRole extends Construct {
  readonly role: Role;
  readonly profile: InstanceProfile;

  constructor(scope: Construct, id: string, props: WorkerRoleProps) {
    super(scope, id);
    const { image, model, drawQueue, surroundings, logs, sessionManager } = props;
    const { results, queue } = surroundings;
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'What an instance that draws may do',
    });
    model.grantRead(this.role);
    model.grantRecord(this.role);
    image.repository.grantPull(this.role);
    results.grantPredictions(this.role);
    results.grantWakeLog(this.role);
    results.grantWorkerState(this.role);
    drawQueue.grantDraw(this.role);
    queue.grantSend(this.role);
    logs.grantWrite(this.role);
    // Where cfn-signal is missing, whose word CloudFormation takes without it.
    Grant.addToPrincipal({
      grantee: this.role,
      actions: ['cloudformation:SignalResource'],
      resourceArns: [Aws.STACK_ID],
    });
    acknowledge(this.role, {
      'AwsSolutions-IAM5[Resource::*]': 'ecr:GetAuthorizationToken knows no narrower resource.',
      ...model.readReasons,
    });
    if (sessionManager) this.#openSessions();
    this.profile = new InstanceProfile(this, 'Profile', { role: this.role });
  }

  #openSessions(): void {
    this.role.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'));
    acknowledge(this.role, {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]':
        'Asked for by an option: what the agent of Session Manager needs is in this policy of AWS.',
    });
  }
}
