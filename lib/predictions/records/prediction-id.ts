import { createHash, randomBytes } from 'node:crypto';

/** 160 bits: nobody guesses one, and nobody finds a second key with the same one. */
const ID_BYTES = 20;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** Who asked for a prediction, and with which `Idempotency-Key`. */
export interface Origin {
  readonly caller: string;
  readonly key: string;
}

/** The id of a prediction that nobody may ask for twice. */
export function newPredictionId(random: (count: number) => Uint8Array = randomBytes): string {
  return base32(random(ID_BYTES));
}

/** The same caller and key have the same prediction. */
export function predictionIdOf(origin: Origin): string {
  return base32(digest('id', origin).subarray(0, ID_BYTES));
}

/**
 * The seed where the request names none: the same for each duplicate, so that whichever of them is drawn, the
 * picture is the same one.
 */
export function seedOf(origin: Origin): number {
  // As short as other random ones.
  return digest('seed', origin).readUInt32BE();
}

function digest(purpose: string, { caller, key }: Origin): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([purpose, caller, key]))
    .digest();
}

/** RFC 4648 in lower case; 5 bits a letter. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)]).join('');
}
