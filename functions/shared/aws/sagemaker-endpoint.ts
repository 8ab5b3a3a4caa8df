import {
  DescribeInferenceComponentCommand,
  type SageMakerClient,
  UpdateInferenceComponentRuntimeConfigCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import {
  type Endpoint,
  type EndpointAnswer,
  EndpointError,
  type EndpointState,
  type InvokeContext,
} from '../../../lib/predictions/endpoint.js';
import { generateAnswerSchema } from '../../../lib/schemas/answer.js';
import type { SeededRequest } from '../../../lib/schemas/prediction.js';
import { parseServerTiming } from '../server-timing.js';
import { sagemakerError } from './sagemaker-error.js';

export interface SageMakerEndpointProps {
  readonly runtime: SageMakerRuntimeClient;
  readonly control: SageMakerClient;
  readonly endpointName: string;
  readonly inferenceComponentName: string;
}

/** A SageMaker endpoint with one inference component that scales 0..N. */
export class SageMakerEndpoint implements Endpoint {
  readonly #props: SageMakerEndpointProps;

  constructor(props: SageMakerEndpointProps) {
    this.#props = props;
  }

  async invoke(request: SeededRequest, { requestId, signal }: InvokeContext): Promise<EndpointAnswer> {
    const { runtime, endpointName, inferenceComponentName } = this.#props;
    try {
      const output = await runtime.send(
        new InvokeEndpointCommand({
          EndpointName: endpointName,
          InferenceComponentName: inferenceComponentName,
          ContentType: 'application/json',
          Accept: 'application/json',
          // The only header of ours that reaches the container.
          CustomAttributes: `request-id=${requestId}`,
          Body: JSON.stringify(request),
        }),
        { abortSignal: signal },
      );
      const answer = generateAnswerSchema.safeParse(JSON.parse(new TextDecoder().decode(output.Body)));
      if (!answer.success)
        throw new EndpointError('model', 'the endpoint answered with something else than a picture');
      return { answer: answer.data, timings: parseServerTiming(output.CustomAttributes) };
    } catch (error) {
      throw sagemakerError(error, signal);
    }
  }

  async wake(): Promise<void> {
    const { control, inferenceComponentName } = this.#props;
    // One copy is what a sleeper is given; a component that scales out must not be scaled in by it.
    if ((await this.#copies()).desired > 0) return;
    await control.send(
      new UpdateInferenceComponentRuntimeConfigCommand({
        InferenceComponentName: inferenceComponentName,
        DesiredRuntimeConfig: { CopyCount: 1 },
      }),
    );
  }

  async state(): Promise<EndpointState> {
    const { desired, current, failure } = await this.#copies();
    if (current > 0) return { state: 'ready' };
    if (failure !== undefined) return { state: 'failed', detail: failure };
    return { state: desired > 0 ? 'waking' : 'asleep' };
  }

  async #copies(): Promise<{ desired: number; current: number; failure: string | undefined }> {
    const { control, inferenceComponentName: InferenceComponentName } = this.#props;
    const component = await control.send(new DescribeInferenceComponentCommand({ InferenceComponentName }));
    const { DesiredCopyCount: desired = 0, CurrentCopyCount: current = 0 } = component.RuntimeConfig ?? {};
    const failed = component.InferenceComponentStatus === 'Failed';
    return {
      desired,
      current,
      failure: failed ? (component.FailureReason ?? 'the component has failed') : undefined,
    };
  }
}
