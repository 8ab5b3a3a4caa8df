/** Of session storage: gone with the tab, and never sent by the browser itself. The reference reads what the page kept. */
const STORED = 'sd-turbo-api-key';

/** Empty where there is none. */
export function storedKey(): string {
  return sessionStorage.getItem(STORED) ?? '';
}

export function storeKey(key: string): void {
  sessionStorage.setItem(STORED, key);
}
