import {
  DescribeInferenceComponentCommand,
  type SageMakerClient,
  UpdateInferenceComponentRuntimeConfigCommand,
} from '@aws-sdk/client-sagemaker';
import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import {
  type EndpointAnswer,
  EndpointError,
  type EndpointState,
  type InvokeContext,
  type PushedEndpoint,
} from '../../../../lib/predictions/endpoint.js';
import { type GenerateAnswer, generateAnswerSchema } from '../../../../lib/schemas/answer.js';
import type { SeededRequest } from '../../../../lib/schemas/prediction.js';
import { parseServerTiming } from '../../server-timing.js';
import { sagemakerError } from './sagemaker-error.js';

export interface SageMakerEndpointProps {
  readonly runtime: SageMakerRuntimeClient;
  readonly control: SageMakerClient;
  readonly endpointName: string;
  readonly inferenceComponentName: string;
}

/** A SageMaker endpoint with one inference component that scales 0..N. */
export class SageMakerEndpoint implements PushedEndpoint {
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
      return { answer: readAnswer(output.Body), timings: parseServerTiming(output.CustomAttributes) };
    } catch (error) {
      throw sagemakerError(error, signal);
    }
  }

  async wake(): Promise<void> {
    const { control, inferenceComponentName } = this.#props;
    // One copy is what a sleeper is given; a component that scales out must not be scaled in by it.
    if ((await this.#copies()).desired > 0) return;
    const update = new UpdateInferenceComponentRuntimeConfigCommand({
      InferenceComponentName: inferenceComponentName,
      DesiredRuntimeConfig: { CopyCount: 1 },
    });
    await control.send(update).catch(rethrow);
  }

  async state(): Promise<EndpointState> {
    const { desired, current, failure } = await this.#copies();
    if (current > 0) return { state: 'ready' };
    if (failure !== undefined) return { state: 'failed', detail: failure };
    return { state: desired > 0 ? 'waking' : 'asleep' };
  }

  async #copies(): Promise<{ desired: number; current: number; failure: string | undefined }> {
    const { control, inferenceComponentName: InferenceComponentName } = this.#props;
    const describe = new DescribeInferenceComponentCommand({ InferenceComponentName });
    const component = await control.send(describe).catch(rethrow);
    const { DesiredCopyCount: desired = 0, CurrentCopyCount: current = 0 } = component.RuntimeConfig ?? {};
    const failed = component.InferenceComponentStatus === 'Failed';
    return {
      desired,
      current,
      failure: failed ? (component.FailureReason ?? 'the component has failed') : undefined,
    };
  }
}

function rethrow(error: unknown): never {
  throw sagemakerError(error);
}

function readAnswer(body: Uint8Array): GenerateAnswer {
  try {
    return generateAnswerSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    // The parsers' own messages have pieces of what came.
    throw new EndpointError('model', 'the endpoint answered with something else than a picture');
  }
}
