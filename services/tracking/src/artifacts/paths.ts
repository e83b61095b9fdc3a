import type { AppError } from '@millrace/platform/errors.ts'
import { cleanArtifactPath, INVALID_PATH } from '../domain/artifact-path.ts'
import { proxiedPath } from '../domain/artifact-source.ts'
import { invalid } from '../refusals.ts'

export const invalidPath = (): AppError => invalid(INVALID_PATH)

/** `''` is the root. @throws AppError INVALID_PARAMETER_VALUE `Invalid path` */
export function requirePath(raw: string): string {
  const path = cleanArtifactPath(raw)
  if (path === null) throw invalidPath()
  return path
}

export function requireFilePath(raw: string): string {
  const path = requirePath(raw)
  if (path === '') throw invalidPath()
  return path
}

/** Where the files of a run or logged model lie in this store. @throws AppError INVALID_PARAMETER_VALUE for a root in another store */
export function requireProxied(root: string): string {
  const path = proxiedPath(root)
  if (path === null || path === '') {
    throw invalid(`The artifacts lie in another store (${root.split(':', 1)[0]}:), which this server does not read: use the client that wrote them`)
  }
  return path
}
