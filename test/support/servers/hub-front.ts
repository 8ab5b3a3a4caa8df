import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HuggingFaceServer, startHuggingFaceServer } from '../hugging-face-server.js';

export interface HubFront {
  /** For `HF_ENDPOINT`. */
  readonly endpoint: string;
  readonly servers: readonly HuggingFaceServer[];
  stop(): Promise<void>;
}

type Repository = Parameters<typeof startHuggingFaceServer>[0];

/** Several repositories under one address, each on a server of its own. */
export async function startHubFront(...repositories: readonly Repository[]): Promise<HubFront> {
  const servers = await Promise.all(repositories.map((repository) => startHuggingFaceServer(repository)));
  const front = http.createServer((request, response) => {
    const index = repositories.findIndex(({ repo }) => request.url?.includes(`/${repo}/`));
    const server = servers[index];
    if (!server) response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end();
    else response.writeHead(307, { location: `${server.endpoint}${request.url}` }).end();
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    servers,
    async stop() {
      front.closeAllConnections();
      await new Promise((resolve) => front.close(resolve));
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
