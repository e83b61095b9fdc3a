import { AppError } from '@millrace/platform/errors.ts'

const unknown = (what: string, id: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', `There is no ${what} ${JSON.stringify(id)}.`)

export const unknownJob = (jobId: string): AppError => unknown('training job', jobId)
export const unknownEvaluation = (evaluationId: string): AppError => unknown('evaluation', evaluationId)

export const noPolicy = (model: string): AppError =>
  new AppError('RESOURCE_DOES_NOT_EXIST', `Model ${JSON.stringify(model)} has no retraining policy: PUT one to the same address.`)
