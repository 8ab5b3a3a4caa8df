import http from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What InvokeEndpoint does on bad days, in the shapes of AWS's API reference.
 *
 * - `error`: an error of the service by its name; `message` null is what ThrottlingException has
 * - `model`: the container has answered with this
 * - `page`: a load balancer's own HTML
 * - `garbage`: 200 with something else than a picture
 * - `reset`: the connection ends; `late` after the picture was made
 * - `hang`: no answer at all
 */
export type SageMakerFault =
  | { readonly error: string; readonly status: number; readonly message: string | null }
  | { readonly model: number; readonly said: string }
  | { readonly page: number }
  | { readonly garbage: string }
  | { readonly reset: 'early' | 'late' }
  | 'hang';

export type Container = (request: Request) => Promise<Response>;

export interface SageMakerServerProps {
  /** The container's server: answers `POST /invocations`. */
  readonly container: Container;
  readonly endpointName: string;
  readonly inferenceComponentName: string;
  /** From the wake to the first copy. Milliseconds. @default 100 */
  readonly wakeMs?: number;
}

interface Reply {
  readonly status: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

const NO_CAPACITY = {
  error: 'ValidationError',
  status: 400,
  message:
    'Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress ' +
    '(if configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API.',
};

/** A stand-in for SageMaker over HTTP: the runtime and the control plane, before one real container. */
export class SageMakerServer {
  readonly #props: SageMakerServerProps;
  readonly #server: http.Server;
  readonly #faults: SageMakerFault[] = [];
  #desired = 1;
  #current = 1;
  /** Answered by the container with a picture. */
  drawn = 0;
  /** Copy counts that were asked for. */
  readonly updates: number[] = [];
  /** `DescribeInferenceComponent` fails with this. @default it does not */
  failure: SageMakerFault | undefined;

  private constructor(props: SageMakerServerProps) {
    this.#props = props;
    this.#server = http.createServer((request, response) => void this.#answer(request, response));
  }

  static async start(props: SageMakerServerProps): Promise<SageMakerServer> {
    const server = new SageMakerServer(props);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** No copies, until somebody asks for one. */
  sleep(): void {
    this.#desired = 0;
    this.#current = 0;
  }

  /** The next invocations fail, one each. */
  failNext(...faults: SageMakerFault[]): void {
    this.#faults.push(...faults);
  }

  /** Whatever was to fail does not. */
  succeed(): void {
    this.#faults.length = 0;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece);
    const body = Buffer.concat(pieces);
    const target = incoming.headers['x-amz-target'];
    const reply =
      typeof target === 'string' ? this.#control(target, body) : await this.#invoke(incoming, body);
    if (reply === 'hang') return;
    if (reply === 'reset') return void incoming.socket.resetAndDestroy();
    outgoing.writeHead(reply.status, { 'x-amzn-requestid': 'test', ...reply.headers }).end(reply.body);
  }

  #control(target: string, body: Buffer): Reply | 'hang' | 'reset' {
    const { inferenceComponentName, endpointName } = this.#props;
    const asked = JSON.parse(body.toString());
    if (this.failure) return toReply(this.failure);
    if (asked.InferenceComponentName !== inferenceComponentName) {
      const message = `Could not find inference component "${asked.InferenceComponentName}".`;
      return toReply({ error: 'ValidationException', status: 400, message });
    }
    const arn = `arn:aws:sagemaker:us-east-1:123456789012:inference-component/${inferenceComponentName}`;
    if (target === 'SageMaker.UpdateInferenceComponentRuntimeConfig') {
      this.#wake(asked.DesiredRuntimeConfig.CopyCount);
      return json({ InferenceComponentArn: arn });
    }
    return json({
      InferenceComponentName: inferenceComponentName,
      InferenceComponentArn: arn,
      EndpointName: endpointName,
      EndpointArn: `arn:aws:sagemaker:us-east-1:123456789012:endpoint/${endpointName}`,
      VariantName: 'main',
      InferenceComponentStatus: this.#current === this.#desired ? 'InService' : 'Updating',
      RuntimeConfig: { DesiredCopyCount: this.#desired, CurrentCopyCount: this.#current },
      CreationTime: 1_700_000_000,
      LastModifiedTime: 1_700_000_000,
    });
  }

  #wake(copies: number): void {
    this.updates.push(copies);
    this.#desired = copies;
    const up = () => {
      this.#current = this.#desired;
    };
    setTimeout(up, this.#props.wakeMs ?? 100).unref();
  }

  async #invoke(incoming: http.IncomingMessage, body: Buffer): Promise<Reply | 'hang' | 'reset'> {
    const { endpointName, inferenceComponentName, container } = this.#props;
    const component = incoming.headers['x-amzn-sagemaker-inference-component'];
    if (incoming.url !== `/endpoints/${endpointName}/invocations` || component !== inferenceComponentName) {
      const message = `Endpoint ${incoming.url} of account 123456789012 not found.`;
      return toReply({ error: 'ValidationError', status: 400, message });
    }
    if (this.#current === 0) return toReply(NO_CAPACITY);
    const fault = this.#faults.shift();
    if (fault && !isLate(fault)) return toReply(fault);
    // It hands on these headers, and no others.
    const headers = pick(incoming.headers, ['content-type', 'accept', 'x-amzn-sagemaker-custom-attributes']);
    const drawn = await container(
      new Request('http://container/invocations', { method: 'POST', headers, body }),
    );
    const bytes = Buffer.from(await drawn.arrayBuffer());
    if (!drawn.ok) return toReply({ model: drawn.status, said: bytes.toString() });
    this.drawn++;
    if (fault) return toReply(fault);
    const passed = pick(Object.fromEntries(drawn.headers), [
      'content-type',
      'x-amzn-sagemaker-custom-attributes',
    ]);
    return { status: 200, headers: { ...passed, 'x-amzn-invoked-production-variant': 'main' }, body: bytes };
  }
}

function isLate(fault: SageMakerFault): boolean {
  return typeof fault === 'object' && 'reset' in fault && fault.reset === 'late';
}

function toReply(fault: SageMakerFault): Reply | 'hang' | 'reset' {
  if (fault === 'hang') return 'hang';
  if ('reset' in fault) return 'reset';
  if ('page' in fault) {
    const body = '<html><body><h1>Bad Gateway</h1></body></html>';
    return { status: fault.page, headers: { 'content-type': 'text/html' }, body };
  }
  if ('garbage' in fault) return { ...json({}), body: fault.garbage };
  if ('error' in fault) return failure(fault.error, fault.status, { message: fault.message });
  const { model, said } = fault;
  const kind = model >= 500 ? 'server' : 'client';
  const Message = `Received ${kind} error (${model}) from primary with message "${said}". See https://console.aws.amazon.com/cloudwatch for more information.`;
  const LogStreamArn =
    'arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/InferenceComponents/test';
  return failure('ModelError', 424, {
    Message,
    OriginalStatusCode: model,
    OriginalMessage: said,
    LogStreamArn,
  });
}

function failure(name: string, status: number, body: unknown): Reply {
  const headers = { 'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/com.amazonaws.sagemaker/` };
  return { ...json(body), status, headers: { ...json(body).headers, ...headers } };
}

function json(body: unknown) {
  return {
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  };
}

function pick(headers: http.IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])));
}
