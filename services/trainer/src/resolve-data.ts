import { lstat, opendir, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { AppError } from '@millrace/platform/errors.ts'
import { type DatasetListing, listDataset } from './learning/list-dataset.ts'

const refuse = (message: string, cause?: unknown): AppError => new AppError('INVALID_PARAMETER_VALUE', message, { cause })

const isInside = (root: string, path: string): boolean => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)

const DATASET = 'give a folder with train/<class>/*, val/<class>/* and test/<class>/*'

/**
 * The real path of something that training may read. Relative paths are looked for in every root; `expected` says what should be there.
 * @throws AppError INVALID_PARAMETER_VALUE for `..`, a path outside the roots, a symbolic link on the way, or nothing there
 */
export async function resolveUnderRoots(roots: readonly string[], asked: string, expected = DATASET): Promise<string> {
  if (asked.includes('\0') || asked.split(/[\\/]/).includes('..')) throw refuse(`${JSON.stringify(asked)} is refused: a path may not contain '..' or NUL`)
  const candidates = roots.flatMap((root) => {
    const path = resolve(root, asked)
    return isInside(resolve(root), path) ? [{ root: resolve(root), path }] : []
  })
  const allowed = roots.length > 0 ? roots.map((root) => `'${root}'`).join(', ') : 'none is configured'
  if (candidates.length === 0) throw refuse(`${JSON.stringify(asked)} lies outside the folders that training may read (${allowed})`)
  for (const { root, path } of candidates) {
    const real = await realpath(path).catch(() => null)
    if (real === null) continue
    // The root itself may be a link; below it none is followed, because it could lead anywhere.
    if (real !== join(await realpath(root), relative(root, path)))
      throw refuse(`${JSON.stringify(asked)} is reached through a symbolic link, which is not followed`)
    return real
  }
  const where = isAbsolute(asked) ? '' : ` under ${allowed}`
  throw refuse(`There is nothing at ${JSON.stringify(asked)}${where}: ${expected}`)
}

/** @throws AppError INVALID_PARAMETER_VALUE naming the first symbolic link in the folder */
async function refuseLinks(root: string): Promise<void> {
  if (!(await lstat(root)).isDirectory()) return
  for await (const entry of await opendir(root, { recursive: true })) {
    if (entry.isSymbolicLink()) {
      throw refuse(`The data folder holds the symbolic link '${relative(root, join(entry.parentPath, entry.name))}': put the file itself there`)
    }
  }
}

/**
 * A data set that may be trained on, listed.
 * @throws AppError INVALID_PARAMETER_VALUE saying what is wrong: where it lies, links, nothing in it, one class only
 */
export async function resolveDataset(roots: readonly string[], asked: string): Promise<DatasetListing> {
  const root = await resolveUnderRoots(roots, asked)
  await refuseLinks(root)
  return listDataset(root)
}
