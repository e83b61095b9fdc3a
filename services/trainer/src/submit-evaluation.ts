import type { evaluationRequest } from '@millrace/contracts/http/trainer.ts'
import type { z } from 'zod'
import type { TrainerDeps } from './deps.ts'
import { findEvaluation, insertEvaluation, type StoredEvaluation } from './evaluation-store.ts'
import { unknownEvaluation } from './refusals.ts'

/** Puts an evaluation into the queue; the same key again answers with the same evaluation. */
export const createSubmitEvaluation = (deps: Pick<TrainerDeps, 'database' | 'once' | 'newId' | 'clock'>) =>
  async function submitEvaluation(request: z.infer<typeof evaluationRequest>, key: string | null): Promise<StoredEvaluation> {
    const evaluationId = await deps.database.transaction((tx) => {
      const insert = async (): Promise<string> => {
        const id = deps.newId()
        await insertEvaluation(tx, { ...request, evaluationId: id, now: deps.clock() })
        return id
      }
      return key === null ? insert() : deps.once(tx, `evaluations:${key}`, insert)
    })
    const stored = await findEvaluation(deps.database, evaluationId)
    if (!stored) throw unknownEvaluation(evaluationId)
    return stored
  }
