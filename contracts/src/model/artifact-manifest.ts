import { z } from 'zod'
import { sha256 } from '../events/fields.ts'

/**
 * The sealed list of an artifact's files, sorted by path (code units). Its canonical bytes are `JSON.stringify` of exactly
 * `{schemaVersion, files: [{path, sizeBytes, sha256}]}` in this key order, UTF-8; `artifact.sha256` is the digest of those bytes, stored as a blob like any other.
 */
export const artifactManifest = z.looseObject({
  schemaVersion: z.literal(1),
  files: z.array(z.looseObject({ path: z.string().min(1).max(1024), sizeBytes: z.int().nonnegative(), sha256 })).max(10_000),
})
export type ArtifactManifest = z.infer<typeof artifactManifest>
export type ManifestFile = ArtifactManifest['files'][number]

/** Canonical bytes of a manifest, whatever order the files came in. */
export function canonicalManifest(files: readonly ManifestFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return JSON.stringify({ schemaVersion: 1, files: sorted.map(({ path, sizeBytes, sha256: digest }) => ({ path, sizeBytes, sha256: digest })) })
}
