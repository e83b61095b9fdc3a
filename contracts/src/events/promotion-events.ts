import { z } from 'zod'
import { type DataOf, defineEvent } from './event.ts'
import { gateResult } from './fields.ts'

const topic = 'millrace.promotion-events.v1'

const decision = {
  decisionId: z.string(),
  model: z.string(),
  version: z.string(),
  championVersion: z.string().nullable(),
  policyVersion: z.int().nonnegative(),
  /** Generation of the serving state that the decision was made on. */
  generation: z.int().nonnegative(),
  gates: z.array(gateResult),
}

export const modelVersionEvaluated = defineEvent({
  name: 'ModelVersionEvaluated',
  type: 'io.millrace.modelversion.evaluated.v1',
  minor: 0,
  topic,
  description: 'The gates of the policy were run on a version, with the evidence of each.',
  data: z.looseObject({
    ...decision,
    outcome: z.string().meta({ 'x-known-values': ['passed', 'failed'] }),
    approval: z.string().meta({ 'x-known-values': ['auto', 'manual'] }),
  }),
})
export type ModelVersionEvaluated = DataOf<typeof modelVersionEvaluated>

export const promotionRejected = defineEvent({
  name: 'PromotionRejected',
  type: 'io.millrace.promotion.rejected.v1',
  minor: 0,
  topic,
  description: 'A version will not be promoted: a gate failed, a person refused, or the registry did.',
  data: z.looseObject({ ...decision, reason: z.string(), rejectedBy: z.string() }),
})

export const rolloutStepped = defineEvent({
  name: 'RolloutStepped',
  type: 'io.millrace.rollout.stepped.v1',
  minor: 0,
  topic,
  description: 'A rollout moved to its next step, paused, ended or was rolled back.',
  data: z.looseObject({
    decisionId: z.string(),
    model: z.string(),
    version: z.string(),
    step: z.string().meta({ 'x-known-values': ['promoting', 'serving', 'rolled-back', 'superseded'] }),
    generation: z.int().nonnegative(),
    message: z.string(),
  }),
})
