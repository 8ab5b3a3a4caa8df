import { defineConfig } from 'vitest/config';

/** Of `npm run test:deploy`. Each step stands on the one before: the first that fails ends the tour. */
export default defineConfig({
  test: {
    include: ['test/deploy/*.tour.ts'],
    globalSetup: ['test/support/build-dist.ts'],
    env: { ORT_DISABLE_TELEMETRY: '1', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    bail: 1,
    // Two accounts at once are more than two cores can bear.
    fileParallelism: false,
    reporters: ['verbose'],
    // Of machines that others use, too: many times what the longest step takes alone.
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
});
