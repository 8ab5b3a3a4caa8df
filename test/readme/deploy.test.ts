import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../infra/options/config.js';
import { diagramOf } from '../support/infra/diagram.js';
import { synthService } from '../support/infra/synth-service.js';
import { ROOT } from '../support/reference.js';

const README = join(ROOT, 'infra/README.md');
const BLOCK = /(```mermaid\n)[^`]*(\n```)/;

test('the diagram is that of the synthesised stack (UPDATE_DIAGRAM=1 writes it)', () => {
  const text = readFileSync(README, 'utf8');
  const current = text.replace(BLOCK, (_, before, after) => before + diagramOf(synthService()) + after);
  if (process.env['UPDATE_DIAGRAM']) writeFileSync(README, current);
  expect(readFileSync(README, 'utf8')).toBe(current);
  expect(text).toMatch(BLOCK);
});

test('every option of the deploy is in the table, with its default', () => {
  const rows = [...readFileSync(README, 'utf8').matchAll(/^\| `(\w+)` +\| ([^|]*?) +\|/gm)].map(
    ([, name, value]) => [name as string, (value as string).replaceAll('`', '')],
  );
  const table = Object.fromEntries(rows);
  const { revision, ...defaults } = readConfig({});
  for (const [name, value] of Object.entries(defaults))
    expect([name, table[name]]).toEqual([name, String(value)]);
  expect(table['revision']).toBe(`${revision.slice(0, 7)}...`);
  const given = [
    'region',
    'fallbackInstanceTypes',
    'warmHours',
    'modelUri',
    'alarmEmail',
    'monthlyBudget',
    'subnetIds',
    'securityGroupIds',
    'vpcId',
  ];
  expect(given.filter((name) => !(name in table))).toEqual([]);
});
