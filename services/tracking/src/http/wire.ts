import { z } from 'zod'

/** A text that must be there; an empty one counts as missing, as in MLflow. */
export const text = z.string().min(1)
export const textUpTo = (characters: number) => z.string().min(1).max(characters)

const unset = <T>(value: T | null | undefined): T | undefined => value ?? undefined

/** Unset may be left out or null. */
export const optionalText = z.string().nullish().transform(unset)

/** An integer, as a number or in digits. */
export const integer = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d{1,15}$/)
    .transform(Number),
])
export const optionalInteger = integer.nullish().transform(unset)
export const time = integer.refine((ms) => ms >= 0, 'must be an integer ≥ 0, in milliseconds since the epoch')

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** A double: a number, its digits, or one of "NaN", "Infinity", "-Infinity". */
export const double = z.union([
  z.number(),
  z
    .string()
    .regex(/^(?:NaN|-?Infinity|-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/)
    .transform((digits) => SPECIAL[digits] ?? Number(digits)),
])

/** An enum by name or number. */
export const enumeration = <const Names extends readonly string[]>(names: Names, first: number) =>
  z.union([
    z.enum(names),
    integer.refine((number) => number >= first && number < first + names.length).transform((number): Names[number] => names[number - first] ?? ''),
  ])

/** GET sends a list as a repeated key: one value comes alone. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z
    .union([z.array(item), item.transform((value) => [value])])
    .nullish()
    .transform((values) => values ?? [])

/** GET booleans: true and false in any case. */
export const flag = z
  .string()
  .nullish()
  .transform((value, context) => {
    const lower = (value ?? 'false').toLowerCase()
    if (lower === 'true' || lower === 'false') return lower === 'true'
    context.addIssue(`Invalid boolean value: ${value}, must be 'true' or 'false'.`)
    return z.NEVER
  })

export const keyValue = z.looseObject({
  key: text,
  value: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
})
export const keyValues = z
  .array(keyValue)
  .nullish()
  .transform((list) => list ?? [])

export const viewType = enumeration(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'], 1)
  .nullish()
  .transform((view) => view ?? 'ACTIVE_ONLY')

/** A run by `run_id`, or by the `run_uuid` of older clients. */
export const runReference = { run_id: optionalText, run_uuid: optionalText }
