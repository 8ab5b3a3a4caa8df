import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the command takes from environment variables. The AWS SDK reads its own. */
export interface Environment {
  /** `HF_ENDPOINT`, `HF_TOKEN` */
  readonly hub: { readonly endpoint?: string; readonly token?: string };
  /** `SD_TURBO_API_KEY`: of a service, out of the shell's history. */
  readonly apiKey?: string;
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
  const [endpoint, token, apiKey] = [read('HF_ENDPOINT'), read('HF_TOKEN'), read('SD_TURBO_API_KEY')];
  return {
    hub: { ...(endpoint && { endpoint }), ...(token && { token }) },
    ...(apiKey && { apiKey }),
    cache: join(read('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'sd-turbo'),
    data: join(read('XDG_DATA_HOME') ?? join(homedir(), '.local', 'share'), 'sd-turbo'),
  };
}
