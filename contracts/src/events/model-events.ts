import { z } from 'zod'
import { signature } from '../model/model-spec.ts'
import { announcedServingSettings } from '../model/serving-settings.ts'
import { type DataOf, defineEvent } from './event.ts'
import { artifact } from './fields.ts'

const topic = 'millrace.model-events.v1'

export const modelVersionRegistered = defineEvent({
  name: 'ModelVersionRegistered',
  type: 'io.millrace.modelversion.registered.v1',
  minor: 0,
  topic,
  description: 'A version is READY: its artifact is sealed. `servable` false says why it can be tracked but not served.',
  data: z.looseObject({
    model: z.string(),
    version: z.string(),
    runId: z.string().nullable(),
    source: z.string(),
    artifact: artifact.nullable(),
    servable: z.boolean(),
    unservableReason: z.string().nullable(),
    registeredBy: z.string(),
    automatic: z.boolean(),
  }),
})
export type ModelVersionRegistered = DataOf<typeof modelVersionRegistered>

export const modelVersionStageChanged = defineEvent({
  name: 'ModelVersionStageChanged',
  type: 'io.millrace.modelversion.stagechanged.v1',
  minor: 0,
  topic,
  description: 'One version moved from a stage to another.',
  data: z.looseObject({ model: z.string(), version: z.string(), from: z.string(), to: z.string(), reason: z.string(), changedBy: z.string() }),
})

export const modelAliasChanged = defineEvent({
  name: 'ModelAliasChanged',
  type: 'io.millrace.modelalias.changed.v1',
  minor: 0,
  topic,
  description: 'An alias was set, moved (`previousVersion`) or removed (`version` null).',
  data: z.looseObject({ model: z.string(), alias: z.string(), version: z.string().nullable(), previousVersion: z.string().nullable(), changedBy: z.string() }),
})

const promotion = z.looseObject({
  model: z.string(),
  version: z.string(),
  previousVersion: z.string().nullable(),
  generation: z.int().positive(),
  artifact,
  runId: z.string().nullable(),
  decisionId: z.string(),
  reason: z.string(),
  promotedBy: z.string(),
  /** Gates of the model's policy that this promotion did not pass through, by name. */
  skippedGates: z.array(z.string()),
})

export const modelPromoted = defineEvent({
  name: 'ModelPromoted',
  type: 'io.millrace.model.promoted.v1',
  minor: 0,
  topic,
  description: 'A version newer than the one before it became Production.',
  data: promotion,
})
export type ModelPromoted = DataOf<typeof modelPromoted>

export const modelRolledBack = defineEvent({
  name: 'ModelRolledBack',
  type: 'io.millrace.model.rolledback.v1',
  minor: 0,
  topic,
  description: 'An earlier version became Production again.',
  data: promotion,
})

export const modelVersionDeleted = defineEvent({
  name: 'ModelVersionDeleted',
  type: 'io.millrace.modelversion.deleted.v1',
  minor: 0,
  topic,
  description: 'A version was deleted; its number is never used again.',
  data: z.looseObject({ model: z.string(), version: z.string(), deletedBy: z.string() }),
})

const candidate = z.looseObject({
  version: z.string(),
  runId: z.string().nullable(),
  artifact,
  mode: z.string().meta({ 'x-known-values': ['staging', 'canary', 'ab', 'shadow'] }),
  weightPercent: z.number().min(0).max(100),
})

/** What every pod is to serve for a model. Apply it only if `generation` is greater than the one you hold. */
export const servingStateChanged = defineEvent({
  name: 'ServingStateChanged',
  type: 'io.millrace.servingstate.changed.v1',
  minor: 1,
  topic: 'millrace.serving-state.v1',
  description: 'What every pod is to serve for a model. Apply it only if `generation` is greater than the one held.',
  data: z.looseObject({
    model: z.string(),
    generation: z.int().positive(),
    /** Input of the traffic split, kept while any candidate is there; null = use the model's name. */
    salt: z.string().nullable(),
    production: z.looseObject({ version: z.string(), runId: z.string().nullable(), artifact, signature: signature.nullable() }).nullable(),
    candidates: z.array(candidate),
    /** How the model is to be served; left out: as each pod is set up. */
    settings: announcedServingSettings.optional(),
    /** When the registry committed the change, RFC 3339. */
    changedAt: z.iso.datetime(),
  }),
})
export type ServingState = DataOf<typeof servingStateChanged>
export type ServingCandidate = z.infer<typeof candidate>
