import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests mostly wait, for timers and for servers: two at a time also on the smallest machines. */
const maxWorkers = Math.max(2, availableParallelism() - 1);

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers,
    testTimeout: 180_000,
    hookTimeout: 600_000,
    globalSetup: ['test/support/services.ts'],
  },
});
