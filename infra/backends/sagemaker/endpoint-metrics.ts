import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';

const MINUTE = Duration.minutes(1);

/** CloudWatch's names for what the endpoint does. Source: "SageMaker AI metrics in Amazon CloudWatch". */
export class EndpointMetrics {
  readonly #component: Readonly<Record<string, string>>;
  readonly #variant: Readonly<Record<string, string>>;

  constructor(componentName: string, endpointName: string, variantName: string) {
    this.#component = { InferenceComponentName: componentName };
    this.#variant = { EndpointName: endpointName, VariantName: variantName };
  }

  /** Requests that found no copy. Has data only when there are such. */
  noCapacity(): Metric {
    return this.#invocation('NoCapacityInvocationFailures', Stats.MAXIMUM).with({
      period: Duration.seconds(30),
    });
  }

  /** Requests in a minute. Has data only when there are any. */
  invocations(): Metric {
    return this.#invocation('Invocations', Stats.SUM);
  }

  /** Most requests at once, for each copy. */
  concurrency(): Metric {
    return this.#invocation('ConcurrentRequestsPerCopy', Stats.MAXIMUM);
  }

  serverErrors(): Metric {
    return this.#invocation('Invocation5XXErrors', Stats.SUM);
  }

  /** Microseconds in the container. */
  latency(): Metric {
    return this.#invocation('ModelLatency', Stats.p(95));
  }

  /** Processor time of the copies, percent. Has data, once a minute, only while there is a copy. */
  copies(): Metric {
    return this.#utilization('CPUUtilizationNormalized');
  }

  gpu(): Metric {
    return this.#utilization('GPUUtilizationNormalized');
  }

  gpuMemory(): Metric {
    return this.#utilization('GPUMemoryUtilizationNormalized');
  }

  /** Processor time of the instances. Has data, once a minute from each, only while there is one: while it is billed. */
  instances(): Metric {
    return new Metric({
      namespace: '/aws/sagemaker/Endpoints',
      metricName: 'CPUUtilization',
      dimensionsMap: this.#variant,
      statistic: Stats.SAMPLE_COUNT,
      period: MINUTE,
    });
  }

  #invocation(metricName: string, statistic: string): Metric {
    return new Metric({
      namespace: 'AWS/SageMaker',
      metricName,
      dimensionsMap: this.#component,
      statistic,
      period: MINUTE,
    });
  }

  #utilization(metricName: string): Metric {
    return new Metric({
      namespace: '/aws/sagemaker/InferenceComponents',
      metricName,
      dimensionsMap: this.#component,
      statistic: Stats.MAXIMUM,
      period: MINUTE,
    });
  }
}
