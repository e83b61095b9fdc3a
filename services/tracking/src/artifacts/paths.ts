import type { AppError } from '@millrace/platform/errors.ts'
import { cleanArtifactPath, INVALID_PATH } from '../domain/artifact-path.ts'
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
