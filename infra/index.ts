export type {
  AlarmProps,
  ApiProps,
  CommonProps,
  CustomDomain,
  DrawingProps,
  LogProps,
  ModelProps,
  PredictionProps,
} from './options/props/common-props.js';
export type { Ec2Instances, Ec2Network, Ec2Props, Ec2Sleep } from './options/props/ec2-props.js';
export type {
  SageMakerDrawing,
  SageMakerInstances,
  SageMakerNetwork,
  SageMakerProps,
  SageMakerSleep,
} from './options/props/sagemaker-props.js';
export type { SdTurboProps } from './options/props/sd-turbo-props.js';
export { type RequestOutcome, SdTurbo } from './sd-turbo.js';
