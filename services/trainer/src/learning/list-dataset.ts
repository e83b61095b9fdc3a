import type { Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Label } from '@millrace/contracts/model/model-spec.ts'
import { AppError } from '@millrace/platform/errors.ts'

export const splits = ['train', 'val', 'test'] as const
export type Split = (typeof splits)[number]

/** One file of the data set. `id` is its path below the root with forward slashes: `test/esox_lucius/001.jpg`. */
export interface DatasetFile {
  readonly id: string
  readonly path: string
  readonly split: Split
  readonly class: string
}

export interface DatasetListing {
  readonly root: string
  /** Folder names below `train/`, sorted. */
  readonly classes: readonly string[]
  readonly files: readonly DatasetFile[]
}

const layout = 'expected train/<class>/*, val/<class>/* and test/<class>/* with image files'

const refuse = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

async function entries(folder: string): Promise<Dirent[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true })
    return found.filter(({ name }) => !name.startsWith('.')).sort((a, b) => byCodeUnit(a.name, b.name))
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', `The data folder '${folder}' cannot be read: ${layout}`, { cause })
  }
}

/** Links are not followed: they could lead out of the folders that training may read. */
async function listSplit(root: string, split: Split): Promise<DatasetFile[]> {
  const classes = (await entries(join(root, split))).filter((entry) => entry.isDirectory())
  const found: DatasetFile[] = []
  for (const { name } of classes) {
    const files = (await entries(join(root, split, name))).filter((entry) => entry.isFile())
    found.push(...files.map((file) => ({ id: `${split}/${name}/${file.name}`, path: join(root, split, name, file.name), split, class: name })))
  }
  return found
}

async function checkRoot(root: string): Promise<void> {
  const found = await stat(root).catch(() => null)
  if (!found) throw refuse(`The data folder '${root}' does not exist: ${layout}`)
  if (!found.isDirectory()) throw refuse(`'${root}' is not a folder: ${layout}`)
  const folders = (await entries(root)).filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const missing = splits.filter((split) => !folders.includes(split))
  if (missing.length > 0) throw refuse(`The data folder '${root}' has no ${missing.map((split) => `'${split}'`).join(', ')} folder: ${layout}`)
}

function checkClasses(root: string, files: readonly DatasetFile[], classes: readonly string[]): void {
  for (const split of splits) {
    if (!files.some((file) => file.split === split)) throw refuse(`The '${split}' folder of '${root}' holds no files: ${layout}`)
  }
  if (classes.length < 2) throw refuse(`'${root}/train' has one class only ('${classes[0]}'); a classifier needs at least two class folders with images`)
  const strange = files.find((file) => !classes.includes(file.class))
  if (strange) throw refuse(`'${strange.id}' is of the class '${strange.class}', which 'train' does not have; every class needs training images`)
}

/**
 * The files of a data set, sorted by path.
 * @throws AppError INVALID_PARAMETER_VALUE when the folder is missing, empty or has one class only
 */
export async function listDataset(root: string): Promise<DatasetListing> {
  await checkRoot(root)
  const files: DatasetFile[] = []
  for (const split of splits) files.push(...(await listSplit(root, split)))
  files.sort((a, b) => byCodeUnit(a.id, b.id))
  const classes = [...new Set(files.filter(({ split }) => split === 'train').map((file) => file.class))].sort(byCodeUnit)
  checkClasses(root, files, classes)
  return { root, classes, files }
}

/** Display labels from `labels.json` in the root; a class that it does not name, and every class where there is no such file, is its own label. */
export async function readLabels({ root, classes }: DatasetListing): Promise<Label[]> {
  const text = await readFile(join(root, 'labels.json'), 'utf8').catch(() => '{}')
  const labels = new Map<string, string>()
  try {
    const parsed: unknown = JSON.parse(text)
    for (const [name, label] of Object.entries(parsed ?? {})) if (typeof label === 'string' && label !== '') labels.set(name, label)
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', `'${join(root, 'labels.json')}' is not JSON; expected an object of class name to label`, { cause })
  }
  return classes.map((name) => ({ class: name, label: labels.get(name) ?? name }))
}
