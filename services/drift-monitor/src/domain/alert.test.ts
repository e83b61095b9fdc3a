import { defaultDriftPolicy } from '@millrace/contracts/http/drift.ts'
import { expect, test } from 'vitest'
import { type AlertState, decideAlert, type WindowOutcome } from './alert.ts'

const policy = defaultDriftPolicy
const none: AlertState = { alertId: null, quietUntilMs: null }
const open: AlertState = { alertId: 'alert-1', quietUntilMs: null }

/** `b` bad, `c` bad and critical, `g` good, `i` insufficient data; the newest last, as one reads. */
function outcomes(letters: string): WindowOutcome[] {
  const meaning: Record<string, WindowOutcome> = {
    b: { verdict: 'drift', severity: 'warning' },
    c: { verdict: 'drift', severity: 'critical' },
    g: { verdict: 'ok', severity: 'none' },
    i: { verdict: 'insufficient_data', severity: 'none' },
  }
  return [...letters].flatMap((letter) => meaning[letter] ?? []).toReversed()
}

test.each([
  ['bb', 'none'],
  ['bbb', 'fire'],
  ['bgbgb', 'fire'],
  ['bggbgb', 'none'],
  ['bbgbg', 'none'],
  ['bibib', 'fire'],
  ['bbbg', 'none'],
  ['iii', 'none'],
])('without an alert, windows %s (newest last) decide %s', (letters, kind) => {
  expect(decideAlert(none, outcomes(letters), policy, 0).kind).toBe(kind)
})

test.each([
  ['bbbg', 'none'],
  ['bbbgg', 'clear'],
  ['bbbgig', 'clear'],
  ['bbbgbg', 'none'],
  ['bbbb', 'none'],
])('with an alert, windows %s (newest last) decide %s', (letters, kind) => {
  expect(decideAlert(open, outcomes(letters), policy, 0).kind).toBe(kind)
})

test('an alert is as severe as the worst of the windows that fired it', () => {
  expect(decideAlert(none, outcomes('bbb'), policy, 0)).toEqual({ kind: 'fire', severity: 'warning' })
  expect(decideAlert(none, outcomes('cbb'), policy, 0)).toEqual({ kind: 'fire', severity: 'critical' })
})

test('no new alert fires in the quiet time after the last', () => {
  const quiet: AlertState = { alertId: null, quietUntilMs: 5000 }
  expect(decideAlert(quiet, outcomes('bbb'), policy, 4999).kind).toBe('none')
  expect(decideAlert(quiet, outcomes('bbb'), policy, 5000).kind).toBe('fire')
})
