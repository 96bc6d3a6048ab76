import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests mostly wait, for timers and for servers: three at a time also on the smallest machines. */
const maxWorkers = Math.max(3, availableParallelism() - 1);

export default defineConfig({
  test: {
    pool: 'forks',
    isolate: false, // Loading the same modules for each file took as long as a third of the tests.
    maxWorkers,
    testTimeout: 180_000,
    hookTimeout: 600_000,
    globalSetup: ['test/support/services.ts'],
  },
});
