import type { Duration } from 'aws-cdk-lib';
import type { AlarmProps, IAlarmAction, IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { NodeFunction } from '../basics/node-function.js';

/** Something that a person is told of, as `cloudwatch.Alarm` takes it: at the threshold or above. */
export interface AlarmCondition
  extends Pick<AlarmProps, 'metric' | 'threshold' | 'evaluationPeriods' | 'alarmDescription'> {
  /** What happens beside that. @default nothing */
  readonly action?: IAlarmAction;
}

/** A part of the dashboard. */
export interface Graph {
  readonly title: string;
  readonly left: IMetric[];
  /** On an axis of its own. @default none */
  readonly right?: IMetric[];
}

/** What draws pictures, as the rest of the service sees it; service/make-backend.ts chooses it. */
export abstract class Backend extends Construct {
  /** What a function needs to know of it. */
  abstract readonly environment: Readonly<Record<string, string>>;
  /** Messages that the consumer works on at once. */
  abstract readonly messagesAtOnce: number;
  /** Why predictions come to be given up, for a person. */
  abstract readonly givenUp: string;
  /** Beside those that every backend has, by name. Among them: a wake that comes to nothing. */
  abstract readonly alarms: Readonly<Record<string, AlarmCondition>>;
  /** What it does, for the dashboard; three have room in a row. */
  abstract readonly graphs: readonly Graph[];
  /** Of instances of one's own: what they started from. */
  readonly machineImage?: string;

  /** Have a picture drawn, and wake what draws it. */
  abstract grantApi(api: NodeFunction): void;
  /** What the consumer of the queue does with it. */
  abstract grantConsumer(consumer: NodeFunction): void;
  /** What the function does that records what was given up, if anything. */
  abstract grantDeadLetters(deadLetters: NodeFunction): void;
  /** Minutes, in each period, in which an instance was up, and billed: the sum over all of them. No data means none. */
  abstract instanceMinutes(period: Duration, label?: string): IMetric;
}
