/** Where a data set lies and how a head is trained on it. All but the first three have defaults. */
export interface TrainingJob {
  /** Folder with `train/<class>/*`, `val/<class>/*`, `test/<class>/*`, and optionally `labels.json` (class to display label). */
  readonly dataRoot: string
  /** Folder that receives `model/` (the artifact) and `report/`; made where it is missing. */
  readonly outputDir: string
  readonly seed: number
  /** ONNX file that turns images into features, with an optional `<file>.json` or `<name>.json` beside it; null is the shipped one. */
  readonly backbonePath?: string | null
  readonly epochs?: number
  /** Epochs without a better validation loss after which training stops; the best epoch's weights are kept. */
  readonly patience?: number
  readonly batchSize?: number
  readonly learningRate?: number
  /** Width of the hidden layer; 0 trains a linear head. */
  readonly hiddenUnits?: number
  /** Share of features and hidden units that are left out of each training step. */
  readonly dropout?: number
  readonly weightDecay?: number
  /** Trains on the mirror image of each picture too. */
  readonly mirror?: boolean
  /** What the report says about where the run comes from: job, cause, commit, lockfile digest, model. Changes nothing in the weights. */
  readonly origin?: Readonly<Record<string, string>>
}

export type TrainingSettings = Required<Omit<TrainingJob, 'backbonePath'>> & { readonly backbonePath: string }

/** One epoch as it is reported while training goes on; names are the metric keys. */
export interface EpochReport {
  readonly epoch: number
  readonly loss: number
  readonly accuracy: number
  readonly val_loss: number
  readonly val_accuracy: number
}

export type TrainingPhase = 'reading' | 'training' | 'exporting' | 'evaluating'

/** What a training tells while it runs. `done` of `total` counts images while reading and epochs while training. */
export type TrainingProgress =
  | { readonly kind: 'phase'; readonly phase: TrainingPhase; readonly done: number; readonly total: number }
  | { readonly kind: 'epoch'; readonly report: EpochReport }
  | { readonly kind: 'warning'; readonly message: string }

export type ReportProgress = (progress: TrainingProgress) => void

export interface DatasetSummary {
  /** sha256 over the sorted lines `<relative path> <sha256 of the file>`; the full 64 hex digits. */
  readonly digest: string
  readonly classes: readonly string[]
  readonly rows: { readonly train: number; readonly val: number; readonly test: number }
  /** Relative paths of files that are no readable image; they were left out. */
  readonly unreadable: readonly string[]
  readonly bytes: number
}

/** Metrics of a finished training; beside the named ones, `recall.<class>` for every class with test rows. */
export type TrainedMetrics = Readonly<Record<string, number>> & {
  readonly test_accuracy: number
  readonly test_loss: number
  readonly best_epoch: number
  /** Bytes of the ONNX files. */
  readonly model_size_bytes: number
  /** Median of one image through the exported chain on one thread, without decoding. */
  readonly inference_latency_ms: number
  readonly training_time_s: number
  /** Greatest resident memory of the whole process so far. */
  readonly peak_memory_mb: number
}

/** The finished model: what was written where, and the metrics to log. */
export interface TrainedModel {
  /** Folder of the artifact: everything in it belongs to the model. */
  readonly modelDir: string
  readonly modelFiles: readonly string[]
  readonly reportDir: string
  readonly reportFiles: readonly string[]
  readonly dataset: DatasetSummary
  readonly parameters: Readonly<Record<string, string>>
  readonly metrics: TrainedMetrics
  readonly epochs: readonly EpochReport[]
  /** sha256 of `head.onnx`: equal for equal seed, data and backbone. */
  readonly headSha256: string
}
