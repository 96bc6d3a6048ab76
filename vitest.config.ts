import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 600_000,
    // Real servers on a shared machine: a stall is told apart from a fault by a second look, which the report shows.
    retry: process.env['CI'] ? 1 : 0,
    globalSetup: ['test/support/services.ts'],
  },
});
