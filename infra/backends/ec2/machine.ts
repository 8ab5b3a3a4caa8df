import { createHash } from 'node:crypto';
import { Duration, Fn, Stack, Tags, Token } from 'aws-cdk-lib';
import { CfnInstance, type CfnInstanceProps } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { acknowledge } from '../../basics/acknowledge.js';
import type { MachineNetwork } from './network.js';
import { type UserDataProps, userData } from './user-data.js';
import type { WorkerRole } from './worker-role.js';

/** The first boot: packages, 1.1 GB of image, 2.6 GB of weights, a picture; where a driver must be built, 5 minutes more. */
const FIRST_BOOT = Duration.minutes(40);
/** A container is one hop farther from the metadata service than its host. */
const METADATA_HOPS = 2;
/** Of Amazon Linux 2023. */
const ROOT_DEVICE = '/dev/xvda';

export interface MachineProps {
  /** Of the instance, for people. */
  readonly name: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly diskGb: number;
  /** Counts as a part of what it is made of. @default none */
  readonly generation?: string;
  readonly subnetId: string;
  readonly network: MachineNetwork;
  readonly role: WorkerRole;
  readonly boot: Pick<UserDataProps, 'scripts' | 'worker'> & {
    readonly machine: Omit<UserDataProps['machine'], 'STACK' | 'RESOURCE'>;
  };
}

/**
 * An instance that is stopped nearly always. Whatever it was made of is in its logical id: a change makes a new one
 * beside it, which must have drawn a picture before the old one goes.
 */
export class Machine extends Construct {
  readonly instance: CfnInstance;
  readonly instanceId: string;

  constructor(scope: Construct, id: string, props: MachineProps) {
    super(scope, id);
    const { role, boot, name, generation } = props;
    const stack = Stack.of(this);
    const common = instanceProps(props);
    const told = { ...boot.machine, STACK: stack.stackName };
    const text = (RESOURCE: string) => userData({ ...boot, machine: { ...told, RESOURCE } });
    const made = stack.resolve([common, text(''), ...(generation === undefined ? [] : [generation])]);
    const hash = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 12);
    this.instance = new CfnInstance(this, `Instance${hash}`, common);
    this.instance.userData = Fn.base64(text(stack.getLogicalId(this.instance)));
    this.instance.cfnOptions.creationPolicy = {
      resourceSignal: { count: 1, timeout: FIRST_BOOT.toIsoString() },
    };
    // It needs the way out at once, and its permissions to the end.
    this.instance.node.addDependency(props.network, role);
    this.instanceId = this.instance.ref;
    Tags.of(this.instance).add('Name', name);
    acknowledge(this.instance, {
      'AwsSolutions-EC29':
        'A new version is a new instance, and the stack must be able to delete the old one; nothing on it is kept.',
      ...(!Token.isUnresolved(props.imageId) && {
        'CloudFormation-Validate::W9010': 'Named by an option, so that no newer one takes its place.',
      }),
    });
  }
}

function instanceProps(props: MachineProps): CfnInstanceProps {
  const { imageId, instanceType, diskGb, subnetId, network, role } = props;
  const { securityGroup, publicAddress } = network;
  return {
    imageId,
    instanceType,
    // Its role may not stop it: powering off does.
    instanceInitiatedShutdownBehavior: 'stop',
    iamInstanceProfile: role.profile.instanceProfileName,
    // A minute's data, by which the dashboard counts what is billed.
    monitoring: true,
    metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: METADATA_HOPS },
    networkInterfaces: [
      {
        deviceIndex: '0',
        subnetId,
        groupSet: [securityGroup.securityGroupId],
        ...(publicAddress && { associatePublicIpAddress: true }),
      },
    ],
    blockDeviceMappings: [
      {
        deviceName: ROOT_DEVICE,
        ebs: { volumeType: 'gp3', volumeSize: diskGb, encrypted: true, deleteOnTermination: true },
      },
    ],
  };
}
