import { AppError } from '../../lib/errors/app-error.js';
import { readConfig, readWorkerConfig } from './config.js';

// ONNX Runtime 1.29 and later otherwise report on models and sessions to its maker. Read when it is loaded.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
// The AWS SDK otherwise says in seven lines, on Node 20, what its versions of 2027 will need. Read by its first client.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/** What the container is started as; SageMaker says `serve`. Each mode evaluates no module of another's. */
const MODES: Readonly<Record<string, () => Promise<void>>> = {
  serve: async () => {
    const { serve } = await import('./serve.js');
    await serve(readConfig());
  },
  worker: async () => {
    const { supervise } = await import('./worker/supervise.js');
    process.exit(await supervise(readWorkerConfig()));
  },
  'self-test': async () => {
    const { selfTest } = await import('./self-test.js');
    process.exit(await selfTest());
  },
};

const [wanted = 'serve', ...rest] = process.argv.slice(2);
const mode = Object.hasOwn(MODES, wanted) ? MODES[wanted] : undefined;
if (!mode || rest.length > 0) {
  const refused = mode ? rest[0] : wanted;
  throw new AppError('INVALID_INPUT', `there is no argument ${refused}: ${Object.keys(MODES).join(', ')}`);
}
await mode();
