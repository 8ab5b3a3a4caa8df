import { afterAll } from 'vitest';
import { type Boot, Machine, type MachineProps } from './machine.js';

const machines: Machine[] = [];
afterAll(() => {
  for (const machine of machines) machine.delete();
});

/** A machine that goes with the file of tests that makes it. */
export function makeMachine(props?: MachineProps): Machine {
  const machine = new Machine(props);
  machines.push(machine);
  return machine;
}

/** Calls of one program, or of one of its commands. */
export function callsOf({ calls }: Boot, beginning: string): string[] {
  return calls.filter((call) => call.startsWith(`${beginning} `));
}

/** How often the worker was started. */
export function starts(boot: Boot): number {
  return callsOf(boot, 'docker run').filter((call) => call.endsWith(' worker')).length;
}
