import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { allowImpliedDependencies } from '../../basics/implied-dependencies.js';

export interface ImageScanProps {
  readonly image: DockerImageAsset;
  readonly logDays: RetentionDays;
}

interface Caller {
  readonly role: Role;
  readonly logGroup: LogGroup;
}

/**
 * Has ECR look for known vulnerabilities in each image that is pushed. The repository is the bootstrap's, which scans
 * nothing; its settings are the account's affair, so that this asks for a scan of the one image.
 */
export class ImageScan extends Construct {
  /** What the calls are made with. */
  readonly #caller: Caller;

  constructor(scope: Construct, id: string, { image, logDays }: ImageScanProps) {
    super(scope, id);
    this.#caller = this.#callerOfStack() ?? this.#makeCaller(logDays);
    const { repository, imageTag } = image;
    new AwsCustomResource(this, 'Scan', {
      resourceType: 'Custom::ImageScan',
      onUpdate: {
        service: 'ECR',
        action: 'StartImageScan',
        parameters: { repositoryName: repository.repositoryName, imageId: { imageTag } },
        physicalResourceId: PhysicalResourceId.of(imageTag),
        // A repository that scans on push, or an account with enhanced scanning, has done so already.
        ignoreErrorCodesMatching: '.*',
      },
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({ actions: ['ecr:StartImageScan'], resources: [repository.repositoryArn] }),
      ]),
      ...this.#caller,
      installLatestAwsSdk: false,
    });
    // CDK's own function for such calls stands in the stack.
    const sharedId = `AWS${AwsCustomResource.PROVIDER_FUNCTION_UUID.replaceAll('-', '')}`;
    allowImpliedDependencies(Stack.of(this).node.findChild(sharedId));
  }

  #makeCaller(logDays: RetentionDays): Caller {
    const logGroup = new LogGroup(this, 'Logs', { retention: logDays, removalPolicy: RemovalPolicy.DESTROY });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return { role, logGroup };
  }

  /** CDK has one function for all calls of its kind in a stack, with the first one's role and log: another has no use. */
  #callerOfStack(): Caller | undefined {
    const stack = Stack.of(this);
    for (const other of stack.node.findAll())
      if (other instanceof ImageScan && other !== this && Stack.of(other) === stack) return other.#caller;
    return undefined;
  }
}
