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

  /**
   * The alarm that ends a bill which nobody wants stops it: what it draws is finished first. It stays asleep: where
   * messages were left, as one that a killed worker had, it is woken and ends by itself.
   */
  override async sleep(): Promise<void> {
    await this.is('running', 'stopped');
    if ((await this.instance()).state === 'running')
      await this.emulator.raiseAlarm(`${this.name}-AlarmsAwakeForLong`);
    const staysAsleep = async () => {
      const { id, state, starts } = await this.instance();
      const left = this.#leftAtStops(id);
      return state === 'stopped' && left.length >= starts && left.at(-1) === 0;
    };
    await until('the instance stays asleep', staysAsleep, PATIENCE_MS);
  }

  /** Messages that there were each time when it had stopped, as the function says that hears of it. */
  #leftAtStops(id: string): number[] {
    const lines = `"message":"an instance has stopped",.*"instance":"${id}","messages":(\\d+)`;
    return [...this.emulator.log('functions').matchAll(new RegExp(lines, 'g'))].map(([, left]) =>
      Number(left),
    );
  }
}
