import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// One agent at a time: they are heavy, and a test that waits for a screen must not starve.
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/agents/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
