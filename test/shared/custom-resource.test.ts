import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CustomResource, customResourceHandler } from '../../functions/shared/custom-resource.js';
import { AppError } from '../../lib/errors/app-error.js';
import { type CloudFormation, startCloudFormation } from '../support/infra/cloudformation.js';

let cloudFormation: CloudFormation;
beforeAll(async () => {
  cloudFormation = await startCloudFormation();
});
afterAll(() => cloudFormation.stop());

let output = '';
const written = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
  output += text;
  return true;
});
afterEach(() => {
  output = '';
});
afterAll(() => written.mockRestore());

/** A resource that writes down what it is asked. */
function recorder(change: Partial<CustomResource> = {}) {
  const calls: unknown[][] = [];
  const handler = customResourceHandler({
    idOf: ({ Name }) => `id-of-${Name}`,
    ensure: async ({ Name }, { milliseconds }) => {
      calls.push(['ensure', Name, milliseconds]);
    },
    remove: async (id) => {
      calls.push(['remove', id]);
    },
    ...change,
  });
  return { handler, calls };
}

test('made, and its id told', async () => {
  const { handler, calls } = recorder();
  const told = await cloudFormation.ask(handler, { type: 'Create', properties: { Name: 'a' } });
  expect(told).toEqual({
    Status: 'SUCCESS',
    PhysicalResourceId: 'id-of-a',
    StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/sd-turbo/1',
    RequestId: 'request-1',
    LogicalResourceId: 'Thing',
  });
  // Half a minute is left to clean up and to answer.
  expect(calls).toEqual([['ensure', 'a', 870_000]]);
});

test('changed: another id, by which CloudFormation deletes the old one later', async () => {
  const { handler, calls } = recorder();
  const told = await cloudFormation.ask(handler, {
    type: 'Update',
    id: 'id-of-a',
    properties: { Name: 'b' },
  });
  expect(told.PhysicalResourceId).toBe('id-of-b');
  expect(calls).toEqual([['ensure', 'b', 870_000]]);
});

test('deleted by its id', async () => {
  const { handler, calls } = recorder();
  const told = await cloudFormation.ask(handler, {
    type: 'Delete',
    id: 'id-of-a',
    properties: { Name: 'b' },
  });
  expect(told).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'id-of-a' });
  expect(calls).toEqual([['remove', 'id-of-a']]);
});

describe('a failure', () => {
  const failing = (error: unknown) =>
    recorder({
      ensure: async () => {
        throw error;
      },
    }).handler;

  test('has a reason that a person can act on, and says where there is more', async () => {
    const handler = failing(new AppError('UNAVAILABLE', 'hf:a/b is gated: accept its licence'));
    const told = await cloudFormation.ask(handler, { type: 'Create', properties: { Name: 'a' } });
    expect(told).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId: 'id-of-a',
      Reason: 'hf:a/b is gated: accept its licence (log group /some/log, request invocation-1)',
    });
  });

  test('of an update keeps the id, so that nothing is deleted for it', async () => {
    const handler = failing(new TypeError('x is not a function'));
    const told = await cloudFormation.ask(handler, {
      type: 'Update',
      id: 'id-of-a',
      properties: { Name: 'b' },
    });
    expect(told).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'id-of-a' });
    expect(told.Reason).toContain('unexpected: x is not a function');
  });

  test('that talks too much is cut: CloudFormation takes 4,096 bytes', async () => {
    const handler = failing(new AppError('INTERNAL', 'x'.repeat(10_000)));
    const told = await cloudFormation.ask(handler, { type: 'Create', properties: { Name: 'a' } });
    expect(told.Status).toBe('FAILED');
    expect(JSON.stringify(told).length).toBeLessThan(4096);
  });

  test('of the properties themselves still has an id', async () => {
    const { handler } = recorder({
      idOf: () => {
        throw new AppError('INVALID_INPUT', 'property Name: is missing');
      },
    });
    const told = await cloudFormation.ask(handler, { type: 'Create', properties: {} });
    expect(told).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'Thing' });
    expect(told.Reason).toContain('property Name: is missing');
  });
});

test('the answer is sent until it arrives', async () => {
  cloudFormation.refusals.push(503, 500);
  const told = await cloudFormation.ask(recorder().handler, { type: 'Create', properties: { Name: 'a' } });
  expect(told.Status).toBe('SUCCESS');
  expect(output.match(/CloudFormation could not be told/g)).toHaveLength(2);
  // The address is a secret: whoever has it can answer.
  expect(output).not.toContain('signature');
});
