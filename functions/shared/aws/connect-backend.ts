import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Delivery } from '../../../lib/predictions/delivery/delivery.js';
import { PulledDelivery } from '../../../lib/predictions/delivery/pulled-delivery.js';
import { PushedDelivery } from '../../../lib/predictions/delivery/pushed-delivery.js';
import type { Endpoint, PulledEndpoint } from '../../../lib/predictions/endpoint.js';
import type { WorkerServices } from '../../../lib/predictions/services.js';
import type { BackendConfig } from './config.js';
import type { S3Records } from './s3/s3-records.js';
import { countMessages } from './sqs/count-messages.js';

/** Expected, not measured: an instance that was stopped takes 35 to 75 s. Seconds. */
const EC2_WAKE = 60;
/** EC2 says at once what has become of a wake; this only keeps many from asking it. Milliseconds. */
const EC2_SETTLES = 30_000;

/** Where pictures are drawn, and how work gets there. */
export interface Backend {
  readonly endpoint: Endpoint;
  readonly delivery: Delivery;
  /** What a function that takes messages has of it. */
  readonly work: Pick<WorkerServices, 'endpoint' | 'pulled'>;
  /** Of workers that pull. @default there is one queue for everything */
  readonly drawQueueUrl?: string;
  /** Of a wake's length, before any has been seen. Seconds. @default the waker's */
  readonly firstEstimate?: number;
  /** So long its own answer to a wake may lag behind. Milliseconds. @default the waker's */
  readonly settleMs?: number;
}

export interface BackendClients {
  readonly records: S3Records;
  readonly sqs: SQSClient;
}

/** Connects to the backend that is configured. The clients of the others are not even loaded: that takes longer than a picture. */
export async function connectBackend(config: BackendConfig, clients: BackendClients): Promise<Backend> {
  switch (config.kind) {
    case 'sagemaker': {
      const { makeSageMakerEndpoint } = await import('./sagemaker/make-sagemaker-endpoint.js');
      const endpoint = makeSageMakerEndpoint(config);
      return { endpoint, delivery: new PushedDelivery(endpoint), work: { endpoint } };
    }
    case 'ec2': {
      const [{ makeEc2Client }, { Ec2Endpoint }, { S3WorkerStateReader }] = await Promise.all([
        import('./ec2/ec2-control.js'),
        import('./ec2/ec2-endpoint.js'),
        import('./queue/worker-state-reader.js'),
      ]);
      const { instanceIds, instanceTypes, drawQueueUrl } = config;
      const worker = new S3WorkerStateReader(clients.records);
      const endpoint = new Ec2Endpoint({ client: makeEc2Client(), instanceIds, instanceTypes, worker });
      return { ...pulled(endpoint, drawQueueUrl, clients), firstEstimate: EC2_WAKE, settleMs: EC2_SETTLES };
    }
    case 'queue': {
      const [{ HiredWorkers }, { S3WorkerStateReader }] = await Promise.all([
        import('./queue/hired-workers.js'),
        import('./queue/worker-state-reader.js'),
      ]);
      const endpoint = new HiredWorkers({ worker: new S3WorkerStateReader(clients.records) });
      return pulled(endpoint, config.drawQueueUrl, clients);
    }
  }
}

function pulled(endpoint: PulledEndpoint, drawQueueUrl: string, { sqs }: BackendClients): Backend {
  const backlog = () => countMessages(sqs, drawQueueUrl);
  return {
    endpoint,
    delivery: new PulledDelivery(endpoint),
    work: { pulled: { endpoint, backlog } },
    drawQueueUrl,
  };
}
