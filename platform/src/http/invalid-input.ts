import { z } from 'zod'
import { AppError } from '../errors.ts'
import type { ErrorDialect } from './route.ts'

type Issue = z.core.$ZodIssue

/** One thing wrong with a request, as it is shown to the caller. */
export interface InputProblem {
  /** `metrics[0].timestamp`; empty for the whole. */
  readonly path: string
  readonly message: string
}

const MAX_PROBLEMS = 100
const MAX_SHOWN = 100
const DOCS = 'See the API docs for more information about request parameters.'
const { localeError } = z.locales.en()

export const formatPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`), '')

/** A value as JSON, cut to a length fit for a message. */
export function showValue(value: unknown): string {
  const text = typeof value === 'number' && !Number.isFinite(value) ? String(value) : String(JSON.stringify(value))
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** Every problem of a failed parse in the words of a caller. The parse must have run with `reportInput`. */
export const listProblems = (error: z.core.$ZodError, describe = describeIssue): InputProblem[] =>
  error.issues.slice(0, MAX_PROBLEMS).flatMap((issue) => flatten(issue, []).map((leaf) => ({ path: formatPath(leaf.path), message: describe(leaf) })))

/** Parses request data at the edge. @throws AppError INVALID_PARAMETER_VALUE that lists every problem */
export function parseInput(schema: z.ZodType, input: unknown, dialect: ErrorDialect, where: string): unknown {
  const result = schema.safeParse(input, { reportInput: true })
  if (result.success) return result.data
  if (dialect === 'mlflow') {
    const problems = listProblems(result.error, describeForMlflow)
    throw new AppError('INVALID_PARAMETER_VALUE', problems.map((problem) => problem.message).join('\n'))
  }
  const errors = listProblems(result.error)
  const lines = errors.map(({ path, message }) => `${path === '' ? where : path}: ${message}`)
  throw new AppError('INVALID_PARAMETER_VALUE', `Invalid ${where}: ${lines.join('; ')}`, { details: { errors } })
}

/** A union reports one list of issues per member: show the member that came closest (the fewest issues, the deepest first). */
function flatten(issue: Issue, prefix: readonly PropertyKey[]): Issue[] {
  const path = [...prefix, ...issue.path]
  const members = issue.code === 'invalid_union' ? issue.errors.filter((list) => list.length > 0) : []
  const inner = members.filter((list) => list.some((nested) => nested.path.length > 0))
  const closest = inner.sort((left, right) => left.length - right.length)[0]
  if (closest && customMessage(issue) === null) return closest.flatMap((nested) => flatten(nested, path))
  return [{ ...issue, path }]
}

/** The message that a schema's author wrote, or null where zod made it up. */
function customMessage(issue: Issue): string | null {
  if (issue.code === 'custom') return issue.message
  // The cast is sound: a reported issue is the raw one with its message, and the locale reads neither.
  const made = localeError(issue as z.core.$ZodRawIssue)
  return issue.message === (typeof made === 'string' ? made : made?.message) ? null : issue.message
}

function describeIssue(issue: Issue): string {
  const custom = customMessage(issue)
  if (custom !== null) return custom
  const got = issue.input === undefined ? 'got nothing' : `got ${showValue(issue.input)}`
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is missing, expected ${issue.expected}` : `expected ${issue.expected}, ${got}`
    case 'invalid_value':
      return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => showValue(value)).join(', ')}, ${got}`
    case 'unrecognized_keys':
      return `unknown field${issue.keys.length > 1 ? 's' : ''} ${issue.keys.map((key) => showValue(key)).join(', ')}`
    case 'invalid_union':
      return `expected ${unionMembers(issue)}, ${got}`
    default:
      return `${issue.message.replace(/^Invalid (input|string): /, '')}, ${got}`
  }
}

function unionMembers(issue: Issue & { code: 'invalid_union' }): string {
  const expected = issue.errors.flat().flatMap((nested) => (nested.code === 'invalid_type' ? [nested.expected] : []))
  return expected.length > 0 ? [...new Set(expected)].join(' or ') : 'another value'
}

/** The texts that MLflow's clients and their tests match. */
function describeForMlflow(issue: Issue): string {
  const custom = customMessage(issue)
  if (custom !== null) return custom
  const path = formatPath(issue.path)
  if (path === '') return `Invalid request: expected a JSON object with named parameters, got a value of type '${pythonType(issue.input)}'. ${DOCS}`
  if (issue.input === undefined) return `Missing value for required parameter '${path}'. ${DOCS}`
  if (issue.code === 'too_big' && issue.origin === 'string') return `'${path}' exceeds the maximum length of ${issue.maximum} characters`
  if (issue.code === 'too_small' && issue.origin === 'string' && issue.input === '') return `Missing value for required parameter '${path}'. ${DOCS}`
  return `Invalid value ${showValue(issue.input)} for parameter '${path}' supplied:  Hint: Value was of type '${pythonType(issue.input)}'. ${DOCS}`
}

function pythonType(value: unknown): string {
  if (value === null) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    default:
      return 'dict'
  }
}
