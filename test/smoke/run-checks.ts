import { CHECKS } from './checks.js';
import { Service, type ServiceProps } from './service.js';

/** Runs every check, and says of each how it went. @returns how many failed */
export async function runChecks(props: ServiceProps, print: (line: string) => void): Promise<number> {
  const service = new Service(props);
  let failed = 0;
  for (const { name, run } of CHECKS) {
    const started = performance.now();
    const took = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
    try {
      const detail = await run(service);
      print(`ok      ${name} (${took()})${detail && `: ${detail}`}`);
    } catch (error) {
      failed += 1;
      print(`FAILED  ${name} (${took()}): ${error instanceof Error ? error.message : error}`);
    }
  }
  return failed;
}
