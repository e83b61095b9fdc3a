import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { done, type Handle, skip } from '@millrace/platform/events/handler.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { addVersion } from './add-version.ts'
import { addModel } from './create-model.ts'
import type { RegistryDeps } from './deps.ts'
import { type AutomaticVersion, registrationOf } from './domain/automatic-registration.ts'
import { snapshotOfEvent } from './domain/run-snapshot.ts'
import { lockModel } from './load-model.ts'
import { findModel } from './store/models.ts'
import { claimSource, hasSource } from './store/registration.ts'

/**
 * Registers the model of a run that is tagged for it and ended FINISHED: once per model and source, however often the run finishes. The files are sealed by
 * the registration job afterwards.
 */
export const onRunFinished = (deps: Pick<RegistryDeps, 'clock' | 'log'>): Handle<RunFinished> =>
  async function onRunFinished(event, tx) {
    const registration = registrationOf(event.data)
    if (registration.kind === 'none') return skip(registration.reason)
    if (registration.kind === 'invalid') {
      deps.log.warn('a run asks to be registered in a way that cannot be', { runId: event.data.runId, reason: registration.reason })
      return skip('invalid-registration-tag')
    }
    return (await register(deps, tx, registration.version, event.data, event.id)) ? done : skip('already-registered')
  }

async function register(deps: Pick<RegistryDeps, 'clock' | 'log'>, tx: Sql, wanted: AutomaticVersion, run: RunFinished, eventId: string): Promise<boolean> {
  const now = deps.clock()
  const actor = { user: run.user || 'registry', requestId: eventId }
  const { model, source, storageLocation, tags, description } = wanted
  if (!(await findModel(tx, model))) await addModel(tx, { name: model, description: '', tags: {}, actor }, now)
  const locked = await lockModel(tx, model)
  if (await hasSource(tx, locked.row.id, source, storageLocation)) return false
  if (!(await claimSource(tx, model, source, locked.lastVersion + 1, now))) return false
  const snapshot = snapshotOfEvent(run)
  const intent = { source, storageLocation, sealSource: source, expectedSha256: null, runId: run.runId, runLink: '', loggedModelId: null }
  const { version } = await addVersion(tx, locked, { ...intent, description, tags, automatic: true, run: snapshot }, { actor, now, attemptAt: now })
  deps.log.info('run registered itself', { model, version, runId: run.runId })
  return true
}
