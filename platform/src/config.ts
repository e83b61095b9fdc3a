import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError, messageOf } from './errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

const SECRET = /SECRET|PASSWORD|TOKEN|PRIVATE|CREDENTIAL|(?:^|_)KEYS?$/i
const REDACTED = '[redacted]'

const isSecret = (name: string): boolean => SECRET.test(name)

/**
 * Reads a program's settings from its environment; names are the schema's keys. An empty variable counts as not set. `X_FILE` names a file that holds the
 * value of `X` (its last line break is dropped), so that secrets need not be in the environment.
 * @throws AppError INVALID_PARAMETER_VALUE with every problem, one line each: `PORT: expected a number 1..65535, got "abc"`; a single one is a single line
 */
export function readConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Environment,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): z.infer<z.ZodObject<Shape>> {
  const problems: string[] = []
  const values: Record<string, string> = {}
  for (const name of Object.keys(schema.shape)) {
    const value = readOne(name, env, readFile, problems)
    if (value !== undefined) values[name] = value
  }
  const unreadable = problems.map((problem) => problem.split(':')[0])
  const result = schema.safeParse(values)
  for (const issue of result.error?.issues ?? []) {
    const name = String(issue.path[0] ?? '')
    if (!unreadable.includes(name)) problems.push(describe(name, schema.shape[name], values[name], issue))
  }
  if (result.success && problems.length === 0) return result.data
  throw new AppError('INVALID_PARAMETER_VALUE', refusal([...new Set(problems)]))
}

const refusal = (problems: readonly string[]): string =>
  problems.length === 1 ? `A setting is not valid: ${problems[0]}` : `The settings are not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`

/** Settings as they may be logged. */
export const redactConfig = (config: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(config).map(([name, value]) => [name, isSecret(name) && value !== undefined && value !== null ? REDACTED : value]))

function readOne(name: string, env: Environment, readFile: (path: string) => string, problems: string[]): string | undefined {
  const direct = env[name] || undefined
  const file = env[`${name}_FILE`] || undefined
  if (!file) return direct
  if (direct) problems.push(`${name}: is set twice, directly and by ${name}_FILE: leave one out`)
  try {
    return readFile(file).replace(/\r?\n$/, '')
  } catch (error) {
    problems.push(`${name}: the file that ${name}_FILE names cannot be read (${messageOf(error)})`)
    return undefined
  }
}

function describe(name: string, field: z.core.$ZodType | undefined, value: string | undefined, issue: z.core.$ZodIssue): string {
  const shown = isSecret(name) ? 'a value that is kept secret' : JSON.stringify(value)
  const got = value === undefined ? 'it is not set' : `got ${shown}`
  const expected = field ? expectationOf(field) : null
  // Without a shape to tell from (a refinement across settings), the schema's own words.
  if (!expected || issue.code === 'custom') return `${name ? `${name}: ` : ''}${issue.message}${name ? `, ${got}` : ''}`
  return `${name}: expected ${expected}, ${got}`
}

const shape = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
})

/** What a setting should look like, from its schema: `a number 1..65535`, `one of "a", "b"`. Null where that does not say enough. */
function expectationOf(field: z.core.$ZodType): string | null {
  const { type, enum: allowed, minimum, maximum, minLength = 0, pattern, format } = shape.parse(z.toJSONSchema(field, { unrepresentable: 'any', io: 'output' }))
  if (allowed) return `one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}`
  if (type === 'boolean') return 'true or false'
  if (type === 'integer' || type === 'number') return `a number${range(minimum, maximum)}`
  if (format) return `a text that is a valid ${format}`
  if (pattern) return `a text that matches ${pattern}`
  if (type === 'string' && minLength > 1) return `a text of at least ${minLength} characters`
  return type === 'string' ? 'a text' : null
}

function range(minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER): string {
  const low = minimum > Number.MIN_SAFE_INTEGER ? minimum : null
  const high = maximum < Number.MAX_SAFE_INTEGER ? maximum : null
  if (low !== null && high !== null) return ` ${low}..${high}`
  if (low !== null) return ` of at least ${low}`
  return high === null ? '' : ` of at most ${high}`
}
