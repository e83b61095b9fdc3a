import { createAskStanding } from './ask-standing.ts'
import { createChangeModel } from './change-model.ts'
import { createChangeVersion } from './change-version.ts'
import { createCreateModel } from './create-model.ts'
import { createCreateVersion } from './create-version.ts'
import { createDeleteVersion } from './delete-version.ts'
import type { RegistryDeps } from './deps.ts'
import { createReadLineage } from './lineage/read-lineage.ts'
import type { RegisterVersion } from './register-version.ts'
import { createRollBack } from './roll-back.ts'
import { createSetRollout } from './set-rollout.ts'
import { createSetServingSettings } from './set-serving-settings.ts'
import { createTransitionStage } from './transition-stage.ts'

/** Everything that routes can ask for, wired once. */
export const createUseCases = (deps: RegistryDeps, registerVersion: RegisterVersion) => ({
  askStanding: createAskStanding(deps),
  changeModel: createChangeModel(deps),
  changeVersion: createChangeVersion(deps),
  createModel: createCreateModel(deps),
  createVersion: createCreateVersion(deps, registerVersion),
  deleteVersion: createDeleteVersion(deps),
  readLineage: createReadLineage(deps),
  rollBack: createRollBack(deps),
  setRollout: createSetRollout(deps),
  setServingSettings: createSetServingSettings(deps),
  transitionStage: createTransitionStage(deps),
  database: deps.database,
})
export type UseCases = ReturnType<typeof createUseCases>
