import { App, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { expect, test } from 'vitest';
import { serviceName } from '../../../infra/service/service-name.js';

/** As `-c stackName` may be, and Systems Manager's parameters. */
const NAME = /^(?!aws|ssm)[A-Za-z](-?[A-Za-z0-9]){0,39}$/i;

test("a stack's own service has the stack's name", () => {
  expect(serviceName(new Construct(new Stack(new App(), 'pictures'), 'Default'))).toBe('pictures');
});

test('every other has a name of its own, that AWS takes', () => {
  const app = new App();
  const stacks = [
    new Stack(app, 'Shop'),
    new Stack(app, 'shop'),
    new Stack(app, 'Other', { stackName: 'shop-Pictures' }),
    new Stack(app, 'aws-things'),
    new Stack(app, 'ssm'),
    new Stack(app, 'A'.repeat(100)),
    new Stack(app, `${'A'.repeat(99)}B`),
    new Stack(new Stage(app, 'Test'), 'Shop'),
    new Stack(new Stage(app, 'Live'), 'Shop'),
  ];
  const nested = stacks.slice(0, 2).map((stack) => new NestedStack(stack, 'Nested'));
  const names = [...stacks, ...nested].flatMap((stack) =>
    ['Default', 'Pictures', 'Bilder für alle', 'a--b'].map((id) => serviceName(new Construct(stack, id))),
  );
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !NAME.test(name))).toEqual([]);
});

test('it depends on where the construct stands, and on nothing else', () => {
  const name = () => serviceName(new Construct(new Stack(new App(), 'Shop'), 'Pictures'));
  expect(name()).toBe(name());
  expect(name()).toMatch(/^Shop-Pictures-[0-9a-f]{8}$/);
});
