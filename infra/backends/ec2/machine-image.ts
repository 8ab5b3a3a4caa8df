import { Annotations } from 'aws-cdk-lib';
import { ParameterValueType, StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';

/**
 * Amazon Linux 2023 with Docker, NVIDIA's container toolkit and its open driver of the branch that CUDA 13 needs, made
 * for ECS, whose agent is turned off. Nothing has to be built at the first boot, which looks all the same.
 */
const RECOMMENDED = '/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/recommended/image_id';

/** @param wanted `ami-...`, or `recommended`: what AWS recommends when the stack is deployed. Its patches come so. */
export function machineImage(scope: Construct, wanted: string): string {
  if (wanted !== 'recommended') return wanted;
  // CloudFormation looks it up, at each deploy: `cdk diff`, which compares templates, cannot show it.
  Annotations.of(scope).addInfo(
    "the machine image is the one that AWS recommends at the time of the deploy. Where it is newer than the last deploy's " +
      '(output MachineImage), the instance is replaced, although `cdk diff` does not say so: the new one draws a picture before ' +
      'the old one goes. Keep the old one by -c machineImage=ami-...',
  );
  return StringParameter.valueForTypedStringParameterV2(
    scope,
    RECOMMENDED,
    ParameterValueType.AWS_EC2_IMAGE_ID,
  );
}
