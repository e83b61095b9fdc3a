import { AppError } from '@millrace/platform/errors.ts'

export type ScoringForm = 'json' | 'csv' | 'lines'

const forms: ReadonlyMap<string, ScoringForm> = new Map([
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  ['application/csv', 'csv'],
  ['application/jsonlines', 'lines'],
  ['application/x-ndjson', 'lines'],
])

const unsupported = (what: string): AppError =>
  new AppError('UNSUPPORTED_MEDIA_TYPE', `${what}: send application/json, text/csv or application/jsonlines, in UTF-8 and without other parameters.`)

/** Which form a scoring request is in. As MLflow does, nothing but `charset=utf-8` may follow the type. @throws AppError UNSUPPORTED_MEDIA_TYPE */
export function scoringFormOf(contentType: string | undefined): ScoringForm {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';')
  const form = forms.get(type.trim())
  if (!form) throw unsupported(type.trim() === '' ? 'The content type is missing' : 'The content type is not one of a scoring request')
  const other = parameters.map((parameter) => parameter.trim().replaceAll('"', '')).find((parameter) => !/^(?:|charset=utf-?8)$/.test(parameter))
  if (other !== undefined) throw unsupported('The content type has a parameter that is not charset=utf-8')
  return form
}
