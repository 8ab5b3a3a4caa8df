import { execFile } from 'node:child_process';
import { AppError } from '../errors/app-error.js';
import { type HubAccess, HubClient } from '../weights/sources/hub/hub-client.js';
import { type Check, failure, ok, type Verdict, warning } from './check.js';

/** Milliseconds. */
const PATIENCE = 30_000;

export interface LocalChecksProps {
  /** What builds container images: a program that takes Docker's commands. */
  readonly builder: string;
  /** As `process.arch` has it. */
  readonly architecture: string;
  readonly hub: HubAccess;
  /** `owner/name` and revision of what the deploy imports, with a file that each has. */
  readonly repositories: readonly Repository[];
}

export interface Repository {
  readonly repo: string;
  readonly revision: string;
  readonly file: string;
}

/** What this computer must have, and reach. */
export function localChecks({ builder, architecture, hub, repositories }: LocalChecksProps): Check[] {
  return [
    { name: 'container builder', run: () => build(builder, architecture) },
    ...repositories.map((repository) => ({
      name: `hf:${repository.repo}`,
      run: () => reach(repository, hub),
    })),
  ];
}

async function build(builder: string, architecture: string): Promise<Verdict> {
  const error = await answers(builder);
  if (error === 'absent')
    return failure(`there is no ${builder}`, 'install Docker, or name another builder: CDK_DOCKER=finch');
  if (error !== undefined)
    return failure(`${builder} does not answer: ${error}`, `start it: ${builder} version must succeed`);
  if (architecture === 'x64') return ok(builder);
  return warning(
    `${builder} on ${architecture}: the image is for x64`,
    'the build is emulated, and slow: allow half an hour, or deploy from an x64 computer',
  );
}

/** @returns why it does not; its server is asked, too */
function answers(builder: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(builder, ['version'], { timeout: PATIENCE }, (error, _, stderr) => {
      if (!error) return resolve(undefined);
      if (error.code === 'ENOENT') return resolve('absent');
      return resolve((stderr.trim() || error.message).split('\n').at(-1)?.slice(0, 200));
    });
  });
}

async function reach({ repo, revision, file }: Repository, hub: HubAccess): Promise<Verdict> {
  try {
    const client = new HubClient(hub);
    const url = `${client.endpoint}/${repo}/resolve/${encodeURIComponent(revision)}/${file}`;
    const signal = AbortSignal.timeout(PATIENCE);
    const { response } = await client.get({ url, subject: { repo, revision }, signal });
    await response.body?.cancel();
    return ok(`${revision} can be read from this computer; the deploy reads it from AWS`);
  } catch (error) {
    const why = error instanceof AppError ? error.message : 'it did not answer within 30 s';
    return failure(
      why,
      'import from a computer that may, and deploy with -c modelUri=s3://... (infra/README.md, Without Hugging Face); for another commit -c revision=...',
    );
  }
}
