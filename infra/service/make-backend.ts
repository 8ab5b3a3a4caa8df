import type { Construct } from 'constructs';
import type { Backend } from '../backends/backend.js';
import { Ec2Backend } from '../backends/ec2/ec2-backend.js';
import type { Surroundings } from '../backends/ec2/surroundings.js';
import { endpointImage } from '../backends/image/endpoint-image.js';
import { ImageScan } from '../backends/image/image-scan.js';
import { Endpoint } from '../backends/sagemaker/endpoint.js';
import type { FunctionBasics } from '../basics/function-settings.js';
import { ExistingModel } from '../model/existing-model.js';
import { ImportedModel } from '../model/imported-model.js';
import type { ModelBundle } from '../model/model-bundle.js';
import type { Config } from '../options/config.js';
import type { ObjectProps } from '../options/objects.js';
import type { PredictionQueue } from '../predictions/prediction-queue.js';
import type { Results } from '../predictions/results.js';

export interface MakeBackendProps {
  readonly config: Config;
  readonly objects: ObjectProps;
  /** What the deploy carries into the account: directories, and fingerprints of the exporter. */
  readonly carried: {
    readonly imageContext: string;
    readonly machine: string;
    readonly exporter: readonly string[];
  };
  readonly basics: FunctionBasics;
  readonly queue: PredictionQueue;
  readonly results: Results;
  readonly telemetry: Surroundings['telemetry'];
}

/** The one place that knows which backends there are. */
export function makeBackend(scope: Construct, props: MakeBackendProps): Backend {
  const { config, objects, carried, basics, queue, results, telemetry } = props;
  const { attentionKernels, maxBatchSize, stackName: name } = config;
  const image = endpointImage(scope, 'Image', carried.imageContext);
  new ImageScan(scope, 'ImageScan', { image, logDays: config.logDays });
  const container = {
    image,
    model: makeModel(scope, props),
    environment: {
      ...(attentionKernels && { ATTENTION_KERNELS: attentionKernels }),
      ...(maxBatchSize > 1 && { MAX_BATCH_SIZE: String(maxBatchSize) }),
    },
  };
  const { 'network.vpc': vpc, 'network.subnets': subnets } = objects;
  const types = [config.instanceType, ...(config.fallbackInstanceTypes ?? [])];
  if (config.backend === 'ec2') {
    const { idleSeconds, diskGb, machineImage, generation, sessionManager } = config;
    const { zones, vpcId, subnetIds } = config;
    return new Ec2Backend(scope, 'Instances', {
      ...{ name, basics, scripts: carried.machine },
      container: { ...container, idleSeconds },
      instances: { types, diskGb, machineImage, sessionManager, ...(generation && { generation }) },
      network: {
        zones,
        ...(vpc && { vpc }),
        ...(subnets && { subnets }),
        ...(vpcId && subnetIds && { existing: { vpcId, subnetIds } }),
      },
      surroundings: { results, queue, telemetry },
    });
  }
  const { minCopies, maxInstances: maxCopies, idleMinutes, warmHours, timeZone } = config;
  const { subnetIds, securityGroupIds, scaleInPolicy } = config;
  const securityGroups = objects['network.securityGroups'];
  return new Endpoint(scope, 'Endpoint', {
    name,
    container,
    instances: { types, scaleInPolicy },
    limits: { minCopies, maxCopies, idleMinutes, ...(warmHours && { warmHours, timeZone }) },
    pending: queue.pending,
    logDays: config.logDays,
    ...(subnetIds && securityGroupIds && { network: { subnetIds, securityGroupIds } }),
    ...(vpc && {
      network: { vpc, ...(subnets && { subnets }), ...(securityGroups && { securityGroups }) },
    }),
  });
}

function makeModel(scope: Construct, { config, carried, basics }: MakeBackendProps): ModelBundle {
  const { modelUri, keepWeights: keep, model, revision, taesd, taesdRevision, dialect, precision } = config;
  const { imageToImage } = config;
  if (modelUri !== undefined) return new ExistingModel(scope, 'Model', { uri: modelUri });
  const source = { model, revision, taesd, taesdRevision, dialect, precision, imageToImage };
  return new ImportedModel(scope, 'Model', { source, keep, exporter: carried.exporter, basics });
}
