import { AppError } from '@millrace/platform/errors.ts'
import { invalidExperimentId, noExperiment, parseExperimentId } from './domain/experiment.ts'
import { noLoggedModel } from './domain/logged-model.ts'
import { notActive } from './domain/run.ts'

export const invalid = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)
export const missing = (message: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', message)
export const runMissing = (runId: string): AppError => missing(`Run with id=${runId} not found`)
export const experimentMissing = (id: string | number): AppError => missing(noExperiment(id))
export const loggedModelMissing = (modelId: string): AppError => missing(noLoggedModel(modelId))
export const runNotActive = (runId: string): AppError => invalid(notActive('run', runId))
export const experimentNotActive = (id: number): AppError => invalid(notActive('experiment', id))

/** Throws the refusal that a decision came to, if any. */
export function refuseIf(message: string | null): void {
  if (message !== null) throw invalid(message)
}

/** @throws AppError INVALID_PARAMETER_VALUE for text that is no integer */
export function readExperimentId(text: string): number {
  const id = parseExperimentId(text)
  if (id === null) throw invalid(invalidExperimentId(text))
  return id
}
