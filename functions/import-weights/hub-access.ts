import type { HubAccess } from '../../lib/weights/sources/hub/hub-client.js';

/** How to reach Hugging Face: `HF_ENDPOINT` names a mirror. The one place of this function that reads the environment. */
export function readHubAccess(environment: NodeJS.ProcessEnv = process.env): HubAccess {
  const endpoint = environment['HF_ENDPOINT']?.trim();
  return endpoint ? { endpoint } : {};
}
