import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';

/** What a custom resource told CloudFormation. */
export interface Told {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId: string;
}

export interface CloudFormation {
  /** All that was told, in order. */
  readonly told: readonly Told[];
  /** Answers to the next requests, before 200 again. */
  readonly refusals: number[];
  /** Asks a handler as CloudFormation does, and waits for what it tells. */
  ask(
    handler: (event: CloudFormationCustomResourceEvent, context: Context) => Promise<void>,
    request: Request,
  ): Promise<Told>;
  event(request: Request): CloudFormationCustomResourceEvent;
  stop(): Promise<void>;
}

interface Request {
  readonly type: 'Create' | 'Update' | 'Delete';
  readonly properties: Readonly<Record<string, unknown>>;
  /** @default none; required for Update and Delete */
  readonly id?: string;
  /** Of the function. Milliseconds. @default 15 minutes */
  readonly remaining?: number;
}

/** The side of CloudFormation that waits for an answer at a signed address. */
export async function startCloudFormation(): Promise<CloudFormation> {
  const told: Told[] = [];
  const refusals: number[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const refusal = refusals.shift();
    // S3 refuses an address that was signed for another content type.
    const isSigned = request.method === 'PUT' && request.headers['content-type'] === '';
    const status = refusal ?? (isSigned ? 200 : 403);
    if (status === 200) told.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer?signature=x`;

  const event = ({ type, properties, id }: Request) =>
    ({
      RequestType: type,
      ServiceToken: 'arn:aws:lambda:us-east-1:123456789012:function:maker',
      ResponseURL: address,
      StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/sd-turbo/1',
      RequestId: 'request-1',
      LogicalResourceId: 'Thing',
      ResourceType: 'Custom::Thing',
      ...(id !== undefined && { PhysicalResourceId: id }),
      ...(type === 'Update' && { OldResourceProperties: {} }),
      ResourceProperties: { ServiceToken: 'arn:x', ...properties },
    }) as CloudFormationCustomResourceEvent;

  return {
    told,
    refusals,
    event,
    async ask(handler, request) {
      const before = told.length;
      await handler(event(request), {
        getRemainingTimeInMillis: () => request.remaining ?? 900_000,
        logGroupName: '/some/log',
        awsRequestId: 'invocation-1',
      } as Context);
      if (told.length !== before + 1) throw new Error(`${told.length - before} answers came`);
      return told.at(-1) as Told;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
