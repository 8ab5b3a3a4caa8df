import { describe, expect, test } from 'vitest';
import { readFunctionConfig } from '../../../functions/shared/aws/config.js';

const COMMON = { RESULTS_BUCKET: 'results', QUEUE_URL: 'https://sqs.test/1/queue' };
const SAGEMAKER = { ...COMMON, ENDPOINT_NAME: 'endpoint', INFERENCE_COMPONENT_NAME: 'component' };
const DRAW_QUEUE_URL = 'https://sqs.test/1/draw';
const EC2 = {
  ...COMMON,
  BACKEND: 'ec2',
  DRAW_QUEUE_URL,
  INSTANCE_IDS: 'i-0123456789abcdef0,i-0123456789abcdef1',
  INSTANCE_TYPES: 'g4dn.xlarge,g5.xlarge',
};

describe('the settings of the functions', () => {
  test('name SageMaker where they name no backend', () => {
    const backend = { kind: 'sagemaker', endpointName: 'endpoint', inferenceComponentName: 'component' };
    expect(readFunctionConfig(SAGEMAKER)).toMatchObject({ backend, retentionMs: 86_400_000 });
    expect(readFunctionConfig({ ...SAGEMAKER, BACKEND: 'sagemaker' }).backend).toEqual(backend);
  });

  test('name instances and types in their order', () => {
    expect(readFunctionConfig(EC2).backend).toEqual({
      kind: 'ec2',
      drawQueueUrl: DRAW_QUEUE_URL,
      instanceIds: ['i-0123456789abcdef0', 'i-0123456789abcdef1'],
      instanceTypes: ['g4dn.xlarge', 'g5.xlarge'],
    });
  });

  test('name a queue that somebody empties', () => {
    const { backend } = readFunctionConfig({ ...COMMON, BACKEND: 'queue', DRAW_QUEUE_URL });
    expect(backend).toEqual({ kind: 'queue', drawQueueUrl: DRAW_QUEUE_URL });
  });

  test.each([
    [{ ...SAGEMAKER, BACKEND: 'ec3' }, /^environment variable BACKEND is malformed/],
    [{ ...SAGEMAKER, BACKEND: '' }, /^environment variable BACKEND is malformed/],
    [COMMON, /^environment variable ENDPOINT_NAME is not set/],
    [{ ...COMMON, BACKEND: 'queue' }, /^environment variable DRAW_QUEUE_URL is not set/],
    [{ ...EC2, DRAW_QUEUE_URL: 'draw' }, /^environment variable DRAW_QUEUE_URL is malformed/],
    [{ ...EC2, INSTANCE_IDS: undefined }, /^environment variable INSTANCE_IDS is not set/],
    [
      { ...EC2, INSTANCE_IDS: '' },
      /^environment variable INSTANCE_IDS is malformed: must be ids of instances/,
    ],
    [{ ...EC2, INSTANCE_IDS: 'i-0123456789abcdef0,' }, /^environment variable INSTANCE_IDS is malformed/],
    [{ ...EC2, INSTANCE_TYPES: 'g4dn.xlarge g5' }, /^environment variable INSTANCE_TYPES is malformed/],
  ])('%j: refused by name', (environment, said) => {
    expect(() => readFunctionConfig(environment)).toThrow(said);
  });
});
