import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { NODE_BUNDLE } from '../../../../functions/node-bundle.mjs';
import { PURE_SCHEMAS } from '../../../../functions/pure-schemas.mjs';

test("of EC2's client a bundle keeps the calls that are made, and no other's shapes", async () => {
  const contents = `
    import { makeEc2Client, Ec2Control } from './functions/shared/aws/ec2/ec2-control.js';
    export const control = new Ec2Control(makeEc2Client());`;
  const stdin = { contents, resolveDir: NODE_BUNDLE.absWorkingDir, loader: 'ts' } as const;
  const bundle = { ...NODE_BUNDLE, stdin, sourcemap: false, write: false } as const;
  const textOf = async (plugins: (typeof PURE_SCHEMAS)[]) => {
    const { outputFiles } = await build({ ...bundle, plugins });
    return outputFiles?.[0]?.text ?? '';
  };
  const [pure, whole] = await Promise.all([textOf([PURE_SCHEMAS]), textOf([])]);
  expect(pure).toContain('StartInstances');
  expect(whole).toContain('TransitGateway');
  expect(pure).not.toContain('TransitGateway');
  expect(pure.length).toBeLessThan(whole.length - 400_000);
});
