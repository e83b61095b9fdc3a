import { expect, test } from 'vitest'
import { type Prediction, reportLoad } from './load-report.ts'

const prediction = (sentMs: number, version: string, kind: Prediction['kind'] = 'ok'): Prediction => ({
  ...{ kind, version, sentMs, tookMs: 2 },
  reason: kind === 'ok' ? '' : kind,
})

test('failed and mixed answers are counted, each reason told once', () => {
  const report = reportLoad([prediction(1, '1'), prediction(2, '', 'failed'), prediction(3, '', 'failed'), prediction(4, '1', 'mixed')], [])
  expect(report).toMatchObject({ predictions: 4, failed: 2, mixed: 1, stale: 0, reasons: ['failed', 'mixed'] })
})

test('an old version is stale once every pod has answered with the new one, the next one never is', () => {
  const reigns = [{ version: '2', everywhereMs: 100, nextMs: 200 }]
  const at = (sentMs: number, version: string): number => reportLoad([prediction(sentMs, version)], reigns).stale
  expect([at(99, '1'), at(100, '1'), at(101, '1'), at(150, '2'), at(199, '3'), at(200, '1')]).toEqual([0, 0, 1, 0, 0, 0])
})
