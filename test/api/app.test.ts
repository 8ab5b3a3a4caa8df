import { createHash } from 'node:crypto';
import { apiApp } from '../../functions/api/app.js';
import { ProblemError } from '../../functions/shared/problem-response.js';
import { readKey, whyNoKey } from '../../functions/shared/read-key.js';
import { memoryServices } from '../support/predictions/memory-services.js';
import { RecordingTelemetry } from '../support/predictions/recording-telemetry.js';
import { SCRIPTED_SIDE, ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import { contract } from './contract/contract.js';
import { MARKER, type Setting } from './contract/setting.js';

const DAY_MS = 86_400_000;
const KEYS = [`mine-${MARKER}`, `other-${MARKER}`];

contract('the app itself', async (): Promise<Setting> => {
  const [endpoint, telemetry] = [new ScriptedEndpoint(), new RecordingTelemetry()];
  const { services, store, queue } = memoryServices({ endpoint, telemetry, retentionMs: DAY_MS });
  const baseUrl = 'http://service.test';
  const app = apiApp({
    services,
    telemetry,
    caller: ({ headers }) => {
      const key = readKey(headers);
      if (key === undefined) throw new ProblemError(401, whyNoKey(headers));
      if (!KEYS.includes(key)) throw new ProblemError(401, 'this key is not known');
      return createHash('sha256').update(key).digest('hex');
    },
    baseUrl: () => baseUrl,
  });
  return {
    send: async (request) => app.fetch(request),
    baseUrl,
    credentials: { 'x-api-key': KEYS[0] as string },
    stranger: { authorization: `Bearer ${KEYS[1]}` },
    checksKeys: true,
    side: SCRIPTED_SIDE,
    readAddress: async (url) => {
      const name = new URL(url).pathname.replace('/memory/', '');
      const headers = { 'content-type': `image/${name.split('.').at(-1)}` };
      return new Response(Buffer.from(store.pictures.get(name) ?? ''), { headers });
    },
    drawn: () => endpoint.drawn,
    sleep: () => endpoint.sleep(),
    expire: async (id) => store.age(id, DAY_MS + 1),
    output: () => telemetry.lines.join('\n'),
    stop: () => queue.stop(),
  };
});
