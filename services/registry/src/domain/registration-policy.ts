import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { matchesRun, type RunCondition } from './match-run.ts'
import { isStorable } from './names.ts'

/** Registers the runs that it matches. */
export interface RegistrationPolicy {
  readonly name: string
  /** Empty: those of every experiment. */
  readonly experimentIds: readonly string[]
  /** All of them must hold. */
  readonly conditions: readonly RunCondition[]
  /** Name of the model, with placeholders such as `{tag.species}`. */
  readonly model: string
  /** Where the model lies among the run's artifacts; null takes the model that the run logged last, and `model` where it logged none. */
  readonly artifactPath: string | null
}

export const matchesPolicy = (run: RunFinished, { experimentIds, conditions }: Pick<RegistrationPolicy, 'experimentIds' | 'conditions'>): boolean =>
  (experimentIds.length === 0 || experimentIds.includes(run.experimentId)) && conditions.every((condition) => matchesRun(run, condition))

const PLACEHOLDER = /\{([^{}]*)\}/g
const FACTS = ['experiment_id', 'run_id', 'run_name', 'user'] as const

/** What is wrong with a template, or null. */
export function problemOfTemplate(template: string): string | null {
  if (template.trim() === '' || template.length > 256 || !isStorable(template)) return 'expected a name of 1 to 256 characters'
  if (/[/:]/.test(template.replace(PLACEHOLDER, ''))) return "a model's name cannot contain '/' or ':'"
  const unknown = [...template.matchAll(PLACEHOLDER)].map(([, name = '']) => name).find((name) => !isKnown(name))
  if (unknown === undefined && !/[{}]/.test(template.replace(PLACEHOLDER, ''))) return null
  return `'{${unknown ?? ''}' is no placeholder: expected ${FACTS.map((fact) => `{${fact}}`).join(', ')}, {tag.<key>} or {param.<key>}`
}

const isKnown = (name: string): boolean => FACTS.some((fact) => fact === name) || /^(tag|param)\../.test(name)

/** The model's name for a run; null where the run lacks what a placeholder asks for. */
export function modelNameFor(template: string, run: RunFinished): string | null {
  let complete = true
  const name = template.replace(PLACEHOLDER, (_, placeholder: string) => {
    const value = fillIn(placeholder, run)
    complete &&= value !== undefined && value !== ''
    return value ?? ''
  })
  return complete ? name : null
}

function fillIn(placeholder: string, run: RunFinished): string | undefined {
  const key = placeholder.slice(placeholder.indexOf('.') + 1)
  if (placeholder.startsWith('tag.')) return Object.hasOwn(run.tags, key) ? run.tags[key] : undefined
  if (placeholder.startsWith('param.')) return Object.hasOwn(run.params, key) ? run.params[key] : undefined
  const facts: Record<(typeof FACTS)[number], string> = { experiment_id: run.experimentId, run_id: run.runId, run_name: run.runName, user: run.user }
  const fact = FACTS.find((name) => name === placeholder)
  return fact && facts[fact]
}
