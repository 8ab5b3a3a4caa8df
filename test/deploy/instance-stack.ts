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

  /** Waits until it is in one of these states. */
  async is(...states: string[]): Promise<void> {
    const isSo = async () => states.includes((await this.instance()).state);
    await until(`the instance is ${states.join(' or ')}`, isSo, PATIENCE_MS);
  }

  /** It powers off by itself, having nothing to do. */
  dozesOff(): Promise<void> {
    return this.is('stopped');
  }

  /** The alarm that ends a bill which nobody wants stops it: what it draws is finished first. */
  override async sleep(): Promise<void> {
    await this.is('running', 'stopped');
    if ((await this.instance()).state === 'running')
      await this.emulator.raiseAlarm(`${this.name}-AlarmsAwakeForLong`);
    await this.is('stopped');
  }
}
