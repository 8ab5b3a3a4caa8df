import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Of others, and of `npm run test:packages`.
    exclude: ['**/node_modules/**', 'test/packages/**'],
    globalSetup: ['test/support/build-dist.ts'],
    // As the command and the endpoint set them, with their reasons.
    env: { ORT_DISABLE_TELEMETRY: '1', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
