import { defaultDriftPolicy } from '@millrace/contracts/http/drift.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Bucket, planWindows } from './plan-windows.ts'

const policy = { ...defaultDriftPolicy, windowMs: 1000, latenessMs: 100, minWindowRows: 100 }
const bucket = (index: number, rows: number): Bucket => ({ startMs: index * 1000, endMs: (index + 1) * 1000, rows })
const at = (nowMs: number) => ({ nowMs, latestMs: nowMs, behind: false })

test('a window closes when its period and the allowed lateness are over and it has enough rows', () => {
  expect(planWindows([bucket(0, 120)], policy, at(1099))).toEqual([])
  expect(planWindows([bucket(0, 120)], policy, at(1100))).toEqual([{ startMs: 0, endMs: 1000, rows: 120 }])
})

test('a window without enough rows takes in the next period', () => {
  expect(planWindows([bucket(0, 60)], policy, at(9000))).toEqual([])
  expect(planWindows([bucket(3, 60), bucket(0, 60), bucket(4, 100)], policy, at(9000))).toEqual([
    { startMs: 0, endMs: 4000, rows: 120 },
    { startMs: 4000, endMs: 5000, rows: 100 },
  ])
})

test('while records are waiting in the log, event time decides and not the clock', () => {
  expect(planWindows([bucket(0, 120)], policy, { nowMs: 50_000, latestMs: 900, behind: true })).toEqual([])
  expect(planWindows([bucket(0, 120)], policy, { nowMs: 50_000, latestMs: 1100, behind: true })).toHaveLength(1)
})

test('closing early and often gives the same windows as closing once at the end', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(150), { maxLength: 30 }), (rows) => {
      const buckets = rows.map((count, index) => bucket(index, count))
      const stepwise = []
      let left = buckets
      for (let now = 0; now <= 31_100; now += 500) {
        const closed = planWindows(left, policy, at(now))
        stepwise.push(...closed)
        const until = closed.at(-1)?.endMs ?? 0
        left = left.filter((candidate) => candidate.startMs >= until)
      }
      expect(stepwise).toEqual(planWindows(buckets, policy, at(31_100)))
    }),
  )
})
