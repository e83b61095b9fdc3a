import { expect, test } from 'vitest'
import { fitFinished } from './finished-event.ts'

const event = {
  runId: 'r1',
  experimentId: '0',
  runName: 'a',
  user: 'ada',
  status: 'FINISHED',
  startTime: null,
  endTime: null,
  artifactUri: 'mlflow-artifacts:/0/r1/artifacts',
  tags: { 'millrace.register': 'fish' },
  params: { lr: '0.1' },
  metrics: { acc: 0.9 },
  datasets: [{ name: 'd', digest: 'x', context: null }],
  outputs: [{ modelId: 'm-1', step: 0 }],
}

test('an event of ordinary size is untouched', () => {
  expect(fitFinished(event)).toEqual(event)
})

test('an event of any size fits a record, and keeps the tags that others decide by', () => {
  const many = (length: number, text: string) => Object.fromEntries(Array.from({ length }, (_, index) => [`key-${index}`, text]))
  const fitted = fitFinished({ ...event, tags: { ...many(500, 'ü'.repeat(8000)), ...event.tags }, params: many(5000, '\u0001'.repeat(6000)) })
  expect(Buffer.byteLength(JSON.stringify(fitted))).toBeLessThan(900 * 1024)
  expect(fitted.tags['millrace.register']).toBe('fish')
  expect(Object.keys(fitted.tags).length).toBeGreaterThan(1)
})
