import { z } from 'zod'
import { gateResult, timestamp } from '../events/fields.ts'

/** Figures that a policy may ask of: every metric of the run, and these of the artifact itself. */
export const promotionPolicy = z.strictObject({
  /** Run metrics with their smallest or largest allowed value, such as `{"test_accuracy": {"min": 0.9}}`. A metric that the newest version's run does not have is refused; one that a later run lacks fails its gate. */
  metrics: z.record(z.string().min(1).max(250), z.strictObject({ min: z.number().optional(), max: z.number().optional() })),
  /** Champion and challenger on the same rows: the challenger's accuracy may be lower by at most `epsilon`. Null: not compared. */
  champion: z.strictObject({ metric: z.enum(['accuracy']), epsilon: z.number().min(0).max(1) }).nullable(),
  /** Inputs and outputs must be those of the Production version. */
  signatureCompatible: z.boolean(),
  maxSizeBytes: z.int().positive().nullable(),
  /** Median time of one prediction of one row, measured by the promoter. */
  maxLatencyMs: z.number().positive().nullable(),
  /** Largest difference between the stored answers of the trainer and the ONNX itself; null skips the check. */
  parityTolerance: z.number().positive().nullable(),
  approval: z.enum(['auto', 'manual']),
  /** Whether a person may move a version to Production without this policy. */
  directPromotion: z.enum(['allowed', 'forbidden']),
})
export type PromotionPolicy = z.infer<typeof promotionPolicy>

/** PUT /api/v1/promotions/policies/{model} takes a policy; GET answers this. Version 0 is the default policy. */
export const policyResponse = z.looseObject({
  model: z.string(),
  policyVersion: z.int().nonnegative(),
  policy: promotionPolicy,
  changedBy: z.string(),
  changedAt: timestamp.nullable(),
})

export const decisionStates = ['evaluating', 'awaiting-approval', 'promoting', 'promoted', 'rejected', 'failed', 'superseded'] as const

/** GET /api/v1/promotions/decisions?model=&version= and /decisions/{id}. `promoting` ends when a pod serves the version (`promoted`) or it is rolled back (`failed`). */
export const promotionDecision = z.looseObject({
  decisionId: z.string(),
  model: z.string(),
  version: z.string(),
  championVersion: z.string().nullable(),
  policyVersion: z.int(),
  policy: promotionPolicy,
  generation: z.int(),
  state: z.string().meta({ 'x-known-values': [...decisionStates] }),
  gates: z.array(gateResult),
  reason: z.string(),
  decidedBy: z.string(),
  createdAt: timestamp,
  updatedAt: timestamp,
})
export type PromotionDecision = z.infer<typeof promotionDecision>
export const promotionDecisions = z.looseObject({ decisions: z.array(promotionDecision) })

/** POST /api/v1/promotions/decisions/{id}/approve and /reject */
export const verdictRequest = z.strictObject({ reason: z.string().min(1).max(2000) })

/** GET /api/v1/promotions/models/{model}/versions/{version}/standing: what the registry asks before a person's own promotion. */
export const standing = z.looseObject({
  policyVersion: z.int(),
  directPromotion: z.enum(['allowed', 'forbidden']),
  /** Gates of the policy that this version has not passed. */
  missingGates: z.array(z.string()),
})
