import type { TrainingParameters } from '@millrace/contracts/http/trainer.ts'
import type { TrainerConfig } from './config.ts'
import { settingsOf } from './learning/settings.ts'
import type { TrainingJob } from './learning/training-job.ts'
import { resolveUnderRoots } from './resolve-data.ts'

const DEFAULT_SEED = 1
const BACKBONE = 'put the ONNX file of the backbone there'

/**
 * The parameters of a job as the engine takes them. The same seed for every attempt, so that a retry learns the same.
 * @throws AppError INVALID_PARAMETER_VALUE for a setting out of range or a backbone outside the roots
 */
export async function trainingSettings(config: TrainerConfig, parameters: TrainingParameters, dataRoot: string, outputDir: string): Promise<TrainingJob> {
  const { seed = DEFAULT_SEED, backbone, epochs, batchSize, learningRate, hiddenUnits } = parameters
  const given = Object.entries({ epochs, batchSize, learningRate, hiddenUnits }).filter(([, value]) => value !== undefined)
  const backbonePath =
    backbone === undefined ? null : await resolveUnderRoots([...config.TRAINER_BACKBONE_ROOTS, ...config.TRAINER_DATA_ROOTS], backbone, BACKBONE)
  const job: TrainingJob = { dataRoot, outputDir, seed, backbonePath, ...Object.fromEntries(given) }
  settingsOf(job)
  return job
}
