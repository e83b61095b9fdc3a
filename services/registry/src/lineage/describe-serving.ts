import type { Lineage } from '@millrace/contracts/http/registry.ts'
import type { FactRow, MoveRow, SpanRow } from './store.ts'

type Decision = NonNullable<Lineage['decisions']>[number]
type Evaluation = NonNullable<Lineage['evaluations']>[number]
type ServingHistory = NonNullable<Lineage['serving']>

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const numberOrNull = (value: unknown): number | null => (typeof value === 'number' ? value : null)
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** The gates that were run on a version, with the figures that decided. */
export const describeEvaluations = (facts: readonly FactRow[]): Evaluation[] =>
  facts
    .filter(({ kind }) => kind === 'evaluated')
    .map(({ at, data }) => ({
      at: at.toISOString(),
      decisionId: text(data['decisionId']),
      outcome: text(data['outcome']),
      gates: list(data['gates']).map((gate) => {
        const { gate: name, outcome, message, measured, limit }: Record<string, unknown> = Object(gate)
        return { gate: text(name), outcome: text(outcome), message: text(message), measured: numberOrNull(measured), limit: numberOrNull(limit) }
      }),
    }))

/** What was decided about a version, in order of time: by the registry's own trail, and by what the promoter says. */
export function describeDecisions(moves: readonly MoveRow[], facts: readonly FactRow[]): Decision[] {
  const moved = moves.map((move) => ({
    at: move.at.toISOString(),
    kind: kindOf(move),
    decisionId: textOrNull(move.details['decisionId']),
    by: move.actor,
    reason: move.reason,
    skippedGates: list(move.details['skippedGates']).map(text),
  }))
  const told = facts.flatMap(({ kind, at, data }): Decision[] => {
    const base = { at: at.toISOString(), decisionId: textOrNull(data['decisionId']), skippedGates: [] }
    if (kind === 'rejected') return [{ ...base, kind: 'rejected', by: textOrNull(data['rejectedBy']), reason: text(data['reason']) }]
    if (kind === 'rollout-stepped') return [{ ...base, kind: 'rollout', by: null, reason: `${text(data['step'])}: ${text(data['message'])}` }]
    return []
  })
  return [...moved, ...told].sort((left, right) => left.at.localeCompare(right.at))
}

function kindOf({ action, to_value: to }: MoveRow): string {
  if (action === 'rollback') return to === 'Production' ? 'rolled-back-to' : 'rolled-back-from'
  return to === 'Production' ? 'promoted' : 'demoted'
}

/** When a version was in Production, and which pods answered with it. A pod that said nothing more ended no later than the version's service did. */
export function describeServing(moves: readonly MoveRow[], spans: readonly SpanRow[], facts: readonly FactRow[], isServed: boolean): ServingHistory {
  const production: { since: string; until: string | null }[] = []
  for (const { at, to_value: to } of moves) {
    const last = production.at(-1)
    if (to === 'Production') production.push({ since: at.toISOString(), until: null })
    else if (last) last.until = at.toISOString()
  }
  const ended = isServed ? null : (production.at(-1)?.until ?? null)
  const failures = facts.filter(({ kind }) => kind === 'load-failed')
  return {
    production,
    pods: spans.map(({ pod, arm, generation, since, until }) => {
      const end = until?.toISOString() ?? ended
      return { pod, arm, generation, since: since.toISOString(), until: end !== null && end < since.toISOString() ? since.toISOString() : end }
    }),
    loadFailures: failures.map(({ at, data }) => ({
      at: at.toISOString(),
      ...{ pod: text(data['pod']), kind: text(data['kind']), stage: text(data['stage']), message: text(data['message']) },
    })),
  }
}
