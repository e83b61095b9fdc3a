import { checkAcknowledged } from './check-acknowledged.ts'
import { checkConvergence } from './check-convergence.ts'
import { checkDeadLetters } from './check-dead-letters.ts'
import { checkDelivery, checkOrder } from './check-events.ts'
import { checkGenerations } from './check-generations.ts'
import { checkOnce } from './check-once.ts'
import { checkAnswers, checkSwaps } from './check-predictions.ts'
import type { Evidence, Violation } from './evidence.ts'

const checks = [checkGenerations, checkAcknowledged, checkOnce, checkDelivery, checkOrder, checkConvergence, checkAnswers, checkSwaps, checkDeadLetters]

/** Every violation of the invariants I1 to I9; none where the faults did no harm. */
export const checkAll = (evidence: Evidence): Violation[] => checks.flatMap((check) => check(evidence))
