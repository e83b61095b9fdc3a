import { type ReferenceProfile, referenceProfile } from '@millrace/contracts/model/reference-profile.ts'
import type { Sql } from '@millrace/platform/sql/sql.ts'

export async function saveReference(tx: Sql, artifactSha256: string, profile: ReferenceProfile, now: Date): Promise<void> {
  await tx.query('insert into reference (artifact_sha256, profile, loaded_at) values ($1, $2, $3) on conflict do nothing', [
    artifactSha256,
    JSON.stringify(profile),
    now,
  ])
}

export type ReadReference = (sql: Sql, artifactSha256: string | null) => Promise<ReferenceProfile | null>

const KEPT = 50

/** Reads stored profiles and keeps the newest in memory: they never change. */
export function createReadReference(): ReadReference {
  const kept = new Map<string, ReferenceProfile>()
  return async function readReference(sql, artifactSha256) {
    if (artifactSha256 === null) return null
    const known = kept.get(artifactSha256)
    if (known) return known
    const [row] = await sql.query<{ profile: unknown }>('select profile from reference where artifact_sha256 = $1', [artifactSha256])
    if (!row) return null
    const profile = referenceProfile.parse(row.profile)
    if (kept.size >= KEPT) kept.clear()
    kept.set(artifactSha256, profile)
    return profile
  }
}
