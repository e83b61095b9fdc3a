import type { RetrainingPolicy } from '@millrace/contracts/http/trainer.ts'
import { expect, test } from 'vitest'
import { answerAlert, type Retrainings } from './retraining.ts'

const policy: RetrainingPolicy = { dataset: '/data', parameters: {}, onDrift: 'critical', onPerformance: true, waitForNewData: true, cooldownMs: 60_000 }
const now = new Date('2026-01-01T00:10:00Z')
const never: Retrainings = { lastAskedAt: null, underWay: false }
const drift = (severity: string) => ({ kind: 'drift' as const, alertId: 'a1', severity })
const performance = { kind: 'performance' as const, alertId: 'a2' }
const kindOf = (...args: Parameters<typeof answerAlert>) => answerAlert(...args).kind

test('a policy for critical drift leaves warnings alone', () => {
  expect(kindOf(policy, drift('warning'), never, now)).toBe('leave')
  expect(answerAlert(policy, drift('critical'), never, now)).toEqual({ kind: 'retrain', cause: 'drift alert a1' })
})

test('a policy for warnings takes critical drift as well, one that is off takes none', () => {
  for (const severity of ['warning', 'critical']) {
    expect(kindOf({ ...policy, onDrift: 'warning' }, drift(severity), never, now)).toBe('retrain')
    expect(kindOf({ ...policy, onDrift: 'off' }, drift(severity), never, now)).toBe('leave')
  }
})

test('falling quality retrains where the policy says so', () => {
  expect(kindOf(policy, performance, never, now)).toBe('retrain')
  expect(kindOf({ ...policy, onPerformance: false }, performance, never, now)).toBe('leave')
})

test('a model without a policy is left to people', () => {
  expect(kindOf(null, performance, never, now)).toBe('leave')
})

test('one retraining at a time, and none within the cooldown', () => {
  expect(kindOf(policy, performance, { ...never, underWay: true }, now)).toBe('leave')
  expect(kindOf(policy, performance, { ...never, lastAskedAt: new Date('2026-01-01T00:09:01Z') }, now)).toBe('leave')
  expect(kindOf(policy, performance, { ...never, lastAskedAt: new Date('2026-01-01T00:09:00Z') }, now)).toBe('retrain')
})
