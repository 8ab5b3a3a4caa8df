import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import type { HomeReport, HomeService } from '../../predictions/home-service.js';
import { corsOriginsSchema } from '../../schemas/cors-origins.js';
import type { EndpointStatus } from '../../schemas/endpoint-status.js';
import { formatS3Url } from '../../weights/sources/s3/s3-location.js';
import { assertLocal } from '../assert-local.js';
import { MODEL_HELP, modelPlace } from '../draw/model-place.js';
import { readEnvironment } from '../environment.js';
import { example } from '../example.js';
import { loadHomeService } from '../load-home-service.js';
import { s3Folder } from '../models/cache-folder.js';
import { parseNumber } from '../parse-number.js';
import { parseOptions } from '../parse-options.js';
import { type Progress, withProgress } from '../progress.js';
import { tellBytes } from '../tell-bytes.js';
import { untilStopped } from '../until-stopped.js';

/** Not the container's own, so that both can run beside each other. */
const PORT = 8000;
/** A day: who wants it longer does not want it. */
const MAX_IDLE_S = 86_400;

const port = { error: 'must be an integer from 0 to 65535' };
const idle = { error: `must be a number from 1 to ${MAX_IDLE_S}` };
const key = { error: 'must have 1 to 128 of the characters A-Z a-z 0-9 . _ ~ + / = -' };
const optionsSchema = z.object({
  model: z.string().optional(),
  port: z.int(port).min(0, port).max(65535, port).default(PORT),
  host: z.string().min(1, { error: 'must not be empty' }).default('127.0.0.1'),
  // What can stand in an `Authorization` header and in a shell's quotes.
  apiKey: z
    .string()
    .regex(/^[\w.~+/=-]{1,128}$/, key)
    .optional(),
  scaleToZero: z.number(idle).min(1, idle).max(MAX_IDLE_S, idle).optional(),
  data: z.string().min(1, { error: 'must not be empty' }).optional(),
  webhookSecret: z.union([z.string(), z.literal(true)]).optional(),
  corsOrigin: corsOriginsSchema.optional(),
  verbose: z.boolean().default(false),
});
type Options = z.infer<typeof optionsSchema>;

const FLAGS = {
  port: '--port',
  host: '--host',
  apiKey: '--api-key',
  scaleToZero: '--scale-to-zero',
  data: '--data',
  corsOrigin: '--cors-origin',
};

export function serveCommand(): Command {
  return new Command('serve')
    .description('serve the whole API on this machine')
    .option('--model <PLACE>', MODEL_HELP)
    .option('--port <N>', `0 for any that is free (default: ${PORT})`, parseNumber)
    .option('--host <HOST>', 'name or address to listen at (default: 127.0.0.1)')
    .option('--api-key <KEY>', 'key that requests must have (default: a random one)')
    .option('--scale-to-zero <SECONDS>', 'let go of the model after so long without work', parseNumber)
    .option('--data <DIR>', 'where predictions are kept for a day (default: ~/.local/share/sd-turbo/service)')
    .option('--webhook-secret [SECRET]', 'whsec_... that webhooks are signed with; alone: print a random one')
    .option(
      '--cors-origin <ORIGIN>',
      'let pages of this origin ask, as https://app.example.com; again, or with commas, for several',
      (origin: string, before?: string) => (before === undefined ? origin : `${before},${origin}`),
    )
    .option('--verbose', 'log everything on stderr, every line a JSON object')
    .addHelpText('after', example('serve --port 9000 --scale-to-zero 60'))
    .action((options: unknown) => serve(parseOptions(optionsSchema, options, FLAGS)));
}

/** Serves until Ctrl-C, which is no failure. */
async function serve(options: Options): Promise<void> {
  if (options.data !== undefined) assertLocal('--data', options.data);
  const model = await withProgress(process.stderr, (progress) => findModel(options, progress));
  const startService = await loadHomeService();
  const webhookSecret = secretOf(options);
  const { corsOrigin: corsOrigins } = options;
  let about: EndpointStatus | undefined;
  await untilStopped(async (signal) => {
    const started = withProgress(process.stderr, (progress) =>
      startService({
        listen: { host: options.host, port: options.port, ...(corsOrigins && { corsOrigins }) },
        secrets: { apiKey: options.apiKey ?? randomBytes(16).toString('hex'), webhookSecret },
        model,
        dataFolder: options.data ?? join(readEnvironment().data, 'service'),
        ...(options.scaleToZero === undefined ? {} : { idleSeconds: options.scaleToZero }),
        report: reportTo(progress, options.verbose, (status) => {
          about = status;
        }),
        signal,
      }),
    );
    const service = await started.catch((error) => {
      if (!signal.aborted) throw error;
    });
    if (!service) return;
    process.stdout.write(welcome(service, about, options, webhookSecret));
    if (!signal.aborted) await once(signal, 'abort');
    await service.close();
  });
}

/** What is on S3 the endpoint brings by itself, and loads meanwhile. */
async function findModel(
  { model }: Options,
  progress: Progress,
): Promise<{ uri: string; directory: string }> {
  const place = modelPlace(model);
  if (place.kind === 's3') return { uri: formatS3Url(place.location), directory: s3Folder(place.location) };
  if (place.kind === 'directory') return { uri: place.path, directory: place.path };
  const { hubBundle } = await import('../models/hub-bundle.js');
  const directory = await hubBundle(place.location, progress);
  return { uri: directory, directory };
}

function secretOf({ webhookSecret }: Options): string {
  // As long as Standard Webhooks' own examples: 192 bits.
  return typeof webhookSecret === 'string' ? webhookSecret : `whsec_${randomBytes(24).toString('base64')}`;
}

/**
 * @param progress of the start
 * @param onStatus told of every state
 */
function reportTo(
  progress: Progress,
  verbose: boolean,
  onStatus: (status: EndpointStatus) => void,
): HomeReport {
  const tell = tellBytes(progress, 'downloading the model');
  let hasStarted = false;
  let isLoading = false;
  const status = (said: EndpointStatus) => {
    const { state, bytes_done, bytes_total } = said;
    onStatus(said);
    // The endpoint's own lines say the same, and a bar is no JSON.
    if (hasStarted || verbose) return;
    hasStarted = state === 'ready';
    if (state === 'downloading') tell(bytes_done, bytes_total);
    else if (!isLoading && state === 'loading') progress.say('loading the model');
    isLoading = state === 'loading';
  };
  const line = (text: string) => {
    progress.end();
    process.stderr.write(`${text}\n`);
  };
  return { verbose, line, status };
}

function welcome(
  { url, key }: HomeService,
  about: EndpointStatus | undefined,
  options: Options,
  webhookSecret: string,
): string {
  const lines = [
    `URL         ${url}`,
    `API key     ${key}`,
    ...(about?.model ? [`Model       ${about.model}${about.draws ? FEW_WORDS : ''}`] : []),
    // What is after # stays in the browser.
    `Playground  ${url}/#key=${encodeURIComponent(key)}`,
    ...(options.webhookSecret === true ? [`Webhook secret  ${webhookSecret}`] : []),
    '',
    'Draw a picture, into picture.png; an error, or the address of one to come, is printed:',
    '',
    curl(url, key),
    '',
    ...(options.scaleToZero === undefined ? [] : [asleepHint(options.scaleToZero), '']),
    'Ctrl-C ends it.',
    '',
  ];
  return lines.join('\n');
}

/** Nothing but a picture comes into the file. */
function curl(url: string, key: string): string {
  const body = JSON.stringify({ prompt: 'A tree in a field under the night sky' });
  return (
    `curl -sS ${url}/predict -H 'x-api-key: ${key}' -H 'content-type: application/json' -H 'accept: image/png' -d '${body}' ` +
    "-o picture.part -w '%{http_code}' | grep -qx 200 && mv picture.part picture.png || { cat picture.part; rm picture.part; }"
  );
}

const FEW_WORDS =
  ', which knows few words; what draws anything: npm start -- --model hf:stabilityai/sd-turbo (2.8 GB, once)';

function asleepHint(seconds: number): string {
  return `After ${seconds} s without work the model is let go of. The next request then gets 202 and, in "status_url", the address of its picture.`;
}
