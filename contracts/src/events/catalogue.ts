import { driftDetected, driftResolved, labelReceived, performanceDegraded } from './drift-events.ts'
import type { EventDefinition } from './event.ts'
import {
  modelAliasChanged,
  modelPromoted,
  modelRolledBack,
  modelVersionDeleted,
  modelVersionRegistered,
  modelVersionStageChanged,
  servingStateChanged,
} from './model-events.ts'
import { openLineageRun } from './openlineage-events.ts'
import { modelVersionEvaluated, promotionRejected, rolloutStepped } from './promotion-events.ts'
import { runFinished, runStarted } from './run-events.ts'
import { inferenceLogged, servingActivated, servingLoadFailed, servingObserved } from './serving-events.ts'
import { trainingFailed, trainingFinished, trainingRequested, trainingStarted } from './training-events.ts'

/** Every event that Millrace publishes. */
export const eventCatalogue: readonly EventDefinition[] = [
  runStarted,
  runFinished,
  modelVersionRegistered,
  modelVersionStageChanged,
  modelAliasChanged,
  modelPromoted,
  modelRolledBack,
  modelVersionDeleted,
  servingStateChanged,
  modelVersionEvaluated,
  promotionRejected,
  rolloutStepped,
  servingActivated,
  servingLoadFailed,
  servingObserved,
  inferenceLogged,
  driftDetected,
  driftResolved,
  performanceDegraded,
  labelReceived,
  trainingRequested,
  trainingStarted,
  trainingFinished,
  trainingFailed,
  openLineageRun,
]
