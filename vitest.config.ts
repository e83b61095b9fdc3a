import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['contracts/**/*.test.ts', 'platform/**/*.test.ts', 'samples/**/*.test.ts', 'services/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/*.fault.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
  },
})
