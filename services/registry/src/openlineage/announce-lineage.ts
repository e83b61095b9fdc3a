import { type OpenLineageRun, openLineageRun } from '@millrace/contracts/events/openlineage-events.ts'
import type { RunFinished } from '@millrace/contracts/events/run-events.ts'
import { problemsOfRunEvent } from '@millrace/contracts/openlineage/check-run-event.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { RegistryDeps } from '../deps.ts'
import {
  describeRegistration,
  describeTrainingRun,
  partitionKeyOf,
  type RegisteredVersion,
  type RunContext,
  type TrainingRun,
} from '../domain/openlineage-run.ts'
import { insertDelivery } from './delivery-store.ts'
import { nameUuid, runUuid } from './run-uuid.ts'
import { markFinished, markStarted, versionsOfRun } from './store.ts'

export type LineageDeps = Pick<RegistryDeps, 'publish' | 'clock' | 'log' | 'config'>

/** Above it the outbox would refuse the event, and with it the registration that it tells of. */
const MAX_BYTES = 800 * 1024
const PARENT_TAG = 'mlflow.parentRunId'

const contextOf = ({ config }: LineageDeps, run: TrainingRun, uuid: string, at: string): Omit<RunContext, 'versions'> => {
  const parent = run.tags[PARENT_TAG]
  return { namespace: config.REGISTRY_OPENLINEAGE_NAMESPACE, runUuid: uuid, parentUuid: parent === undefined ? null : runUuid(parent, 0), at }
}

/** Tells OpenLineage that a run began, in the caller's transaction. */
export async function announceStart(deps: LineageDeps, tx: Sql, run: TrainingRun, at: Date): Promise<void> {
  if (!(await markStarted(tx, run.runId))) return
  await say(deps, tx, describeTrainingRun(run, { ...contextOf(deps, run, runUuid(run.runId, 0), run.startTime ?? at.toISOString()), versions: [] }))
}

/** Tells OpenLineage that a run ended, with what it read and the versions it became; where it never heard of the beginning, of that too. */
export async function announceEnd(deps: LineageDeps, tx: Sql, run: RunFinished, at: Date): Promise<void> {
  const { finishesBefore, wasStarted } = await markFinished(tx, run.runId)
  const context = contextOf(deps, run, runUuid(run.runId, finishesBefore), at.toISOString())
  if (!wasStarted) {
    const { status: _ended, endTime: _end, ...begun } = run
    await say(deps, tx, describeTrainingRun({ ...begun, metrics: {}, outputs: [] }, { ...context, at: run.startTime ?? context.at, versions: [] }))
  }
  await say(deps, tx, describeTrainingRun(run, { ...context, versions: await versionsOfRun(tx, run.runId) }))
}

/** Tells OpenLineage that files became a version, whether the run that wrote them has ended or not. */
export async function announceRegistration(deps: LineageDeps, tx: Sql, registered: RegisteredVersion & { readonly runId: string }): Promise<void> {
  const parentUuid = registered.runId === '' ? null : runUuid(registered.runId, 0)
  const uuid = nameUuid(`version:${registered.model}/${registered.version}`)
  const context = { namespace: deps.config.REGISTRY_OPENLINEAGE_NAMESPACE, runUuid: uuid, parentUuid, at: deps.clock().toISOString() }
  await say(deps, tx, describeRegistration(registered, context))
}

/** What is not an event by OpenLineage's own rules is told to nobody; it holds up nothing. */
async function say(deps: LineageDeps, tx: Sql, event: OpenLineageRun): Promise<void> {
  const body = JSON.stringify(event)
  const problems = Buffer.byteLength(body) > MAX_BYTES ? [`it has more than ${MAX_BYTES} bytes`] : problemsOfRunEvent(event)
  if (problems.length > 0) {
    deps.log.error('a lineage event is none by the rules of OpenLineage and was left out', { runId: event.run.runId, problems: problems.slice(0, 5) })
    return
  }
  await deps.publish(tx, { definition: openLineageRun, subject: partitionKeyOf(event), data: event })
  if (deps.config.REGISTRY_OPENLINEAGE_URL) await insertDelivery(tx, body, deps.clock())
}
