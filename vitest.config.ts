import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { pool: 'forks', testTimeout: 180_000, hookTimeout: 600_000, globalSetup: ['test/support/services.ts'] },
});
