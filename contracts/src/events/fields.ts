import { z } from 'zod'

/** RFC 3339 in UTC. */
export const timestamp = z.iso.datetime()
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/** Names a sealed manifest: `sha256` is the digest of the manifest's canonical JSON, which lists every file with its own digest. */
export const artifact = z.looseObject({
  uri: z.string(),
  sha256,
  sizeBytes: z.int().nonnegative(),
  format: z.string().meta({ 'x-known-values': ['onnx', 'onnx-chain'] }),
})
export type Artifact = z.infer<typeof artifact>

/** A data set that a run read. `digest` is the full digest of its bytes where the writer knows it. */
export const datasetRef = z.looseObject({
  name: z.string(),
  digest: z.string(),
  context: z.string().nullable(),
  /** MLflow's kind of source, such as `local`, `s3`, `dvc`, and where the data lies in its own terms. */
  sourceType: z.string().optional(),
  source: z.string().optional(),
  /** As its profile says. */
  rows: z.int().nonnegative().optional(),
})

/** A named test of a gate with the figures that decided it. */
export const gateResult = z.looseObject({
  gate: z.string().meta({
    'x-known-values': ['metric', 'champion', 'signature', 'size', 'latency', 'parity'],
  }),
  outcome: z.string().meta({ 'x-known-values': ['pass', 'fail', 'skipped'] }),
  message: z.string(),
  measured: z.number().nullable(),
  limit: z.number().nullable(),
  evidence: z.record(z.string(), z.unknown()),
})
export type GateResult = z.infer<typeof gateResult>

export const featureDrift = z.looseObject({
  feature: z.string(),
  kind: z.string().meta({ 'x-known-values': ['numeric', 'categorical'] }),
  /** Population stability index on the reference's bins. */
  psi: z.number(),
  /** Second view of the effect: Wasserstein-1 over the reference's standard deviation, or Jensen-Shannon distance (natural logarithm). */
  distance: z.number(),
  pValue: z.number(),
  adjustedPValue: z.number(),
  drifted: z.boolean(),
  severity: z.string().meta({ 'x-known-values': ['none', 'warning', 'critical'] }),
})
export type FeatureDrift = z.infer<typeof featureDrift>
