import { defineConfig } from 'vitest/config';

/** Of `npm run test:packages`: what is published, as its users get it. Needs a registry of npm's packages. */
export default defineConfig({
  test: {
    include: ['test/packages/*.test.ts'],
    globalSetup: ['test/packages/pack-once.ts'],
    reporters: ['verbose'],
    // Installs 200 MB, on machines that others use, too.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
