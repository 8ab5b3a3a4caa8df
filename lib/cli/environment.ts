import { homedir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.js';
import { setAttentionKernels } from '../runtime/attention-kernels.js';
import { ATTENTION_KERNELS } from '../schemas/attention-kernels.js';

/** What the command takes from environment variables. The AWS SDK reads its own. */
export interface Environment {
  /** `HF_ENDPOINT`, `HF_TOKEN` */
  readonly hub: { readonly endpoint?: string; readonly token?: string };
  /** `SD_TURBO_API_KEY`: of a service, out of the shell's history. */
  readonly apiKey?: string;
  /** `CDK_DOCKER`: what builds container images. */
  readonly containerBuilder: string;
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
    containerBuilder: read('CDK_DOCKER') ?? 'docker',
    cache: join(read('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'sd-turbo'),
    data: join(read('XDG_DATA_HOME') ?? join(homedir(), '.local', 'share'), 'sd-turbo'),
  };
}

/** Before sessions are made in this process. `ATTENTION_KERNELS` is the endpoint's variable of that name. */
export function prepareSessions(variables: Record<string, string | undefined> = process.env): void {
  const wanted = variables['ATTENTION_KERNELS']?.trim() || undefined;
  const kernels = ATTENTION_KERNELS.find((each) => each === wanted);
  if (wanted !== undefined && !kernels)
    throw new AppError('INVALID_INPUT', `ATTENTION_KERNELS: must be one of ${ATTENTION_KERNELS.join(', ')}`);
  setAttentionKernels(variables, kernels);
}
