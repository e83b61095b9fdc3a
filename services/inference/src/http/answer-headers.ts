import { HEADER_ARM, HEADER_GENERATION, HEADER_MODEL_VERSION, HEADER_PREDICTION_ID } from '@millrace/contracts/http/inference.ts'
import type { ChosenArm } from '../choose-arm.ts'

/** Which version answered, in which arm, under which generation; so that bodies stay pure. */
export const answerHeaders = ({ arm, name }: ChosenArm, predictionId: string): Record<string, string> => ({
  [HEADER_MODEL_VERSION]: arm.version,
  [HEADER_ARM]: name,
  [HEADER_GENERATION]: String(arm.generation),
  [HEADER_PREDICTION_ID]: predictionId,
})
