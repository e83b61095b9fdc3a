import { expect, test } from 'vitest'
import { fullPlan } from './plan.ts'
import { type Results, renderReport } from './report.ts'

const spread = { p50: 1.25, p99: 99.6, max: 1234 }
const results: Results = {
  ...{ command: 'npm run bench', startedAt: '2026-01-02T03:04:05.000Z', seconds: 200, plan: fullPlan },
  machine: { cores: 4, model: 'A processor', memoryGib: 15.6, system: 'Linux 6.1.0', node: '24.0.0', load: 0.25 },
  promotions: {
    ...{ promotions: 200, pods: 2, everyPodMs: spread, samplesMs: [], loadingMs: spread },
    load: { predictions: 30_000, failed: 0, mixed: 0, stale: 0, latencyMs: spread, reasons: [] },
  },
  events: {
    throughput: { events: 10_000, perSecond: 1234.5, written: 2000 },
    latency: { events: 2000, perSecond: 200, ms: spread },
    backlog: { events: 10_000, seconds: 8.04 },
  },
  outage: { awaySeconds: 24, events: 1200, firstSeconds: 0.6, allSeconds: 1.2 },
}

test('every figure stands beside its target', () => {
  const page = renderReport(results)
  expect(page).toContain('200 promotions, 2 pods | p99 ≤ 250 ms | p50 1.3 ms, p99 100 ms, longest 1,234 ms |')
  expect(page).toContain('| Failed, of 30,000 predictions during those swaps, 500 per second | 0 | 0 |')
  expect(page).toContain('| Broker away for 24 s: from its return to the first event handled | ≤ 6 s | 0.6 s |')
  expect(page).toContain('4 × A processor, 16 GiB of memory')
  expect(page).not.toContain('went wrong')
})

test('a busy machine and faults are told', () => {
  const { promotions } = results
  const faulty = { ...promotions, load: { ...promotions.load, failed: 1, reasons: ['503: `late`'] } }
  const page = renderReport({ ...results, promotions: faulty, machine: { ...results.machine, load: 3 } })
  expect(page).toContain('load average at the start 3.00. The machine was not at rest')
  expect(page).toContain("- `503: 'late'`")
})
