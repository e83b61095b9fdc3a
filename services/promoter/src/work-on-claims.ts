import { AppError, messageOf, TransientError } from '@millrace/platform/errors.ts'
import { pauseFor } from '@millrace/platform/events/signal.ts'
import type { Job } from '@millrace/platform/service.ts'
import type { PromoterDeps } from './deps.ts'
import { claimDecision, extendLease, postpone, type StoredDecision, type Work } from './store.ts'

/** What a job made of a decision; `later` gives it back to be looked at again. */
export type WorkOutcome = { kind: 'done' } | { kind: 'later'; afterMs: number; reason: string }
export const workDone: WorkOutcome = { kind: 'done' }

type ClaimDeps = Pick<PromoterDeps, 'clock' | 'config' | 'database' | 'log'>
type DoWork = (claimed: StoredDecision, signal: AbortSignal) => Promise<WorkOutcome>

const POLL_MS = 1000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000

/**
 * A job that takes one due decision at a time, holds a lease on it while `work` runs, and gives it back with growing pauses when that fails. After a crash
 * the lease runs out and the decision is taken up again; what a slow worker made of it meanwhile is refused at saving.
 */
export function workOnClaims(deps: ClaimDeps, name: string, work: Work, doWork: DoWork): Job {
  return {
    name,
    everyMs: POLL_MS,
    async run(stopping) {
      const claim = await claimDecision(deps.database, work, deps.clock(), leaseEnd(deps))
      if (claim.kind === 'none') return soonDue(deps, claim.dueAt, stopping)
      await workUnderLease(deps, claim.held, stopping, doWork)
      return true
    },
  }
}

/** Waits for a decision that is due before the job would look again. */
async function soonDue(deps: ClaimDeps, dueAt: Date | null, stopping: AbortSignal): Promise<boolean> {
  const waitMs = dueAt === null ? POLL_MS : dueAt.getTime() - deps.clock().getTime()
  if (waitMs >= POLL_MS / 2) return false
  await pauseFor(Math.max(1, waitMs), stopping)
  return !stopping.aborted
}

const leaseEnd = (deps: ClaimDeps): Date => new Date(deps.clock().getTime() + deps.config.PROMOTER_LEASE_MS)

async function workUnderLease(deps: ClaimDeps, claimed: StoredDecision, stopping: AbortSignal, doWork: DoWork): Promise<void> {
  const lost = new AbortController()
  const renew = setInterval(() => {
    extendLease(deps.database, claimed, leaseEnd(deps)).then(
      (held) => held || lost.abort(new Error('the decision was changed or taken over')),
      (error: unknown) => deps.log.warn('a lease could not be extended', { error }),
    )
  }, deps.config.PROMOTER_LEASE_MS / 3)
  try {
    const outcome = await doWork(claimed, AbortSignal.any([stopping, lost.signal]))
    if (outcome.kind === 'later') await giveBack(deps, claimed, outcome.afterMs, claimed.failures, outcome.reason)
  } catch (error) {
    await afterFailure(deps, claimed, error, stopping)
  } finally {
    clearInterval(renew)
  }
}

async function afterFailure(deps: ClaimDeps, claimed: StoredDecision, error: unknown, stopping: AbortSignal): Promise<void> {
  const { decisionId, model, version } = claimed.decision
  const failures = claimed.failures + 1
  const pauseMs = stopping.aborted ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 12))
  await giveBack(deps, claimed, pauseMs, failures, stopping.aborted ? null : `Tried again in a moment: ${messageOf(error)}`)
  if (stopping.aborted) return
  const fields = { decisionId, model, version, failures, pauseMs, reason: messageOf(error) }
  if (error instanceof TransientError || error instanceof AppError) deps.log.warn('a decision waits for something that is not there', fields)
  else deps.log.error('a decision could not be worked on', { ...fields, error })
}

const giveBack = (deps: ClaimDeps, claimed: StoredDecision, afterMs: number, failures: number, reason: string | null): Promise<void> =>
  postpone(deps.database, claimed, new Date(deps.clock().getTime() + afterMs), failures, reason)
