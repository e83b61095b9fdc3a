import { z } from 'zod'
import { artifact, timestamp } from '../events/fields.ts'
import { servingStateChanged } from '../events/model-events.ts'
import { signature } from '../model/model-spec.ts'
import { announcedServingSettings, servingSettings } from '../model/serving-settings.ts'

/** MLflow's model name rule: not blank, no `/` or `:`; Millrace adds a length and refuses control characters and lone dots. */
export const modelName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^(?!\.{1,2}$)[^/:\p{Cc}]+$/u, "a name without '/', ':' or control characters")

export const stages = ['None', 'Staging', 'Production', 'Archived'] as const
export type Stage = (typeof stages)[number]

/** MLflow's model version, with the fields that Millrace adds. */
export const modelVersion = z.looseObject({
  name: z.string(),
  version: z.string(),
  creation_timestamp: z.number(),
  last_updated_timestamp: z.number(),
  current_stage: z.string(),
  description: z.string().optional(),
  source: z.string(),
  run_id: z.string().optional(),
  status: z.string(),
  status_message: z.string().optional(),
  tags: z.array(z.looseObject({ key: z.string(), value: z.string() })).optional(),
  aliases: z.array(z.string()).optional(),
})
export type ModelVersion = z.infer<typeof modelVersion>
export const modelVersionResponse = z.looseObject({ model_version: modelVersion })

/**
 * Beyond MLflow's fields of POST model-versions/transition-stage. The header `idempotency-key` makes a repeated call answer as the first did;
 * `expected_generation` refuses (409 STALE_GENERATION) when the model's serving state moved on.
 */
export const transitionExtras = {
  expected_generation: z.int().nonnegative().optional(),
  reason: z.string().max(2000).optional(),
  decision_id: z.string().max(200).optional(),
}

/** GET /api/v1/models/{name}/versions/{version}: everything a gate needs. */
export const versionDetail = z.looseObject({
  model: z.string(),
  version: z.string(),
  stage: z.string(),
  status: z.string(),
  source: z.string(),
  runId: z.string().nullable(),
  artifact: artifact.nullable(),
  signature: signature.nullable(),
  servable: z.boolean(),
  unservableReason: z.string().nullable(),
  tags: z.record(z.string(), z.string()),
  createdAt: timestamp,
})
export type VersionDetail = z.infer<typeof versionDetail>

/** GET /api/v1/models: one line per model. GET /api/v1/models/{name} gives the same for one. */
export const modelOverview = z.looseObject({
  model: z.string(),
  description: z.string(),
  generation: z.int().nonnegative(),
  production: z.looseObject({ version: z.string(), runId: z.string().nullable(), since: timestamp }).nullable(),
  versions: z.array(z.looseObject({ version: z.string(), stage: z.string(), status: z.string(), servable: z.boolean(), createdAt: timestamp })),
})
export type ModelOverview = z.infer<typeof modelOverview>
export const modelOverviews = z.looseObject({ models: z.array(modelOverview) })

/** GET /api/v1/serving-state: the snapshot that pods start from and poll with `if-none-match`. Includes models with nothing to serve. */
export const servingSnapshot = z.looseObject({ states: z.array(servingStateChanged.data) })
export type ServingSnapshot = z.infer<typeof servingSnapshot>

/** PUT /api/v1/models/{name}/rollout, with an `idempotency-key`. */
export const rolloutRequest = z.strictObject({
  candidates: z
    .array(z.strictObject({ version: z.string(), mode: z.enum(['staging', 'canary', 'ab', 'shadow']), weightPercent: z.number().min(0).max(100) }))
    .max(16),
  expectedGeneration: z.int().nonnegative(),
  reason: z.string().max(2000).optional(),
})
export const generationResponse = z.looseObject({ generation: z.int().nonnegative() })

/** PUT /api/v1/models/{name}/serving-settings, with an `idempotency-key`: replaces all settings. */
export const servingSettingsRequest = z.strictObject({
  settings: servingSettings,
  expectedGeneration: z.int().nonnegative(),
  reason: z.string().max(2000).optional(),
})
/** GET /api/v1/models/{name}/serving-settings */
export const servingSettingsResponse = z.looseObject({ model: z.string(), generation: z.int().nonnegative(), settings: announcedServingSettings })

/** POST /api/v1/models/{name}/rollback: promotes `version`, or the Production version before the present one. */
export const rollbackRequest = z.strictObject({
  version: z.string().optional(),
  reason: z.string().min(1).max(2000),
  expectedGeneration: z.int().nonnegative().optional(),
})
export const rollbackResponse = z.looseObject({ generation: z.int(), version: z.string(), previousVersion: z.string().nullable() })

/** GET /api/v1/models/{name}/audit */
export const auditEntry = z.looseObject({
  id: z.int(),
  at: timestamp,
  actor: z.string(),
  action: z.string(),
  model: z.string(),
  version: z.string().nullable(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  reason: z.string(),
  requestId: z.string(),
  details: z.record(z.string(), z.unknown()),
  /** Place in the audit chain of the model's name, and the hash that the next line follows. */
  seq: z.int().optional(),
  hash: z.string().optional(),
})
export const auditTrail = z.looseObject({ entries: z.array(auditEntry), nextBefore: z.int().nullable() })

const dvcPointer = z.looseObject({
  path: z.string().nullable(),
  md5: z.string().nullable(),
  revision: z.string().nullable(),
  repository: z.string().nullable(),
  remote: z.string().nullable(),
})

const lineageGate = z.looseObject({ gate: z.string(), outcome: z.string(), message: z.string(), measured: z.number().nullable(), limit: z.number().nullable() })

/** A way into Production or out of it, a refusal, or a step of a rollout. */
const lineageDecision = z.looseObject({
  at: timestamp,
  kind: z.string().meta({ 'x-known-values': ['promoted', 'rolled-back-to', 'rolled-back-from', 'demoted', 'rejected', 'rollout'] }),
  decisionId: z.string().nullable(),
  by: z.string().nullable(),
  reason: z.string(),
  skippedGates: z.array(z.string()),
})

const lineageServing = z.looseObject({
  /** When the version was in Production; `until` null: it is now. */
  production: z.array(z.looseObject({ since: timestamp, until: timestamp.nullable() })),
  /** Which pods answered with it, and when. */
  pods: z.array(z.looseObject({ pod: z.string(), arm: z.string(), generation: z.int(), since: timestamp, until: timestamp.nullable() })),
  loadFailures: z.array(z.looseObject({ at: timestamp, pod: z.string(), kind: z.string(), stage: z.string(), message: z.string() })),
})

/** Nodes and edges that can be drawn: data → run → version → evaluation → decision → serving. */
const lineageGraph = z.looseObject({
  nodes: z.array(z.looseObject({ id: z.string(), kind: z.string(), label: z.string(), data: z.record(z.string(), z.unknown()) })),
  edges: z.array(z.looseObject({ from: z.string(), to: z.string(), kind: z.string() })),
})

/** GET /api/v1/models/{name}/versions/{version}/lineage: version → run → data → code, and what became of the version. */
export const lineage = z.looseObject({
  model: z.string(),
  version: z.string(),
  artifact: artifact.nullable(),
  run: z
    .looseObject({
      runId: z.string(),
      experimentId: z.string(),
      params: z.record(z.string(), z.string()),
      metrics: z.record(z.string(), z.number()),
      tags: z.record(z.string(), z.string()),
    })
    .nullable(),
  datasets: z.array(
    z.looseObject({
      name: z.string(),
      digest: z.string(),
      context: z.string().nullable().optional(),
      sourceType: z.string().nullable().optional(),
      source: z.string().nullable().optional(),
      dvc: dvcPointer.nullable().optional(),
    }),
  ),
  code: z.looseObject({ commit: z.string().nullable(), entryPoint: z.string().nullable() }),
  history: z.array(auditEntry),
  /** What the run says of the machine and the packages that it ran with. */
  environment: z.record(z.string(), z.string()).optional(),
  loggedModelId: z.string().nullable().optional(),
  evaluations: z.array(z.looseObject({ at: timestamp, decisionId: z.string(), outcome: z.string(), gates: z.array(lineageGate) })).optional(),
  decisions: z.array(lineageDecision).optional(),
  serving: lineageServing.optional(),
  graph: lineageGraph.optional(),
})
export type Lineage = z.infer<typeof lineage>

/**
 * PUT /api/v1/registration-policies/{name}: runs that match it when they end FINISHED are registered. `filter` is MLflow's over runs, such as
 * `metrics.val_accuracy >= 0.9 AND tags.team = 'fish'`; `model` may hold `{tag.<key>}`, `{param.<key>}`, `{run_name}`, `{run_id}`, `{experiment_id}`, `{user}`.
 */
export const registrationPolicyRequest = z.strictObject({
  enabled: z.boolean().default(true),
  /** Empty: those of every experiment. */
  experimentIds: z
    .array(z.string().regex(/^\d{1,18}$/, "an experiment id such as '1'"))
    .max(100)
    .default([]),
  filter: z.string().max(4000).default(''),
  model: z.string(),
  /** Where the model lies among the run's artifacts; null takes the model that the run logged last, and `model` where it logged none. */
  artifactPath: z.string().nullable().default(null),
})
/** GET /api/v1/registration-policies/{name} */
export const registrationPolicy = z.looseObject({
  name: z.string(),
  enabled: z.boolean(),
  experimentIds: z.array(z.string()),
  filter: z.string(),
  model: z.string(),
  artifactPath: z.string().nullable(),
  changedBy: z.string(),
  createdAt: timestamp,
  updatedAt: timestamp,
})
export const registrationPolicies = z.looseObject({ policies: z.array(registrationPolicy) })
