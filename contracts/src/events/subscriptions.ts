import { eventCatalogue } from './catalogue.ts'
import { driftDetected, performanceDegraded } from './drift-events.ts'
import type { EventDefinition } from './event.ts'
import { modelPromoted, modelRolledBack, modelVersionDeleted, modelVersionRegistered, servingStateChanged } from './model-events.ts'
import { modelVersionEvaluated, promotionRejected, rolloutStepped } from './promotion-events.ts'
import { runFinished, runStarted } from './run-events.ts'
import { inferenceLogged, servingActivated, servingLoadFailed, servingObserved } from './serving-events.ts'
import type { TopicName } from './topics.ts'

/** What a service of Millrace reads. Others subscribe as they like, under groups of their own. */
export interface Subscription {
  readonly service: string
  /** Shared by the members of the service; null: every process reads everything, as a group of its own. */
  readonly group: string | null
  readonly reads: readonly EventDefinition[]
}

/** One record per prediction or label, not per decision; and what others read in words of their own. */
const notShown: readonly TopicName[] = ['millrace.inference-log.v1', 'millrace.label-events.v1', 'millrace.openlineage.v1']

export const subscriptions: readonly Subscription[] = [
  { service: 'registry', group: 'registry', reads: [runStarted, runFinished] },
  {
    service: 'registry',
    group: 'registry.lineage',
    reads: [modelVersionEvaluated, promotionRejected, rolloutStepped, servingLoadFailed, servingActivated],
  },
  { service: 'trainer', group: 'trainer', reads: [driftDetected, performanceDegraded] },
  {
    service: 'promoter',
    group: 'promoter',
    reads: [modelVersionRegistered, modelPromoted, modelRolledBack, modelVersionDeleted, servingActivated, servingLoadFailed],
  },
  { service: 'inference', group: null, reads: [servingStateChanged] },
  { service: 'drift-monitor', group: 'drift-monitor', reads: [inferenceLogged] },
  { service: 'drift-monitor', group: 'drift-monitor.serving', reads: [servingStateChanged] },
  {
    service: 'gateway',
    group: null,
    reads: eventCatalogue.filter((definition) => definition.type !== servingObserved.type && !notShown.includes(definition.topic)),
  },
]
