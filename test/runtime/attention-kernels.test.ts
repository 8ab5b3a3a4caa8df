import { describe, expect, test } from 'vitest';
import { attentionExactness, setAttentionKernels } from '../../lib/runtime/attention-kernels.js';
import type { AttentionKernels } from '../../lib/schemas/attention-kernels.js';

type Variables = Record<string, string | undefined>;

function set(kernels: AttentionKernels | undefined, before: Variables = {}): (string | undefined)[] {
  const environment = { ...before };
  setAttentionKernels(environment, kernels);
  return ['FUSED', 'TRT_FLASH', 'FUSED_CROSS'].map((name) => environment[`ORT_DISABLE_${name}_ATTENTION`]);
}

describe('which attention kernels may be taken', () => {
  test('not those that leave float16 first, where nothing is said', () => {
    expect(set(undefined)).toEqual(['0', '1', '1']);
    expect(set('guarded')).toEqual(['0', '1', '1']);
  });

  test('all of them, or none that adds up in float16', () => {
    const image = { ORT_DISABLE_TRT_FLASH_ATTENTION: '1', ORT_DISABLE_FUSED_CROSS_ATTENTION: '1' };
    expect(set('fused', image)).toEqual(['0', '0', '0']);
    expect(set('exact', image)).toEqual(['1', '1', '1']);
  });

  test("ONNX Runtime's own variables count where nothing else is said", () => {
    const own = { ORT_DISABLE_FUSED_ATTENTION: '1', ORT_DISABLE_TRT_FLASH_ATTENTION: '0' };
    expect(set(undefined, own)).toEqual(['1', '0', '1']);
  });
});

describe('a process that changes its mind', () => {
  const set = [
    'ORT_DISABLE_FUSED_ATTENTION',
    'ORT_DISABLE_TRT_FLASH_ATTENTION',
    'ORT_DISABLE_FUSED_CROSS_ATTENTION',
  ];

  test('computes as exactly as can be, and then as at first', () => {
    const environment: Variables = { PATH: '/bin' };
    setAttentionKernels(environment, 'guarded');
    const before = { ...environment };
    const exactness = attentionExactness(environment);
    exactness?.useSafer();
    expect(set.map((name) => environment[name])).toEqual(['1', '1', '1']);
    exactness?.useUsual();
    expect(environment).toEqual(before);
  });

  test('has no other way where all is exact already, whoever said so', () => {
    const environment: Variables = Object.fromEntries(set.map((name) => [name, '1']));
    expect(attentionExactness(environment)).toBeUndefined();
  });
});
