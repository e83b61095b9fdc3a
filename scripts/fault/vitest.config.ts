import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['scripts/fault/**/*.fault.test.ts'],
    globalSetup: ['scripts/fault/harness/stop-infrastructure.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Each worker has servers of its own, and its tests start up to eight processes.
    maxWorkers: 2,
  },
})
