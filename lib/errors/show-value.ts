const MAX_LENGTH = 80;

/** A value from an untrusted file as part of a one-line message. */
export function showValue(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? 'nothing').slice(0, MAX_LENGTH);
  } catch {
    return 'nested too deep to be shown';
  }
}
