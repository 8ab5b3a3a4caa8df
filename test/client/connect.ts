import { afterEach } from 'vitest';
import { createClient } from '../../lib/client/create-client.js';
import { type ScriptedAnswer, type ScriptedService, startScriptedService } from './scripted-service.js';
import { HEALTH } from './scripts.js';

/** For one file of tests: a service that answers as it is told to, until the end of a test, and its client. */
export function connector() {
  let service: ScriptedService | undefined;
  afterEach(async () => {
    await service?.close();
    service = undefined;
  });
  return async (...answers: ScriptedAnswer[]) => {
    service = await startScriptedService(answers, HEALTH);
    const { url, seen, close } = service;
    return { client: createClient({ url: `${url}/`, apiKey: 'k' }), url, seen, close };
  };
}
