import { Aspects, CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * CDK writes dependencies that references imply, which cfn-lint finds (W3005). Tells it so resource by resource: a stack's
 * own settings are its owner's.
 */
export function allowImpliedDependencies(scope: IConstruct): void {
  Aspects.of(scope).add({
    visit: (node) => {
      if (CfnResource.isCfnResource(node))
        node.addMetadata('cfn-lint', { config: { ignore_checks: ['W3005'] } });
    },
  });
}
