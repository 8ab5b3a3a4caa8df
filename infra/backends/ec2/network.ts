import { Fn } from 'aws-cdk-lib';
import {
  GatewayVpcEndpointAwsService,
  type ISubnet,
  type IVpc,
  type SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { acknowledge } from '../../basics/acknowledge.js';
import { closedGroup } from '../../basics/closed-group.js';

/** A place in somebody else's network; its subnets must reach AWS's services, by a public address or by a NAT. */
export interface ExistingNetwork {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
}

export interface MachineNetworkProps {
  /** How many instances: each in a zone of its own. Or the zones' names. */
  readonly zones: number | readonly string[];
  /** @default a VPC of its own */
  readonly existing?: ExistingNetwork;
  /** The same, as an object. @default a VPC of its own */
  readonly vpc?: IVpc;
  /** Of `vpc`. @default public ones, and where there are none those with a NAT */
  readonly subnets?: SubnetSelection;
}

/**
 * Where the instances stand: public subnets, since an address while they run costs less than anything else that leads
 * out, and nobody is let in. An account has five VPCs a region unless it asks for more.
 */
export class MachineNetwork extends Construct {
  /** One for each instance. */
  readonly subnetIds: readonly string[];
  readonly securityGroup: SecurityGroup;
  /** Whether instances get a public address here; undefined: as their subnet has it. */
  readonly publicAddress?: true;

  constructor(scope: Construct, id: string, props: MachineNetworkProps) {
    super(scope, id);
    const { zones, existing } = props;
    if (existing) {
      const { vpcId, subnetIds } = existing;
      this.subnetIds = subnetIds;
      this.securityGroup = this.#nobodyComesIn(
        Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: ['of its subnets'] }),
      );
      return;
    }
    if (props.vpc) {
      const { subnets, hasPublic } = selectSubnets(props.vpc, props);
      this.subnetIds = subnets.map(({ subnetId }) => subnetId);
      if (hasPublic) this.publicAddress = true;
      this.securityGroup = this.#nobodyComesIn(props.vpc);
      // The way out must be there before an instance looks for it.
      this.node.addDependency(...subnets.map((subnet) => subnet.internetConnectivityEstablished));
      return;
    }
    const vpc = this.#makeVpc(zones);
    this.subnetIds = vpc.publicSubnets.map(({ subnetId }) => subnetId);
    this.publicAddress = true;
    this.securityGroup = this.#nobodyComesIn(vpc as IVpc);
  }

  #makeVpc(zones: number | readonly string[]): Vpc {
    const availabilityZones =
      typeof zones === 'number'
        ? Array.from({ length: zones }, (_, index) => Fn.select(index, Fn.getAzs()))
        : [...zones];
    const vpc = new Vpc(this, 'Vpc', {
      availabilityZones,
      natGateways: 0,
      // Of one size, whether there is a second one or not: the first keeps its addresses.
      subnetConfiguration: [{ name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 24 }],
      // Free, and the way to the weights.
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
      // Nothing stands in the default group; emptying it would take a function of its own.
      restrictDefaultSecurityGroup: false,
    });
    acknowledge(vpc, {
      'AwsSolutions-VPC7':
        'Nothing is let in, and what goes out goes to AWS: flow logs would cost more than the network.',
    });
    return vpc;
  }

  #nobodyComesIn(vpc: IVpc): SecurityGroup {
    return closedGroup(this, { vpc, of: 'instances', outwards: 'AWS services, packages' });
  }
}

/** As many as there are to be instances, each in a zone of its own. */
function selectSubnets(
  vpc: IVpc,
  { zones, subnets }: Pick<MachineNetworkProps, 'zones' | 'subnets'>,
): { subnets: ISubnet[]; hasPublic: boolean } {
  const subnetType = vpc.publicSubnets.length > 0 ? SubnetType.PUBLIC : SubnetType.PRIVATE_WITH_EGRESS;
  const found = vpc.selectSubnets({
    ...(subnets ?? { subnetType }),
    onePerAz: true,
    ...(typeof zones !== 'number' && { availabilityZones: [...zones] }),
  });
  const count = typeof zones === 'number' ? zones : zones.length;
  if (found.subnets.length < count)
    throw new Error(
      `network.subnets: ${count} in zones of their own are wanted (instances.zones), and ${found.subnets.length} are there`,
    );
  return { subnets: found.subnets.slice(0, count), hasPublic: found.hasPublic };
}
