import { emptyResponse } from '@millrace/contracts/http/tracking.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import type { RegistryDeps } from './deps.ts'
import { isDeterministic, pauseMs } from './register-version.ts'
import { callSeal } from './seal-artifact.ts'
import { type PinRelease, postponeRelease, removePinRelease } from './store/pins.ts'

export type ReleaseDeps = Pick<RegistryDeps, 'database' | 'clock' | 'log' | 'tracking' | 'config'>

/** Tells tracking that a deleted version no longer needs its sealed files. */
export const createReleasePin = (deps: ReleaseDeps) =>
  async function releasePin(release: PinRelease, signal: AbortSignal): Promise<void> {
    try {
      await tell(deps, release, signal)
      await removePinRelease(deps.database, release.id)
    } catch (error) {
      if (isDeterministic(error)) {
        // There is nothing under this name to let go of.
        deps.log.warn('a pin could not be released and is forgotten', { holder: release.holder, code: error.code, reason: error.message })
        await removePinRelease(deps.database, release.id)
        return
      }
      await postponeRelease(deps.database, release.id, new Date(deps.clock().getTime() + pauseMs(release.attempts)))
      const report = error instanceof TransientError || signal.aborted ? deps.log.warn : deps.log.error
      report('a pin could not be released and is tried again', { holder: release.holder, attempts: release.attempts + 1, error })
    }
  }

async function tell(deps: ReleaseDeps, { holder, source, sha256 }: PinRelease, signal: AbortSignal): Promise<void> {
  const digest = sha256 ?? (await callSeal(deps, source, holder, signal)).sha256
  const headers = { 'idempotency-key': `release:${holder}:${digest}` }
  await deps.tracking.call({
    method: 'POST',
    path: '/api/v1/artifacts/releases',
    body: { sha256: digest, holder },
    headers,
    response: emptyResponse.optional(),
    signal,
  })
}
