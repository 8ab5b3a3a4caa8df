import type { Fields } from './telemetry.js';

/** How many causes are followed: enough for ours around the SDK's around the system's. */
const MAX_CAUSES = 5;

/** What a log may know of an error: its names, messages and stack; none of its other properties. */
export function errorFields(error: unknown): Fields {
  const causes: string[] = [];
  for (let e = error; e instanceof Error && causes.length < MAX_CAUSES; e = e.cause) {
    causes.push(`${e.name}: ${e.message}`);
  }
  return {
    error: causes.join(' <- ') || String(error),
    stack: error instanceof Error ? error.stack : undefined,
  };
}
