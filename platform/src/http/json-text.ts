import { AppError } from '../errors.ts'
import { findJsonProblem } from './json-scan.ts'

const MAX_DEPTH = 64
const MAX_KEYS = 100_000
/** A run of 16 digits outside a fraction may be an integer that a double cannot hold; whether it is one takes a real scan. */
const MAYBE_UNSAFE = /(?:^|[^\d.])\d{16,}(?![\d.eE])/

/**
 * Parses a request's JSON with the guards that `JSON.parse` lacks: at most 64 levels, 100,000 keys, no `__proto__` key, and no integer literal
 * that a double cannot hold (it would silently become another number).
 * @throws AppError BAD_REQUEST saying where the problem is
 */
export function parseJsonText(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed(text, error)
  }
  if (MAYBE_UNSAFE.test(text)) refuseUnsafeIntegers(text)
  refuseHostileShape(value)
  return value
}

const malformed = (text: string, cause: unknown): AppError => {
  const problem = findJsonProblem(text)
  return new AppError(
    'BAD_REQUEST',
    `The body is not valid JSON: ${problem ? `${problem.message} at ${locate(text, problem.position)}` : 'it cannot be read'}.`,
    { cause },
  )
}

function refuseUnsafeIntegers(text: string): void {
  const problem = findJsonProblem(text)
  if (problem) throw new AppError('BAD_REQUEST', `The body holds ${problem.message} at ${locate(text, problem.position)}.`)
}

function locate(text: string, position: number): string {
  const before = text.slice(0, position)
  const line = before.split('\n').length
  return `position ${position} (line ${line}, column ${position - before.lastIndexOf('\n')})`
}

/** Level by level instead of recursion: a depth bomb must not exhaust the stack. */
function refuseHostileShape(root: unknown): void {
  let level: object[] = isContainer(root) ? [root] : []
  let keys = 0
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new AppError('BAD_REQUEST', `The body is nested more than ${MAX_DEPTH} levels deep.`)
    const next: object[] = []
    for (const container of level) keys += visit(container, next)
    if (keys > MAX_KEYS) throw new AppError('BAD_REQUEST', `The body has more than ${MAX_KEYS} keys: send it in smaller parts.`)
    level = next
  }
}

function visit(container: object, next: object[]): number {
  if (Array.isArray(container)) {
    for (const item of container) if (isContainer(item)) next.push(item)
    return 0
  }
  if (Object.hasOwn(container, '__proto__')) throw new AppError('BAD_REQUEST', 'The body uses "__proto__" as a key, which is not allowed.')
  const values = Object.values(container)
  for (const value of values) if (isContainer(value)) next.push(value)
  return values.length
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null
