const MAX_LENGTH = 80;

/** Controls that JSON leaves as they are, ends of lines, and marks that turn the direction of what follows. */
const INVISIBLE = /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A value from an untrusted file as part of a one-line message. */
export function showValue(value: unknown): string {
  try {
    return escapeInvisible(JSON.stringify(value) ?? 'nothing').slice(0, MAX_LENGTH);
  } catch {
    return 'nested too deep to be shown';
  }
}

/** JSON that shows what would steer a terminal. */
export function escapeInvisible(json: string): string {
  return json.replace(INVISIBLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
