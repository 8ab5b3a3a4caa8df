import { at, type Properties, type Service } from '../infra/synth-service.js';
import { type ReadMetric, SimulatedAlarm } from './alarm.js';
import type { SimulatedComponent } from './component.js';
import { compile } from './metric-math.js';

/** Application Auto Scaling's own alarms for target tracking: out after 3 x 10 s, in after 15 minutes below 9/10. */
const OUT_SECONDS = 30;
const OUT_LATE = 10;
const IN_MINUTES = 15;
const IN_FACTOR = 0.9;

export interface Change {
  readonly time: number;
  readonly policy: string;
  readonly from: number;
  readonly to: number;
}

/** Application Auto Scaling with the target, policies and alarms of a template. Seconds throughout. */
export class SimulatedAutoScaling {
  readonly changes: Change[] = [];
  readonly minimum: number;
  readonly maximum: number;
  readonly #alarms: readonly SimulatedAlarm[];
  readonly #policies: ReadonlyMap<string, Properties>;
  readonly #component: SimulatedComponent;
  readonly #read: ReadMetric;
  readonly #lastIn = new Map<string, number>();
  #lastOut = Number.NEGATIVE_INFINITY;

  constructor(service: Service, component: SimulatedComponent, read: ReadMetric) {
    const target = service.properties('AWS::ApplicationAutoScaling::ScalableTarget');
    this.minimum = at<number>(target, 'MinCapacity');
    this.maximum = at<number>(target, 'MaxCapacity');
    this.#component = component;
    this.#read = read;
    const policies = service.all('AWS::ApplicationAutoScaling::ScalingPolicy');
    this.#policies = new Map(policies.map(([id, { Properties }]) => [id, Properties]));
    this.#alarms = service
      .all('AWS::CloudWatch::Alarm')
      .filter(([, { Properties }]) =>
        this.#policies.has(String((Properties['AlarmActions'] as Properties[])?.[0]?.['Ref'])),
      )
      .map(([, { Properties }]) => new SimulatedAlarm(Properties, read));
  }

  tick(now: number): void {
    // CloudWatch repeats an alarm's scaling action every minute for as long as it lasts.
    for (const alarm of this.#alarms)
      if (now % Math.min(60, alarm.period) === 0 && alarm.isOn(now)) this.#step(alarm.action, now);
    if (now % 10 === 0)
      for (const [id, { PolicyType }] of this.#policies)
        if (PolicyType === 'TargetTrackingScaling') this.#track(id, now);
  }

  #step(id: string, now: number): void {
    const configuration = at(this.#policies.get(id), 'StepScalingPolicyConfiguration');
    if (configuration['AdjustmentType'] !== 'ExactCapacity') throw new Error('not simulated');
    const wanted = at<number>(configuration, 'StepAdjustments', 0, 'ScalingAdjustment');
    const cooldown = at<number>(configuration, 'Cooldown');
    if (
      wanted < this.#component.desired &&
      now < (this.#lastIn.get(id) ?? Number.NEGATIVE_INFINITY) + cooldown
    )
      return;
    if (this.#set(wanted, id, now) === 'in') this.#lastIn.set(id, now);
  }

  #track(id: string, now: number): void {
    const { copies } = this.#component;
    if (copies === 0) return;
    const policy = at(this.#policies.get(id), 'TargetTrackingScalingPolicyConfiguration');
    const target = at<number>(policy, 'TargetValue');
    if (policy['DisableScaleIn'] === true) {
      const load =
        this.#read('ConcurrentRequestsPerCopy', now - OUT_SECONDS - OUT_LATE, OUT_SECONDS, now) ?? 0;
      const cooldown = at<number>(policy, 'ScaleOutCooldown');
      if (load <= target || now < this.#lastOut + cooldown) return;
      if (this.#set(Math.ceil((copies * load) / target), id, now) === 'out') this.#lastOut = now;
      return;
    }
    if (now % 60 !== 0) return;
    const floored = compile(at<string>(policy, 'CustomizedMetricSpecification', 'Metrics', 1, 'Expression'));
    const minutes = Array.from({ length: IN_MINUTES }, (_, back) => {
      const load = this.#read('ConcurrentRequestsPerCopy', now - 60 * (back + 2), 60, now);
      return floored({ load });
    });
    if (!minutes.every((load) => load !== undefined && load < IN_FACTOR * target)) return;
    const wanted = Math.ceil((copies * (minutes[0] as number)) / target);
    if (wanted < copies) this.#set(wanted, id, now);
  }

  #set(wanted: number, policy: string, time: number): 'in' | 'out' | 'none' {
    const from = this.#component.desired;
    const to = Math.min(this.maximum, Math.max(this.minimum, wanted));
    if (to === from) return 'none';
    try {
      this.#component.setDesired(to, time);
    } catch {
      return 'none';
    }
    this.changes.push({ time, policy, from, to });
    return to < from ? 'in' : 'out';
  }
}
