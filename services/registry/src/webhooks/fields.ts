import { z } from 'zod'
import { isStorable, tooLong } from '../domain/names.ts'
import { nameOfEvent, readEvent } from './domain/webhook-event.ts'
import { MAX_DESCRIPTION, MAX_SECRET, problemOfWebhookName, problemOfWebhookUrl } from './domain/webhook-fields.ts'

const checked = (check: (value: string) => string | null) =>
  z.string().superRefine((value, context) => {
    const message = isStorable(value) ? check(value) : 'A character cannot be stored (NUL or half a surrogate pair)'
    if (message !== null) context.addIssue({ code: 'custom', message })
  })

const limited = (field: string, maximum: number) => checked((value) => (value.length > maximum ? tooLong(field, maximum) : null))

const spelling = z.union([z.string(), z.number()])

const event = z.looseObject({ entity: spelling, action: spelling }).transform(({ entity, action }, context) => {
  const read = readEvent(entity, action)
  if (typeof read !== 'string') return read
  context.addIssue({ code: 'custom', message: read })
  return z.NEVER
})

/** In order, without repetitions. */
const events = z
  .array(event)
  .max(100)
  .transform((list) => [...new Set(list.map(nameOfEvent))])

const status = z.union([z.string(), z.number()]).transform((value, context) => {
  const name = String(value).toUpperCase()
  if (name === 'ACTIVE' || name === '1') return 'ACTIVE' as const
  if (name === 'DISABLED' || name === '2') return 'DISABLED' as const
  context.addIssue({ code: 'custom', message: `Invalid webhook status '${String(value).slice(0, 100)}'. Valid statuses are: ACTIVE, DISABLED` })
  return z.NEVER
})

const name = checked(problemOfWebhookName)
const url = checked(problemOfWebhookUrl)
const description = limited('description', MAX_DESCRIPTION)
const secret = limited('secret', MAX_SECRET)

export const newWebhook = z.looseObject({
  name,
  url,
  events: events.refine((list) => list.length > 0, 'Webhook events cannot be empty'),
  description: description.nullish(),
  secret: secret.nullish(),
  status: status.nullish(),
})

/** In MLflow an empty name, URL or list is as good as none. */
const orNothing = <Field extends z.ZodType>(field: Field, empty: (value: unknown) => boolean) =>
  z.preprocess((value) => (value === null || empty(value) ? undefined : value), field.optional())
const isBlank = (value: unknown): boolean => value === ''
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

export const changedWebhook = z.looseObject({
  name: orNothing(name, isBlank),
  url: orNothing(url, isBlank),
  events: orNothing(events, isEmptyList),
  description: description.nullish(),
  secret: secret.nullish(),
  status: status.nullish(),
})

export const trial = z.looseObject({ event: event.nullish() })

export const webhookPage = z.looseObject({
  max_results: z
    .string()
    .default('100')
    .transform((value, context) => {
      const number = /^\s*\d{1,15}\s*$/.test(value) ? Number(value) : Number.NaN
      if (number >= 1 && number <= 1000) return number
      context.addIssue({ code: 'custom', message: 'max_results must be between 1 and 1000.' })
      return z.NEVER
    }),
  page_token: z.string().optional(),
})
