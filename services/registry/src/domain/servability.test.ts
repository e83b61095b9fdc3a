import { expect, test } from 'vitest'
import { judgeExternal, judgePrompt } from './servability.ts'

test('what lies outside and what is no model is tracked, not served, and says why', () => {
  expect(judgeExternal('s3://lake/model')).toMatchObject({ servable: false, format: 'external', reason: expect.stringContaining("'s3://lake/model'") })
  expect(judgePrompt).toMatchObject({ servable: false, format: 'prompt' })
})
