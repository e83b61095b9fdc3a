import { standing } from '@millrace/contracts/http/promoter.ts'
import { holdsPromotion } from '@millrace/platform/access/rights.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Caller } from '@millrace/platform/http/identity.ts'
import { isPerson } from './actor.ts'
import type { RegistryDeps } from './deps.ts'

const TIMEOUT_MS = 5_000

/**
 * Asks the promoter, before any transaction, which gates a person's own promotion would skip. A refusal or fault is kept for later, so that a repeated
 * request still gets its stored answer first: the returned function answers the names of the gates, or throws.
 * @throws AppError PERMISSION_DENIED where the caller has no right to promote
 */
export const createAskStanding = ({ promoter }: Pick<RegistryDeps, 'promoter'>) =>
  async function askStanding(model: string, version: number, caller: Caller): Promise<() => readonly string[]> {
    refuseWithoutRight(caller, model)
    if (!isPerson(caller)) return () => []
    const path = `/api/v1/promotions/models/${encodeURIComponent(model)}/versions/${version}/standing`
    const asked = await promoter.call({ method: 'GET', path, response: standing, timeoutMs: TIMEOUT_MS }).then(
      (answer) => ({ kind: 'answered' as const, answer }),
      (error: unknown) => ({ kind: 'failed' as const, error }),
    )
    return () => {
      if (asked.kind === 'failed') throw asked.error
      const { directPromotion, policyVersion, missingGates } = asked.answer
      if (directPromotion === 'forbidden') throw forbidden(model, version, policyVersion)
      return missingGates
    }
  }

function refuseWithoutRight(caller: Caller, model: string): void {
  if (holdsPromotion(caller, { kind: 'model', name: model })) return
  const message = `Moving a version to Production needs the role 'promoter' or 'admin', or the right to promote '${model}'; '${caller.user}' has '${caller.role}'. Ask somebody with that right, or let the model's promotion policy do it.`
  throw new AppError('PERMISSION_DENIED', message)
}

const forbidden = (model: string, version: number, policyVersion: number): AppError =>
  new AppError(
    'PERMISSION_DENIED',
    `The promotion policy of model '${model}' (version ${policyVersion}) forbids moving a version to Production by hand. Approve its promotion decision instead (GET /api/v1/promotions/decisions?model=${encodeURIComponent(model)}&version=${version}), or change directPromotion in the policy.`,
  )
