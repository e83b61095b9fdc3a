import { fileURLToPath } from 'node:url'
import { AppError } from '@millrace/platform/errors.ts'
import type { TrainingJob, TrainingSettings } from './training-job.ts'

/** The backbone that comes with the trainer. */
export const defaultBackbonePath = fileURLToPath(new URL('../../backbone/backbone.onnx', import.meta.url))

/** What a job that says nothing else is trained with. */
export const defaultSettings = {
  epochs: 60,
  patience: 12,
  batchSize: 64,
  learningRate: 0.003,
  hiddenUnits: 96,
  dropout: 0.25,
  weightDecay: 0.0005,
  mirror: true,
  origin: {},
} as const

interface Range {
  readonly low: number
  readonly high: number
  readonly whole?: boolean
}

const ranges = {
  seed: { low: 0, high: 4_294_967_295, whole: true },
  epochs: { low: 1, high: 10_000, whole: true },
  patience: { low: 1, high: 10_000, whole: true },
  batchSize: { low: 1, high: 4096, whole: true },
  learningRate: { low: 1e-8, high: 1 },
  hiddenUnits: { low: 0, high: 4096, whole: true },
  dropout: { low: 0, high: 0.9 },
  weightDecay: { low: 0, high: 1 },
} as const satisfies Record<string, Range>

function checkRange(name: string, value: number, { low, high, whole = false }: Range): void {
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return
  throw new AppError('INVALID_PARAMETER_VALUE', `${name} must be a ${whole ? 'whole ' : ''}number from ${low} to ${high}, not ${value}`, {
    details: { parameter: name },
  })
}

/**
 * The job with every setting filled in.
 * @throws AppError INVALID_PARAMETER_VALUE naming the setting that is out of range
 */
export function settingsOf(job: TrainingJob): TrainingSettings {
  const given = Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined))
  const settings: TrainingSettings = { ...defaultSettings, ...job, ...given, backbonePath: job.backbonePath ?? defaultBackbonePath }
  for (const [name, range] of Object.entries(ranges) as [keyof typeof ranges, Range][]) checkRange(name, settings[name], range)
  return settings
}
