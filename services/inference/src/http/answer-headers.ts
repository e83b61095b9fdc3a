import { HEADER_ARM, HEADER_CACHED, HEADER_GENERATION, HEADER_MODEL_VERSION, HEADER_PREDICTION_ID } from '@millrace/contracts/http/inference.ts'
import type { InferenceResult } from '../run-inference.ts'

/** Which version answered, in which arm, under which generation, and whether it was there already; so that bodies stay pure. */
export const answerHeaders = ({ chosen: { arm, name }, cached }: Pick<InferenceResult, 'chosen' | 'cached'>, predictionId: string): Record<string, string> => ({
  [HEADER_CACHED]: String(cached),
  [HEADER_MODEL_VERSION]: arm.version,
  [HEADER_ARM]: name,
  [HEADER_GENERATION]: String(arm.generation),
  [HEADER_PREDICTION_ID]: predictionId,
})
