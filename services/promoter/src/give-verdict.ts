import { AppError } from '@millrace/platform/errors.ts'
import { type ApplyDeps, applyTransition } from './apply-transition.ts'
import type { PromoterDeps } from './deps.ts'
import { approve, type Decision, reject } from './domain/decision.ts'
import { findDecision, lockModel, type StoredDecision } from './store.ts'

const verdicts = { approve, reject } as const

export interface Verdict {
  readonly decisionId: string
  readonly verdict: keyof typeof verdicts
  readonly by: string
  readonly reason: string
}

export const unknownDecision = (decisionId: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', `There is no decision ${JSON.stringify(decisionId)}.`)

/**
 * A person's word on a decision that waits for it.
 * @throws AppError RESOURCE_DOES_NOT_EXIST; RESOURCE_CONFLICT when it does not wait for anybody
 */
export const createGiveVerdict = (deps: ApplyDeps & Pick<PromoterDeps, 'database'>) =>
  async function giveVerdict({ decisionId, verdict, by, reason }: Verdict): Promise<StoredDecision> {
    const found = await findDecision(deps.database, decisionId)
    if (!found) throw unknownDecision(decisionId)
    await deps.database.transaction(async (tx) => {
      await lockModel(tx, found.decision.model)
      const current = (await findDecision(tx, decisionId))?.decision ?? found.decision
      const transition = verdicts[verdict](current, by, reason)
      if (!transition) throw notWaiting(current, verdict)
      await applyTransition(deps, tx, transition)
    })
    return (await findDecision(deps.database, decisionId)) ?? found
  }

const notWaiting = ({ decisionId, state }: Decision, verdict: string): AppError =>
  new AppError(
    'RESOURCE_CONFLICT',
    `Decision ${decisionId} is '${state}': only one that is 'awaiting-approval' can be ${verdict === 'approve' ? 'approved' : 'rejected'}.`,
  )
