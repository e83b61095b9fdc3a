import { AppError, messageOf, TransientError } from '@millrace/platform/errors.ts'

export const loadStages = ['fetch', 'verify', 'memory', 'probe', 'open', 'signature', 'warm-up'] as const
export type LoadStage = (typeof loadStages)[number]

/** `deterministic`: the same bytes will fail again. `transient`: something was in the way. */
export type FailureKind = 'deterministic' | 'transient'

/** Why a version could not be loaded. */
export class LoadFailure extends Error {
  readonly kind: FailureKind
  readonly stage: LoadStage

  constructor(kind: FailureKind, stage: LoadStage, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'LoadFailure'
    this.kind = kind
    this.stage = stage
  }
}

/** What was refused for its content fails again; a fault of disk, store or thread may pass. */
export function asLoadFailure(error: unknown, stage: LoadStage): LoadFailure {
  if (error instanceof LoadFailure) return error
  const transient = error instanceof TransientError || isDiskFault(error) || (error instanceof AppError && TRANSIENT_CODES.has(error.code))
  return new LoadFailure(transient ? 'transient' : 'deterministic', stage, messageOf(error), { cause: error })
}

const TRANSIENT_CODES = new Set<string>(['STORAGE_FULL', 'TEMPORARILY_UNAVAILABLE', 'DEADLINE_EXCEEDED'])

const isDiskFault = (error: unknown): boolean => error instanceof Error && 'syscall' in error
