import type { EpochReport, TrainingPhase, TrainingProgress } from './learning/training-job.ts'
import type { LogLine } from './log-store.ts'

/** Share of a job that each phase takes, measured on the sample; uploading is the rest. */
const shares: Readonly<Record<TrainingPhase, readonly [number, number]>> = {
  reading: [0, 0.55],
  training: [0.55, 0.85],
  exporting: [0.85, 0.9],
  evaluating: [0.9, 0.95],
}

/** What an attempt has to tell, collected between two signs of life so that progress never costs a database call of its own. */
export class AttemptProgress {
  share = 0
  message: string
  readonly #now: () => Date
  #lines: LogLine[] = []
  #epochs: EpochReport[] = []

  constructor(message: string, now: () => Date) {
    this.message = message
    this.#now = now
  }

  say(line: string): void {
    this.message = line
    this.#lines.push({ at: this.#now(), line })
  }

  take(progress: TrainingProgress): void {
    if (progress.kind === 'warning') this.#lines.push({ at: this.#now(), line: `warning: ${progress.message}` })
    if (progress.kind === 'epoch') this.#takeEpoch(progress.report)
    if (progress.kind === 'phase') this.#takePhase(progress)
  }

  #takeEpoch(report: EpochReport): void {
    this.#epochs.push(report)
    const { epoch, loss, accuracy, val_loss, val_accuracy } = report
    const figures = [`loss ${loss.toFixed(4)}`, `accuracy ${accuracy.toFixed(4)}`, `val_loss ${val_loss.toFixed(4)}`, `val_accuracy ${val_accuracy.toFixed(4)}`]
    this.say(`epoch ${epoch}: ${figures.join(', ')}`)
  }

  #takePhase({ phase, done, total }: TrainingProgress & { kind: 'phase' }): void {
    const [from, to] = shares[phase]
    if (done === 0) this.say(`${phase}${total > 1 ? ` (${total})` : ''}`)
    this.share = Math.max(this.share, from + (to - from) * (total > 0 ? Math.min(1, done / total) : 0))
  }

  takeLines(): LogLine[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  takeEpochs(): EpochReport[] {
    const epochs = this.#epochs
    this.#epochs = []
    return epochs
  }
}
