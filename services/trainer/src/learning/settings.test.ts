import { expect, test } from 'vitest'
import { defaultSettings, settingsOf } from './settings.ts'

const job = { dataRoot: '/data', outputDir: '/out', seed: 1 }

test('what a job leaves out is filled in', () => {
  expect(settingsOf(job)).toMatchObject({ ...defaultSettings, ...job })
  expect(settingsOf({ ...job, epochs: 3 }).epochs).toBe(3)
  expect(settingsOf(job).backbonePath).toMatch(/backbone\.onnx$/)
})

test.each([
  ['epochs', { epochs: 0 }],
  ['batchSize', { batchSize: 1.5 }],
  ['learningRate', { learningRate: Number.NaN }],
  ['dropout', { dropout: 1 }],
  ['seed', { seed: -1 }],
])('%s out of range is refused by name', (name, change) => {
  expect(() => settingsOf({ ...job, ...change })).toThrow(`${name} must be a`)
})
