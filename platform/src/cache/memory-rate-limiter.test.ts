import { expect, test } from 'vitest'
import { createMemoryRateLimiter } from './memory-rate-limiter.ts'
import { countTimes, longRule, rateLimiterContract } from './rate-limiter.contract.ts'

rateLimiterContract(async () => createMemoryRateLimiter)

test('two limiters in memory know nothing of each other', async () => {
  const rule = longRule()
  await countTimes(createMemoryRateLimiter(rule), 'ana', 3)
  expect(await createMemoryRateLimiter(rule).count('ana')).toMatchObject({ used: 1 })
})
