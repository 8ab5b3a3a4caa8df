import { AppError } from '../../errors/app-error.js';
import { EndpointError, type EndpointFault } from '../endpoint.js';
import type { Claims } from '../records/claims.js';
import type { Services } from '../services.js';

/** Where so many others were faster, something else is wrong. */
const MAX_RACES = 10;

/** After these nothing has been drawn, and nothing is being drawn. */
const NOTHING_DRAWN: ReadonlySet<EndpointFault> = new Set(['cold', 'busy', 'throttled']);

/** The right to draw a prediction: whoever has it finds out first that nobody has canceled it, and then nobody can. */
export interface Turn {
  /** Drawing came to nothing: where it has not even begun, the prediction can be canceled again. Never fails. */
  failed(error: unknown): Promise<void>;
}

/**
 * Takes the right to draw. A second one who draws, as where a message comes twice, gets it, too: then it is not given back,
 * since neither knows when the other is done.
 *
 * @returns undefined where the prediction was canceled
 * @throws AppError where the store fails
 */
export async function beginTurn(id: string, services: Services): Promise<Turn | undefined> {
  const { store } = services;
  // Nearly always the first who touches it: one write, and no look before.
  const first = await store.replaceClaim(id, 'drawing', undefined);
  if (first !== undefined) return turn(id, first, services);
  for (let races = 0; races < MAX_RACES; races++) {
    const claim = await store.readClaim(id);
    if (claim?.state === 'canceled') return undefined;
    const version = await store.replaceClaim(id, 'drawing', claim?.version);
    if (version !== undefined) return claim?.state === 'drawing' ? FOR_GOOD : turn(id, version, services);
  }
  throw tooManyRaces();
}

/**
 * Takes the right to draw from everybody.
 *
 * @returns false where somebody has begun
 * @throws AppError where the store fails
 */
export async function preventTurns(id: string, store: Claims): Promise<boolean> {
  for (let races = 0; races < MAX_RACES; races++) {
    const claim = await store.readClaim(id);
    if (claim?.state === 'drawing') return false;
    if (claim?.state === 'canceled') return true;
    if ((await store.replaceClaim(id, 'canceled', claim?.version)) !== undefined) return true;
  }
  throw tooManyRaces();
}

const FOR_GOOD: Turn = { failed: async () => undefined };

function turn(id: string, version: string, { store, onEvent }: Services): Turn {
  return {
    async failed(error) {
      if (!(error instanceof EndpointError && NOTHING_DRAWN.has(error.fault))) return;
      try {
        // Where it is no longer ours, somebody else draws.
        await store.replaceClaim(id, 'open', version);
      } catch (cause) {
        onEvent({ kind: 'trouble', what: `prediction ${id} waits, and cannot be canceled`, error: cause });
      }
    },
  };
}

function tooManyRaces(): AppError {
  return new AppError('UNAVAILABLE', 'the store does not say who draws this prediction');
}
