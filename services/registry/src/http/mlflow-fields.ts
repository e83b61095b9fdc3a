import { z } from 'zod'
import { parseStage, unknownStage } from '../domain/decide-stage.ts'
import { isStorable, MAX_TAG_VALUE, missing, problemOfAlias, problemOfKey, problemOfModelName, tooLong } from '../domain/names.ts'
import { MAX_SOURCE } from '../domain/source.ts'

/** Fields of MLflow's registry requests. The schemas around them are loose: what a newer client sends besides is ignored. */

/** Refuses with the text that `check` answers. */
const checked = (check: (value: string) => string | null) =>
  z.string().superRefine((value, context) => {
    const message = check(value)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })

const storable = (field: string, value: string): string | null =>
  isStorable(value) ? null : `'${field}' contains a character that cannot be stored (NUL or half a surrogate pair)`

/** Text of at most `maximum` characters, possibly empty. */
const text = (field: string, maximum: number) => checked((value) => (value.length > maximum ? tooLong(field, maximum) : storable(field, value)))

/** A name to be given. */
export const newName = (field: string) => checked((value) => problemOfModelName(value, field))

/** A name to be looked up: whatever no model can have is simply not found. */
export const name = checked((value) => (value.trim() === '' ? missing('name') : storable('name', value)))

export const alias = checked(problemOfAlias)
/** An alias as a reference: `latest` may be asked for, not set. */
export const aliasReference = checked((value) => (value.toLowerCase() === 'latest' ? null : problemOfAlias(value)))

export const tagKey = (field: string) => checked((value) => problemOfKey(value, field))
const tagValue = (field: string) => text(field, MAX_TAG_VALUE)
/** A key to be deleted: one that was never allowed is simply not there. */
export const anyKey = checked((value) => (value === '' ? missing('key') : storable('key', value)))

export const tagKeyAndValue = { key: tagKey('key'), value: tagValue('value').default('') }

const MAX_TAGS = 1000

/** The last of equal keys counts. */
export const tags = z
  .array(z.looseObject({ key: tagKey('key'), value: tagValue('value').default('') }))
  .max(MAX_TAGS)
  .nullish()
  .transform((list) => Object.fromEntries((list ?? []).map(({ key, value }) => [key, value])))

/** In MLflow's JSON null is as good as nothing. */
export const optionalText = (field: string, maximum: number) =>
  text(field, maximum)
    .nullish()
    .transform((value) => value ?? '')

export const description = optionalText('description', MAX_TAG_VALUE)
export const source = checked((value) => (value === '' ? missing('source') : value.length > MAX_SOURCE ? tooLong('source', MAX_SOURCE) : null))

/** A version number, as text or number. */
export const version = z.union([z.string(), z.number()]).transform((value, context) => {
  const number = /^\s*[+-]?\d{1,15}\s*$/.test(String(value)) ? Number(value) : Number.NaN
  if (Number.isSafeInteger(number)) return number
  context.addIssue({
    code: 'custom',
    message: value === '' ? missing('version') : `Parameter 'version' must be an integer, got '${String(value).slice(0, 100)}'.`,
  })
  return z.NEVER
})

export const stage = z.string().transform((value, context) => {
  const known = parseStage(value)
  if (known) return known
  context.addIssue({ code: 'custom', message: value === '' ? missing('stage') : unknownStage(value.slice(0, 100)).message })
  return z.NEVER
})

/** In a query a list is a repeated key, and one item is a mere text. */
export const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(item).max(100).default([]))

/** In JSON a boolean; some clients write it as text. */
export const flag = z
  .union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })])
  .nullish()
  .transform((value) => value ?? false)

export const maxResults = (initial: number, maximum: number) =>
  z
    .union([z.string(), z.number()])
    .default(initial)
    .transform((value, context) => {
      const number = /^\s*-?\d{1,15}\s*$/.test(String(value)) ? Number(value) : Number.NaN
      if (number >= 1 && number <= maximum) return number
      const message =
        number > maximum
          ? `Invalid value for request parameter max_results. It must be at most ${maximum}, but got value ${number}`
          : `Invalid value ${String(value).slice(0, 100)} for parameter 'max_results' supplied. It must be a positive integer`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })

/** What every search takes. */
export const searchFields = (initial: number, maximum: number) => ({
  filter: z.string().default(''),
  max_results: maxResults(initial, maximum),
  order_by: list(z.string()),
  page_token: z.string().optional(),
})
