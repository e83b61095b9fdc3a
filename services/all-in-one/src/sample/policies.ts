import type { PromotionPolicy } from '@millrace/contracts/http/promoter.ts'
import type { RetrainingPolicy } from '@millrace/contracts/http/trainer.ts'

export const SAMPLE_MODEL = 'fish-classifier'

/** What the sample model must show before it may serve. */
export const samplePromotionPolicy: PromotionPolicy = {
  metrics: { test_accuracy: { min: 0.85 } },
  champion: { metric: 'accuracy', epsilon: 0.03 },
  signatureCompatible: true,
  maxSizeBytes: 100_000_000,
  maxLatencyMs: 250,
  parityTolerance: 1e-4,
  approval: 'auto',
  directPromotion: 'allowed',
}

/** Drift alone does not retrain: the same pictures would give the same model. It waits until somebody adds labelled ones. */
export const sampleRetrainingPolicy = (dataset: string): RetrainingPolicy => ({
  dataset,
  parameters: { seed: 1 },
  onDrift: 'warning',
  onPerformance: true,
  waitForNewData: true,
  cooldownMs: 60_000,
})
