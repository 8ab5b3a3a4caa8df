import { until } from '../support/until.js';
import { DeployedStack } from './deployed-stack.js';
import type { InstanceView } from './emulator.js';

/** Many times what a picture and the seconds without another one take. Milliseconds. */
const PATIENCE_MS = 300_000;

/** A service of one instance that is stopped nearly always. */
export class InstanceStack extends DeployedStack {
  override readonly waitsForWakes = true;

  async instance(): Promise<InstanceView> {
    const instances = await this.emulator.instances(this.name);
    if (instances.length !== 1)
      throw new Error(`${this.name} has ${instances.length} instances: ${JSON.stringify(instances)}`);
    return instances[0] as InstanceView;
  }

  async is(state: string): Promise<void> {
    const isSo = async () => (await this.instance()).state === state;
    await until(`the instance is ${state}`, isSo, PATIENCE_MS);
  }

  /** Nothing puts it to sleep but having nothing to do. */
  override sleep(): Promise<void> {
    return this.is('stopped');
  }
}
