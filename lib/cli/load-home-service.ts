import { packageRoot } from '../package/package-root.js';
import type { StartHomeService } from '../predictions/home-service.js';

/**
 * The service at home. It is made of `functions`, which `lib` knows nothing of: this is the one place that
 * starts it, by the path of its compiled module, as `infra` names handlers by theirs.
 */
export async function loadHomeService(): Promise<StartHomeService> {
  const module = new URL('dist/functions/home/start-service.js', packageRoot());
  const { startService }: { startService: StartHomeService } = await import(module.href);
  return startService;
}
