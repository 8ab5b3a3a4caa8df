import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { apiApp } from '../../../functions/api/app.js';
import { ProblemError } from '../../../functions/shared/problem-response.js';
import { readKey, whyNoKey } from '../../../functions/shared/read-key.js';
import type { PushedEndpoint } from '../../../lib/predictions/endpoint.js';
import { memoryServices } from '../predictions/memory-services.js';
import { RecordingTelemetry } from '../predictions/recording-telemetry.js';

export const KEY = 'a-key-of-the-tests';

export interface MemoryServer {
  /** Without a slash at its end. */
  readonly url: string;
  readonly telemetry: RecordingTelemetry;
  readonly close: () => Promise<void>;
}

export interface MemoryServerProps {
  /** Path of API Gateway's stage. @default '' */
  readonly stage?: string;
  /** Of pages elsewhere that may ask. @default none */
  readonly corsOrigins?: readonly string[];
}

/** The whole API on a socket of this machine, with everything behind it in memory. */
export async function startMemoryServer(
  endpoint: PushedEndpoint,
  { stage = '', corsOrigins = [] }: MemoryServerProps = {},
): Promise<MemoryServer> {
  const telemetry = new RecordingTelemetry();
  const { services, queue } = memoryServices({ endpoint, telemetry });
  const app = apiApp({
    services,
    telemetry,
    caller: ({ headers }) => {
      const key = readKey(headers);
      if (key === undefined) throw new ProblemError(401, whyNoKey(headers));
      if (key !== KEY) throw new ProblemError(401, 'the API key is not known');
      return 'me';
    },
    baseUrl: ({ url }) => new URL(url).origin + stage,
    corsOrigins,
  });
  // As API Gateway does: the function never sees the stage.
  const fetch = (request: Request) => {
    const url = new URL(request.url);
    if (!url.pathname.startsWith(stage)) return new Response(null, { status: 403 });
    url.pathname = url.pathname.slice(stage.length) || '/';
    return app.fetch(stage ? new Request(url, request) : request);
  };
  const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }) as ServerType & {
    closeAllConnections(): void;
  };
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${stage}`,
    telemetry,
    close: async () => {
      await queue.stop();
      server.closeAllConnections();
      server.close();
    },
  };
}
