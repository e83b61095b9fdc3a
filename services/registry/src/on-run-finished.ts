import type { Event } from '@millrace/contracts/events/event.ts'
import type { RunFinished, RunStarted } from '@millrace/contracts/events/run-events.ts'
import { done, type Handle, type Outcome, skip } from '@millrace/platform/events/handler.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import { addVersion } from './add-version.ts'
import { addModel } from './create-model.ts'
import type { RegistryDeps } from './deps.ts'
import { type AutomaticVersion, type Registration, registrationByPolicy, registrationOf } from './domain/automatic-registration.ts'
import { snapshotOfEvent } from './domain/run-snapshot.ts'
import { lockModel } from './load-model.ts'
import { announceEnd, announceStart, type LineageDeps } from './openlineage/announce-lineage.ts'
import { policyOf } from './registration-policies/manage-policies.ts'
import { listPolicies } from './registration-policies/store.ts'
import { findModel } from './store/models.ts'
import { claimSource, hasSource } from './store/registration.ts'
import { lockServing } from './store/serving.ts'

type RunDeps = Pick<RegistryDeps, 'clock' | 'log'> & LineageDeps

/** Tells OpenLineage that a run began. */
export const onRunStarted = (deps: LineageDeps): Handle<RunStarted> =>
  async function onRunStarted({ data, time }, tx) {
    await announceStart(deps, tx, data, time)
    return done
  }

/**
 * Registers the model of a run that ended FINISHED and is tagged for it, or that a policy matches: once per model and source, however often the run finishes.
 * The files are sealed by the registration job afterwards. Tells OpenLineage of the run's end, with the versions that it became.
 */
export const onRunFinished = (deps: RunDeps): Handle<RunFinished> =>
  async function onRunFinished(event, tx) {
    const outcome = await registerRun(deps, event, tx)
    await announceEnd(deps, tx, event.data, event.time)
    return outcome
  }

async function registerRun(deps: RunDeps, event: Event<RunFinished>, tx: Sql): Promise<Outcome> {
  const tagged = registrationOf(event.data)
  const asked = [tagged, ...(await registrationsByPolicy(tx, event.data))]
  for (const each of asked) {
    if (each.kind === 'invalid') deps.log.warn('a run asks to be registered in a way that cannot be', { runId: event.data.runId, reason: each.reason })
  }
  const wanted = wantedVersions(asked)
  if (wanted.length === 0) return nothingWanted(tagged)
  // Before anything else is written, and in one order, so that two runs that register several models each cannot wait for one another.
  for (const { model } of wanted) await lockServing(tx, model)
  let registered = 0
  for (const version of wanted) registered += Number(await register(deps, tx, version, event.data, event.id))
  return registered > 0 ? done : skip('already-registered')
}

async function registrationsByPolicy(tx: Sql, run: RunFinished): Promise<Registration[]> {
  const rows = await listPolicies(tx)
  return rows.filter((row) => row.enabled).map((row) => registrationByPolicy(run, policyOf(row)))
}

/** One per model: the run's own tag first, then the first policy by name. */
function wantedVersions(asked: readonly Registration[]): AutomaticVersion[] {
  const versions = asked.flatMap((each) => (each.kind === 'version' ? [each.version] : []))
  const first = versions.filter(({ model }, index) => versions.findIndex((other) => other.model === model) === index)
  return first.sort((left, right) => (left.model < right.model ? -1 : 1))
}

const nothingWanted = (tagged: Registration): Outcome =>
  tagged.kind === 'invalid' ? skip('invalid-registration-tag') : skip(tagged.kind === 'none' ? tagged.reason : 'not-matched')

async function register(deps: RunDeps, tx: Sql, wanted: AutomaticVersion, run: RunFinished, eventId: string): Promise<boolean> {
  const now = deps.clock()
  const actor = { user: run.user || 'registry', requestId: eventId }
  const { model, source, storageLocation, tags, description, loggedModelId } = wanted
  if (!(await findModel(tx, model))) await addModel(tx, { name: model, description: '', tags: {}, actor }, now)
  const locked = await lockModel(tx, model)
  if (await hasSource(tx, locked.row.id, source, storageLocation)) return false
  if (!(await claimSource(tx, model, source, locked.lastVersion + 1, now))) return false
  const snapshot = snapshotOfEvent(run)
  const intent = { source, storageLocation, sealSource: source, expectedSha256: null, runId: run.runId, runLink: '', loggedModelId }
  const { version } = await addVersion(tx, locked, { ...intent, description, tags, automatic: true, run: snapshot }, { actor, now, attemptAt: now })
  deps.log.info('run registered itself', { model, version, runId: run.runId, policy: wanted.policy })
  return true
}
