import type { RunFinished } from '@millrace/contracts/events/run-events.ts'

/** One comparison of a filter over runs. */
export interface RunCondition {
  readonly entity: string
  readonly key: string
  readonly comparator: string
  readonly value: string | number | readonly string[] | null
}

const attributes: Readonly<Record<string, (run: RunFinished) => string>> = {
  run_id: (run) => run.runId,
  run_name: (run) => run.runName,
  user_id: (run) => run.user,
  experiment_id: (run) => run.experimentId,
}

/** Whether the run has what a condition asks for, as a search of runs would say: what a run lacks equals nothing and differs from nothing. */
export function matchesRun(run: RunFinished, { entity, key, comparator, value }: RunCondition): boolean {
  const found = factOf(run, entity, key)
  if (comparator === 'IS NULL') return found === undefined
  if (found === undefined) return false
  if (comparator === 'IS NOT NULL') return true
  if (typeof found === 'number') return typeof value === 'number' && compareNumbers(found, comparator, value)
  return compareTexts(found, comparator, value)
}

function factOf(run: RunFinished, entity: string, key: string): string | number | undefined {
  switch (entity) {
    case 'metric':
      return own(run.metrics, key)
    case 'param':
      return own(run.params, key)
    case 'tag':
      return own(run.tags, key)
    default:
      return own(attributes, key)?.(run)
  }
}

const own = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined => (Object.hasOwn(record, key) ? record[key] : undefined)

function compareNumbers(found: number, comparator: string, value: number): boolean {
  switch (comparator) {
    case '=':
      return found === value
    case '!=':
      return found !== value
    case '>':
      return found > value
    case '>=':
      return found >= value
    case '<':
      return found < value
    default:
      return comparator === '<=' && found <= value
  }
}

function compareTexts(found: string, comparator: string, value: RunCondition['value']): boolean {
  if (Array.isArray(value)) return value.includes(found) === (comparator === 'IN')
  const wanted = String(value)
  switch (comparator) {
    case '=':
      return found === wanted
    case '!=':
      return found !== wanted
    case 'LIKE':
      return matchesPattern(found, wanted)
    default:
      return comparator === 'ILIKE' && matchesPattern(found.toLowerCase(), wanted.toLowerCase())
  }
}

/** SQL's LIKE without an escape character. Goes back to the last `%` alone, so that no pattern takes longer than the product of both lengths. */
export function matchesPattern(text: string, pattern: string): boolean {
  let [at, place] = [0, 0]
  let [star, mark] = [-1, 0]
  while (at < text.length) {
    if (place < pattern.length && pattern[place] === '%') [star, mark, place] = [place, at, place + 1]
    else if (place < pattern.length && (pattern[place] === '_' || pattern[place] === text[at])) [at, place] = [at + 1, place + 1]
    else if (star >= 0) [mark, at, place] = [mark + 1, mark + 1, star + 1]
    else return false
  }
  while (pattern[place] === '%') place += 1
  return place === pattern.length
}
