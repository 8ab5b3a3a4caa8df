import type { Ec2Props } from './ec2-props.js';
import type { SageMakerProps } from './sagemaker-props.js';

/** What `new SdTurbo(scope, id, props)` takes: which props there are depends on `backend`. */
export type SdTurboProps = SageMakerProps | Ec2Props;
