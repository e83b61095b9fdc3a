export const runStatuses = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const
export type RunStatus = (typeof runStatuses)[number]
export type Lifecycle = 'active' | 'deleted'

export interface Run {
  readonly runId: string
  readonly runName: string
  readonly experimentId: number
  readonly userId: string
  readonly status: RunStatus
  /** Ms since the epoch. */
  readonly startTime: number
  readonly endTime: number | null
  readonly artifactUri: string
  readonly lifecycle: Lifecycle
}

export interface RunChange {
  readonly status: RunStatus | null
  readonly endTime: number | null
  readonly runName: string | null
}

const isTerminal = (status: RunStatus): boolean => status === 'FINISHED' || status === 'FAILED' || status === 'KILLED'

/**
 * The run after an update, and whether it finished by it: only a change to an end does, since updates are retried. A run that ends without a time ends now;
 * one that is resumed keeps the time it ended before.
 */
export function updateRun(run: Run, change: RunChange, now: number): { run: Run; finished: boolean } {
  const status = change.status ?? run.status
  const finished = status !== run.status && isTerminal(status)
  const endTime = change.endTime ?? (finished ? now : run.endTime)
  return { run: { ...run, status, endTime, runName: change.runName ?? run.runName }, finished }
}

export const notActive = (what: 'run' | 'experiment', id: string | number): string =>
  `The ${what} ${id} must be in the 'active' state. Current state is deleted.`

/** The name of a new run: given, by its tag, or a random one. */
export function nameOfRun(
  given: string | undefined,
  tag: string | undefined,
  random: string,
): { kind: 'name'; name: string } | { kind: 'refused'; message: string } {
  if (given && tag && given !== tag) {
    return {
      kind: 'refused',
      message: `Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='${given}', mlflow.runName='${tag}').`,
    }
  }
  return { kind: 'name', name: given || tag || random }
}
