import { type ModelVersionEvaluated, modelVersionEvaluated, promotionRejected, rolloutStepped } from '@millrace/contracts/events/promotion-events.ts'
import { servingActivated, servingLoadFailed } from '@millrace/contracts/events/serving-events.ts'
import { done, type Outcome, on, skip } from '@millrace/platform/events/handler.ts'
import type { Consumer } from '@millrace/platform/service.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { type FactRow, findVersionKey, insertFact, saveActivation } from './store.ts'

/** Follows what promoter and pods say of versions, apart from the registrations: neither waits for the other. */
export const createLineageConsumer = (): Consumer => ({
  group: 'registry.lineage',
  handlers: [
    on(modelVersionEvaluated, ({ data, time: at }, tx) => keep(tx, data, { kind: 'evaluated', at, data: describeDecision(data) })),
    on(promotionRejected, ({ data, time: at }, tx) => {
      const { reason, rejectedBy } = data
      return keep(tx, data, { kind: 'rejected', at, data: { ...describeDecision(data), reason, rejectedBy } })
    }),
    on(rolloutStepped, ({ data, time: at }, tx) => {
      const { decisionId, step, generation, message } = data
      return keep(tx, data, { kind: 'rollout-stepped', at, data: { decisionId, step, generation, message: cut(message) } })
    }),
    on(servingLoadFailed, ({ data, time: at }, tx) => {
      const { pod, arm, generation, kind, stage, message } = data
      return keep(tx, data, { kind: 'load-failed', at, data: { pod, arm, generation, kind, stage, message: cut(message) } })
    }),
    on(servingActivated, async ({ data, time: at }, tx) => {
      const found = await findVersionKey(tx, data.model, data.version)
      if (!found) return skip('unknown-version')
      const { pod, incarnation, arm, generation } = data
      await saveActivation(tx, { versionId: found.id, modelId: found.modelId, pod, incarnation, arm, generation, at })
      return done
    }),
  ],
})

const MAX_TEXT = 2000
const MAX_GATES = 50

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

const describeDecision = (
  data: Pick<ModelVersionEvaluated, 'decisionId' | 'championVersion' | 'policyVersion' | 'generation' | 'gates'> & Partial<ModelVersionEvaluated>,
) => ({
  decisionId: data.decisionId,
  championVersion: data.championVersion,
  policyVersion: data.policyVersion,
  generation: data.generation,
  ...(data.outcome === undefined ? {} : { outcome: data.outcome, approval: data.approval }),
  gates: data.gates.slice(0, MAX_GATES).map(({ gate, outcome, message, measured, limit }) => ({ gate, outcome, message: cut(message), measured, limit })),
})

async function keep(tx: Sql, { model, version }: { model: string; version: string }, fact: FactRow): Promise<Outcome> {
  const found = await findVersionKey(tx, model, version)
  if (!found) return skip('unknown-version')
  await insertFact(tx, found.id, fact)
  return done
}
