import type { TrackingClient } from '@millrace/contracts/client/tracking-client.ts'
import { RUN_TAG_JOB } from '@millrace/contracts/http/trainer.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Job as BackgroundJob } from '@millrace/platform/service.ts'
import { changeJob, type TransitionDeps } from './apply-transition.ts'
import { markRunClosed, type RunToClose, runsToClose } from './attempt-store.ts'
import { end, failToFinish, type Job, succeed } from './domain/job.ts'
import { abandonedJobs, finishingJobs } from './job-store.ts'
import { PASSING } from './passing.ts'
import { RUN_TAG_ATTEMPT } from './train-attempt.ts'

type SettleDeps = TransitionDeps & { readonly runs: TrackingClient }

const LOOK_MS = 1000

/** What attempts leave behind for others to do: giving up the dead ones, and telling tracking how runs ended. */
export const createSettleJobs = (deps: SettleDeps): BackgroundJob[] => [
  { name: 'finish-runs', everyMs: LOOK_MS, run: (signal) => finishRuns(deps, signal) },
  { name: 'close-runs', everyMs: LOOK_MS, run: (signal) => closeRuns(deps, signal) },
  { name: 'give-up-dead-attempts', everyMs: LOOK_MS, run: () => giveUpDeadAttempts(deps) },
]

/** Tells tracking that a run is finished, then ends the job. Asking twice makes no second run and no second model: the run is the same. */
async function finishRuns(deps: SettleDeps, signal: AbortSignal): Promise<boolean> {
  for (const { job } of await finishingJobs(deps.database)) {
    const refusal = await tellFinished(deps, job, signal)
    await changeJob(deps, job.jobId, (at) => (refusal === null ? succeed(at, job.attempt) : failToFinish(at, job.attempt, refusal)))
  }
  return false
}

/** Null when tracking took it, else why it never will. */
async function tellFinished(deps: SettleDeps, job: Job, signal: AbortSignal): Promise<string | null> {
  try {
    await deps.runs.endRun({ runId: job.runId ?? '', status: 'FINISHED', endTime: deps.clock() }, { signal })
    return null
  } catch (error) {
    if (error instanceof AppError && !PASSING.includes(error.code)) return `The run could not be finished: ${error.message}`
    throw error
  }
}

async function closeRuns(deps: SettleDeps, signal: AbortSignal): Promise<boolean> {
  for (const run of await runsToClose(deps.database)) {
    await closeRun(deps, run, signal)
    await markRunClosed(deps.database, run)
  }
  return false
}

/** A run that is gone or that somebody ended meanwhile needs no closing. */
async function closeRun(deps: SettleDeps, run: RunToClose, signal: AbortSignal): Promise<void> {
  try {
    const runIds = run.runId === null ? await runsOfAttempt(deps, run, signal) : [run.runId]
    for (const runId of runIds) await deps.runs.endRun({ runId, status: run.closeAs, endTime: run.endedAt }, { signal })
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    deps.log.warn('the run of an attempt could not be closed', { jobId: run.jobId, attempt: run.attempt, runId: run.runId, reason: error.message })
  }
}

/** The attempt may have died between making its run and writing down which. */
async function runsOfAttempt(deps: SettleDeps, run: RunToClose, signal: AbortSignal): Promise<string[]> {
  const experimentId = await deps.runs.findExperiment(run.experiment, { signal })
  if (experimentId === null) return []
  // Job ids and numbers hold nothing that needs quoting.
  const filter = `tags.${RUN_TAG_JOB} = '${run.jobId}' and tags.${RUN_TAG_ATTEMPT} = '${run.attempt}'`
  const open: string[] = []
  for await (const { info } of deps.runs.searchRuns({ experimentIds: [experimentId], filter }, { signal }))
    if (info.status === 'RUNNING') open.push(info.run_id)
  return open
}

async function giveUpDeadAttempts(deps: SettleDeps): Promise<boolean> {
  for (const { job } of await abandonedJobs(deps.database, deps.clock())) {
    await changeJob(deps, job.jobId, (at) => end(at, job.attempt, { kind: 'lost' }))
  }
  return false
}
