import {
  DescribeInstancesCommand,
  type EC2Client,
  ModifyInstanceAttributeCommand,
  StartInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { SimulatedInstance } from './instance.js';

/** Says whether EC2 has such a machine now. */
export type Capacity = (type: string) => boolean;

/** EC2's answers, where they matter to a wake. `ask` lets the call take time. */
export function simulatedEc2(
  instances: readonly SimulatedInstance[],
  hasCapacity: Capacity,
  ask: <T>(effect: () => T) => Promise<T>,
): EC2Client {
  const find = (id: string | undefined) => {
    const instance = instances.find((known) => known.id === id);
    if (!instance) throw refusal('InvalidInstanceID.NotFound');
    return instance;
  };
  const send = (command: object) =>
    ask(() => {
      if (command instanceof DescribeInstancesCommand)
        return { Reservations: [{ Instances: instances.map(describe) }] };
      if (command instanceof StartInstancesCommand)
        return start(find(command.input.InstanceIds?.[0]), hasCapacity);
      if (command instanceof ModifyInstanceAttributeCommand) {
        const instance = find(command.input.InstanceId);
        if (instance.state !== 'stopped') throw refusal('IncorrectInstanceState');
        instance.type = command.input.InstanceType?.Value ?? instance.type;
        return {};
      }
      throw new Error(`${command.constructor.name} is not simulated`);
    });
  return { send } as unknown as EC2Client;
}

function start(instance: SimulatedInstance, hasCapacity: Capacity): object {
  if (instance.state === 'stopping') throw refusal('IncorrectInstanceState');
  if (instance.state !== 'stopped') return {};
  if (!hasCapacity(instance.type)) throw refusal('InsufficientInstanceCapacity', 500);
  instance.start();
  return {};
}

function describe({ id, state, type, session }: SimulatedInstance): object {
  const LaunchTime = new Date(session?.startedAt ?? 0);
  return { InstanceId: id, InstanceType: type, State: { Name: state }, LaunchTime };
}

function refusal(name: string, httpStatusCode = 400): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}
