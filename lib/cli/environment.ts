import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the command takes from environment variables. The AWS SDK reads its own. */
export interface Environment {
  /** `HF_ENDPOINT`, `HF_TOKEN` */
  readonly hub: { readonly endpoint?: string; readonly token?: string };
  /** Where downloaded bundles are kept: `XDG_CACHE_HOME`, or `~/.cache`. */
  readonly cache: string;
  /** Where `serve` keeps predictions: `XDG_DATA_HOME`, or `~/.local/share`. */
  readonly data: string;
}

/** The only place of `lib` that reads them. A variable that is set to nothing counts as unset. */
export function readEnvironment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  const read = (name: string) => variables[name]?.trim() || undefined;
  const [endpoint, token] = [read('HF_ENDPOINT'), read('HF_TOKEN')];
  return {
    hub: { ...(endpoint && { endpoint }), ...(token && { token }) },
    cache: join(read('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'sd-turbo'),
    data: join(read('XDG_DATA_HOME') ?? join(homedir(), '.local', 'share'), 'sd-turbo'),
  };
}
