/** How a check went. `advice` says what to do. */
export type Verdict =
  | { readonly state: 'ok'; readonly found: string }
  | { readonly state: 'warning' | 'failure'; readonly found: string; readonly advice: string };

export interface Check {
  readonly name: string;
  readonly run: () => Promise<Verdict>;
}

export const ok = (found: string): Verdict => ({ state: 'ok', found });
export const warning = (found: string, advice: string): Verdict => ({ state: 'warning', found, advice });
export const failure = (found: string, advice: string): Verdict => ({ state: 'failure', found, advice });
