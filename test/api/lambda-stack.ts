import { type Container, SageMakerServer } from '../support/servers/sagemaker-server.js';
import { FunctionStack, type FunctionStackProps, type Surroundings, surround } from './function-stack.js';

const ENDPOINT_NAME = 'sd-turbo';
const INFERENCE_COMPONENT_NAME = 'sd-turbo-component';

export interface LambdaStackProps extends FunctionStackProps {
  readonly container: Container;
  /** From a wake to the first copy. Milliseconds. @default 100 */
  readonly wakeMs?: number;
}

/** The functions around a stand-in for SageMaker. */
export class LambdaStack extends FunctionStack {
  readonly sagemaker: SageMakerServer;

  private constructor(props: LambdaStackProps, around: Surroundings, sagemaker: SageMakerServer) {
    super(props, around, {
      ENDPOINT_NAME,
      INFERENCE_COMPONENT_NAME,
      AWS_ENDPOINT_URL_SAGEMAKER: sagemaker.url,
      AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: sagemaker.url,
    });
    this.sagemaker = sagemaker;
  }

  static async start(props: LambdaStackProps): Promise<LambdaStack> {
    const { container, wakeMs = 100 } = props;
    const sagemaker = await SageMakerServer.start({
      container,
      endpointName: ENDPOINT_NAME,
      inferenceComponentName: INFERENCE_COMPONENT_NAME,
      wakeMs,
    });
    return new LambdaStack(props, await surround(props), sagemaker);
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.sagemaker.stop();
  }
}
