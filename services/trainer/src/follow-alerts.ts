import { driftDetected, performanceDegraded } from '@millrace/contracts/events/drift-events.ts'
import type { RetrainingPolicy } from '@millrace/contracts/http/trainer.ts'
import { done, type EventHandler, type Outcome, on, skip } from '@millrace/platform/events/handler.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { changeJobIn, type TransitionDeps } from './apply-transition.ts'
import type { TrainerDeps } from './deps.ts'
import { cancel, type Job } from './domain/job.ts'
import { type Alert, answerAlert } from './domain/retraining.ts'
import { lastDataDigest, retrainingsOf, waitingJobs } from './job-store.ts'
import { findPolicy } from './policies.ts'
import { enqueue, jobOf } from './submit-job.ts'
import { WAITING } from './watch-data.ts'

type AlertDeps = TransitionDeps & Pick<TrainerDeps, 'newId'>

const REQUESTED_BY = 'retraining-policy'

/** Alerts make training jobs as the model's policy says: one per alert, however often it is delivered. */
export const createHandlers = (deps: AlertDeps): readonly EventHandler[] => [
  on(driftDetected, ({ data }, tx) => onAlert(deps, tx, data.model, { kind: 'drift', alertId: data.alertId, severity: data.severity })),
  on(performanceDegraded, ({ data }, tx) => onAlert(deps, tx, data.model, { kind: 'performance', alertId: data.alertId })),
]

async function onAlert(deps: AlertDeps, tx: Sql, model: string, alert: Alert): Promise<Outcome> {
  const stored = await findPolicy(tx, model)
  const answer = answerAlert(stored?.policy ?? null, alert, await retrainingsOf(tx, model), deps.clock())
  if (answer.kind === 'leave' || !stored) return skip(answer.kind === 'leave' ? answer.reason : 'no policy')
  const job = await retrainingJob(deps, tx, model, stored.policy, answer.cause)
  if (!(await enqueue(deps, tx, job, alert.alertId))) return skip('the alert has its job already')
  await replaceWaiting(deps, tx, job)
  deps.log.info('an alert asks for a retraining', { model, alertId: alert.alertId, jobId: job.jobId, state: job.state })
  return done
}

async function retrainingJob(deps: AlertDeps, tx: Sql, model: string, policy: RetrainingPolicy, cause: string): Promise<Job> {
  const { dataset, parameters } = policy
  const job = jobOf(deps, { model, dataset, parameters, register: true, cause }, REQUESTED_BY)
  const unlikeDigest = policy.waitForNewData ? await lastDataDigest(tx, model) : null
  return unlikeDigest === null ? job : { ...job, state: 'waiting_for_data', unlikeDigest, message: WAITING }
}

/** A job that still waits for data would train the same as the new one, under an older policy. */
async function replaceWaiting(deps: AlertDeps, tx: Sql, newer: Job): Promise<void> {
  for (const { job, alertId } of await waitingJobs(tx, newer.model)) {
    if (alertId !== null && job.jobId !== newer.jobId) await changeJobIn(deps, tx, job.jobId, (at) => cancel(at, `a newer alert (job ${newer.jobId})`))
  }
}
