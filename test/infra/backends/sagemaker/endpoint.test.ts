import { describe, expect, test } from 'vitest';
import { at, synthService } from '../../../support/infra/synth-service.js';

// What AWS's documentation and its users say of endpoints with inference components, trap by trap.

const service = synthService();
const config = service.properties('AWS::SageMaker::EndpointConfig');
const variant = at(config, 'ProductionVariants', 0);
const component = service.properties('AWS::SageMaker::InferenceComponent');
const model = service.properties('AWS::SageMaker::Model');
const role = { 'Fn::GetAtt': [service.id('AWS::IAM::Role', 'Endpoint/Role'), 'Arn'] };

describe('endpoint configuration', () => {
  test('has the role that inference components need, and no model', () => {
    expect(config['ExecutionRoleArn']).toEqual(role);
    expect(config['ProductionVariants']).toHaveLength(1);
    expect(variant).not.toHaveProperty('ModelName');
  });

  test('nothing in it can be changed, so it has no name that a new one could clash with', () => {
    expect(config).not.toHaveProperty('EndpointConfigName');
    expect(service.properties('AWS::SageMaker::Endpoint')).toEqual({
      EndpointConfigName: {
        'Fn::GetAtt': [service.id('AWS::SageMaker::EndpointConfig'), 'EndpointConfigName'],
      },
    });
    expect(model).not.toHaveProperty('ModelName');
  });

  test('a host with the driver that CUDA 13 needs', () => {
    expect(variant['InferenceAmiVersion']).toBe('al2023-ami-sagemaker-inference-gpu-4-1');
    expect(variant['InstanceType']).toBe('ml.g4dn.xlarge');
  });

  test('instances are managed from none to one more than copies, beginning with the least that AWS takes', () => {
    expect(variant['InitialInstanceCount']).toBe(1);
    expect(variant['ManagedInstanceScaling']).toEqual({
      Status: 'ENABLED',
      MinInstanceCount: 0,
      MaxInstanceCount: 2,
    });
    expect(variant['RoutingConfig']).toEqual({ RoutingStrategy: 'LEAST_OUTSTANDING_REQUESTS' });
  });

  test('a container that cannot start is given up after a quarter of an hour', () => {
    expect(variant['ContainerStartupHealthCheckTimeoutInSeconds']).toBe(900);
    expect(at(component, 'Specification', 'StartupParameters')).toEqual({
      ContainerStartupHealthCheckTimeoutInSeconds: 900,
    });
  });
});

describe('inference component', () => {
  test('is named, because Ref is its ARN', () => {
    expect(component['InferenceComponentName']).toBe('sd-turbo');
    expect(
      synthService({ stackName: 'Other-1' }).properties('AWS::SageMaker::InferenceComponent'),
    ).toMatchObject({ InferenceComponentName: 'Other-1' });
  });

  test('comes after its endpoint and goes before it', () => {
    expect(component['EndpointName']).toEqual({
      'Fn::GetAtt': [service.id('AWS::SageMaker::Endpoint'), 'EndpointName'],
    });
    expect(component['VariantName']).toBe(variant['VariantName']);
  });

  test('asks for one GPU, little memory and one copy, and names a model instead of a container', () => {
    expect(component['Specification']).toMatchObject({
      ModelName: { 'Fn::GetAtt': [service.id('AWS::SageMaker::Model'), 'ModelName'] },
      ComputeResourceRequirements: { MinMemoryRequiredInMb: 1024, NumberOfAcceleratorDevicesRequired: 1 },
    });
    expect(component['Specification']).not.toHaveProperty('Container');
    expect(component['RuntimeConfig']).toEqual({ CopyCount: 1 });
  });

  test('the instance keeps the image for the next copy', () => {
    expect(at(component, 'Specification', 'DataCacheConfig')).toEqual({ EnableCaching: true });
  });

  test('is updated copy by copy, within the bounds that AWS names', () => {
    const policy = at(component, 'DeploymentConfig', 'RollingUpdatePolicy');
    expect(at(policy, 'MaximumBatchSize', 'Type')).toBe('CAPACITY_PERCENT');
    const percent = at<number>(policy, 'MaximumBatchSize', 'Value');
    expect([percent >= 5, percent <= 50]).toEqual([true, true]);
    expect(policy['WaitIntervalInSeconds']).toBeLessThanOrEqual(3600);
  });
});

describe('model', () => {
  test('is the image and the place of the weights; S3 stays in reach', () => {
    expect(model['ExecutionRoleArn']).toEqual(role);
    expect(model['EnableNetworkIsolation']).toBeUndefined();
    const container = at(model, 'PrimaryContainer');
    expect(Object.keys(container).sort()).toEqual(['Environment', 'Image']);
    expect(JSON.stringify(container['Image'])).toContain('container-assets');
  });

  test('another revision is another prefix, and with it another model', () => {
    const uri = (options: object) => {
      const other = synthService({ ...options });
      const environment = at(other.properties('AWS::SageMaker::Model'), 'PrimaryContainer', 'Environment');
      expect(Object.keys(environment)).toEqual(['MODEL_URI']);
      return JSON.stringify(environment['MODEL_URI']);
    };
    const first = uri({});
    expect(first).toContain('bundles/sd-turbo/cuda-float16-');
    expect(uri({ revision: 'a'.repeat(40) })).not.toBe(first);
    expect(uri({ dialect: 'standard' })).not.toBe(first);
    expect(uri({ taesd: 'none' })).not.toBe(first);
    expect(uri({ imageToImage: true })).not.toBe(first);
    // What does not change the bundle does not move it.
    expect(uri({ idleMinutes: 9, retentionDays: 3 })).toBe(first);
  });

  test('is told which attention kernels to take, where somebody says so', () => {
    const other = synthService({ attentionKernels: 'exact' });
    const environment = at(other.properties('AWS::SageMaker::Model'), 'PrimaryContainer', 'Environment');
    expect(environment).toMatchObject({ ATTENTION_KERNELS: 'exact' });
    expect(() => synthService({ attentionKernels: 'fast' })).toThrow('must be fused, guarded or exact');
  });

  test('is told how many requests may share a run, where these are several', () => {
    const told = (maxBatchSize: number) =>
      at(
        synthService({ maxBatchSize }).properties('AWS::SageMaker::Model'),
        'PrimaryContainer',
        'Environment',
      );
    expect(told(1)).not.toHaveProperty('MAX_BATCH_SIZE');
    expect(told(2)).toMatchObject({ MAX_BATCH_SIZE: '2' });
  });

  test('a finished bundle is read from where it is, and nothing is imported', () => {
    const other = synthService({ modelUri: 's3://my-bundles/some/prefix' });
    expect(at(other.properties('AWS::SageMaker::Model'), 'PrimaryContainer', 'Environment')).toEqual({
      MODEL_URI: 's3://my-bundles/some/prefix',
    });
    expect(other.all('Custom::ModelBundle')).toEqual([]);
    expect(other.all('AWS::S3::Bucket')).toHaveLength(1);
  });
});

test('log group: named as SageMaker names it, with an end, and deleted with the stack', () => {
  const { Properties, DeletionPolicy } = service.resource('AWS::Logs::LogGroup', 'Endpoint/Logs');
  expect(Properties).toEqual({
    LogGroupName: '/aws/sagemaker/InferenceComponents/sd-turbo',
    RetentionInDays: 30,
  });
  expect(DeletionPolicy).toBe('Delete');
});

test('in a VPC the containers join its subnets', () => {
  const subnets = ['subnet-0123abcd', 'subnet-0123abce'];
  const other = synthService({ subnetIds: subnets.join(','), securityGroupIds: 'sg-0123abcd' });
  expect(other.properties('AWS::SageMaker::EndpointConfig')['VpcConfig']).toEqual({
    Subnets: subnets,
    SecurityGroupIds: ['sg-0123abcd'],
  });
  expect(config).not.toHaveProperty('VpcConfig');
});

test('kept warm it begins with as many instances as copies, and keeps them', () => {
  const warm = synthService({ minCopies: 2, maxInstances: 3 });
  expect(at(warm.properties('AWS::SageMaker::EndpointConfig'), 'ProductionVariants', 0)).toMatchObject({
    InitialInstanceCount: 2,
    ManagedInstanceScaling: { MinInstanceCount: 2, MaxInstanceCount: 4 },
  });
  expect(warm.properties('AWS::SageMaker::InferenceComponent')['RuntimeConfig']).toEqual({ CopyCount: 2 });
});

describe('where there is none of the first instance type', () => {
  const pooled = synthService({ fallbackInstanceTypes: 'ml.g5.xlarge,ml.g6.xlarge' });
  const types = ['ml.g4dn.xlarge', 'ml.g5.xlarge', 'ml.g6.xlarge'];

  test('the next one is tried, in the order that was given', () => {
    const variant = at(pooled.properties('AWS::SageMaker::EndpointConfig'), 'ProductionVariants', 0);
    expect(variant['InstancePools']).toEqual(
      types.map((InstanceType, index) => ({ InstanceType, Priority: index + 1 })),
    );
    expect(variant['VariantInstanceProvisionTimeoutInSeconds']).toBe(300);
    expect(variant).not.toHaveProperty('InstanceType');
  });

  test('the component says for each what it wants, and it is the same', () => {
    const properties = pooled.properties('AWS::SageMaker::InferenceComponent');
    expect(properties).not.toHaveProperty('Specification');
    const specification = at(component, 'Specification');
    expect(properties['Specifications']).toEqual(
      types.map((InstanceType) => ({ InstanceType, ...specification })),
    );
  });
});

test('instances are given back in the way that was asked for', () => {
  const scaling = (scaleInPolicy: string) =>
    at(
      synthService({ scaleInPolicy }).properties('AWS::SageMaker::EndpointConfig'),
      ...['ProductionVariants', 0, 'ManagedInstanceScaling'],
    );
  expect(scaling('none')).not.toHaveProperty('ScaleInPolicy');
  expect(scaling('idle-release')['ScaleInPolicy']).toEqual({ Strategy: 'IDLE_RELEASE' });
  expect(scaling('consolidation')['ScaleInPolicy']).toEqual({
    Strategy: 'CONSOLIDATION',
    CooldownInMinutes: 5,
  });
});
