import type { Sql } from '@millrace/platform/sql/sql.ts'
import type { Actor } from './actor.ts'
import type { RunSnapshot } from './domain/run-snapshot.ts'
import type { LockedModel } from './load-model.ts'
import { appendAudit } from './store/audit.ts'
import { type Tags, touchModel } from './store/models.ts'
import { saveLastVersion } from './store/serving.ts'
import { insertVersion } from './store/versions.ts'
import { announceChange } from './webhooks/announce-change.ts'

/** A version to be: its files are not sealed yet. */
export interface VersionIntent {
  readonly source: string
  readonly storageLocation: string
  /** What tracking is asked to seal; null where there is nothing that it could. */
  readonly sealSource: string | null
  readonly expectedSha256: string | null
  readonly runId: string
  readonly runLink: string
  readonly loggedModelId: string | null
  readonly description: string
  readonly tags: Tags
  readonly automatic: boolean
  readonly run: RunSnapshot | null
}

/**
 * Adds a version in state PENDING_REGISTRATION to a locked model. Its number is one above every number that the name ever had. The row is the intent that
 * the job works off from `attemptAt` on.
 */
export async function addVersion(
  tx: Sql,
  { row, lastVersion }: LockedModel,
  intent: VersionIntent,
  context: { actor: Actor; now: Date; attemptAt: Date },
): Promise<{ id: number; version: number }> {
  const { actor, now, attemptAt } = context
  const version = lastVersion + 1
  const pinHolder = `registry:${row.name}/${version}`
  const id = await insertVersion(tx, { ...intent, modelId: row.id, version, user: actor.user, pinHolder, attemptAt }, now)
  await saveLastVersion(tx, row.name, version)
  await touchModel(tx, row.id, now)
  const { source, runId, tags, description } = intent
  await announceChange(tx, { kind: 'version-created', name: row.name, version, source, runId, tags, description }, now)
  const details = {
    source: intent.source,
    ...(intent.runId ? { runId: intent.runId } : {}),
    ...(intent.automatic ? { automatic: true, policy: intent.tags['registration_policy'] } : {}),
  }
  await appendAudit(tx, actor, now, { action: 'create-version', model: row.name, modelId: row.id, version, to: 'PENDING_REGISTRATION', details })
  return { id, version }
}
