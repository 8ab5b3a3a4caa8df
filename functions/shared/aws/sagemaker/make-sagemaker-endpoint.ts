import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SageMakerEndpoint, type SageMakerEndpointProps } from './sagemaker-endpoint.js';

/** The endpoint of a function on Lambda. */
export function makeSageMakerEndpoint({
  endpointName,
  inferenceComponentName,
}: Omit<SageMakerEndpointProps, 'runtime' | 'control'>): SageMakerEndpoint {
  return new SageMakerEndpoint({
    // Busy answers are retried as long as the caller waits, not as often as the SDK thinks.
    runtime: new SageMakerRuntimeClient({ maxAttempts: 1 }),
    control: new SageMakerClient({}),
    endpointName,
    inferenceComponentName,
  });
}
