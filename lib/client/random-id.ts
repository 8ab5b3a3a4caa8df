/** 128 random bits. `crypto.randomUUID` is missing where a page comes over plain HTTP from another machine of the house. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
