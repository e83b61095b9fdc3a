import type { MetricPoint, TrackingClient } from '@millrace/contracts/client/tracking-client.ts'
import type { AttemptProgress } from './attempt-progress.ts'
import type { TrainerDeps } from './deps.ts'
import type { EpochReport } from './learning/training-job.ts'

export interface EpochLogger {
  /** There are epochs to log. */
  wake(): void
  /** Resolves when every epoch is logged; rejects with what was in the way. */
  settle(): Promise<void>
}

/** Logs epochs while training goes on: one call at a time, with all epochs that came meanwhile. */
export function createEpochLogger(
  deps: Pick<TrainerDeps, 'clock'> & { readonly runs: TrackingClient },
  runId: string,
  progress: AttemptProgress,
  signal: AbortSignal,
): EpochLogger {
  let running: Promise<void> | null = null
  let failure: unknown = null
  async function drain(): Promise<void> {
    for (let epochs = progress.takeEpochs(); epochs.length > 0; epochs = progress.takeEpochs()) {
      const metrics = epochs.flatMap((report) => pointsOf(report, deps.clock().getTime()))
      await deps.runs.logBatch(runId, { metrics }, `epoch-${epochs[0]?.epoch}`, { signal })
    }
  }
  const wake = (): void => {
    running ??= drain()
      .catch((error: unknown) => {
        failure = error
      })
      .finally(() => {
        running = null
      })
  }
  return {
    wake,
    async settle() {
      await running
      if (failure !== null) throw failure
      await drain()
    },
  }
}

const pointsOf = ({ epoch, ...figures }: EpochReport, timestamp: number): MetricPoint[] =>
  Object.entries(figures).map(([key, value]) => ({ key, value, timestamp, step: epoch }))
