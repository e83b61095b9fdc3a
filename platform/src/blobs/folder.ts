import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, opendir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { crashPoint } from '../crash-point.ts'
import { AppError } from '../errors.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import type { BlobInfo, Blobs } from './blobs.ts'
import { errorCodeOf, explainDiskFault } from './disk-fault.ts'

export interface FolderBlobsOptions {
  /** Created where it is missing. Blobs live in `sha256/<first two digits>/<digest>`, uploads in progress in `tmp`: one filesystem, so that a rename is atomic. */
  readonly root: string
  /** Largest blob, unless a call sets its own limit. */
  readonly maxBytes?: number
}

const DIGEST = /^[0-9a-f]{64}$/
/** Uploads in progress in this very process: their temporary files are nobody's leftovers. */
const inProgress = new Set<string>()

/** Blobs in a folder. What a crashed process left half-written is removed here, and was never visible. @throws AppError STORAGE_FULL where the folder cannot be written */
export async function createFolderBlobs({ root, maxBytes = Number.MAX_SAFE_INTEGER }: FolderBlobsOptions): Promise<Blobs> {
  const tmp = join(root, 'tmp')
  const pathOf = (sha256: string): string => {
    if (!DIGEST.test(sha256)) throw new AppError('INVALID_PARAMETER_VALUE', 'A blob is named by its SHA-256: 64 lower-case hexadecimal digits.')
    return join(root, 'sha256', sha256.slice(0, 2), sha256)
  }
  await onDisk(root, async () => {
    await mkdir(join(root, 'sha256'), { recursive: true })
    await mkdir(tmp, { recursive: true })
    await removeLeftovers(tmp)
  })
  return {
    put: (content, options = {}) => guarded('writing a blob', root, () => put({ tmp, pathOf }, content, { maxBytes, ...options })),
    open: (sha256, range) => guarded('reading a blob', root, () => openBlob(pathOf(sha256), sha256, range)),
    read: (sha256, limit) => guarded('reading a blob', root, () => readBlob(pathOf(sha256), sha256, limit)),
    stat: (sha256) => guarded('looking for a blob', root, () => statBlob(pathOf(sha256), sha256)),
    remove: (sha256) => guarded('removing a blob', root, () => rm(pathOf(sha256), { force: true })),
    list: () => listBlobs(root),
  }
}

async function guarded<T>(what: string, root: string, work: () => Promise<T>): Promise<T> {
  refuseInsideTransaction(what)
  return onDisk(root, work)
}

const onDisk = <T>(root: string, work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    throw explainDiskFault(root, error)
  })

/** A temporary file of a process that is no more: names begin with the process id. */
async function removeLeftovers(tmp: string): Promise<void> {
  for (const name of await readdir(tmp)) {
    const pid = Number.parseInt(name, 10)
    const alive = pid === process.pid ? inProgress.has(name) : isAlive(pid)
    if (!alive) await rm(join(tmp, name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errorCodeOf(error) === 'EPERM'
  }
}

interface Layout {
  readonly tmp: string
  readonly pathOf: (sha256: string) => string
}

async function put(layout: Layout, content: Readable | Uint8Array, options: { maxBytes: number; signal?: AbortSignal }): Promise<BlobInfo> {
  const name = `${process.pid}-${randomUUID()}`
  const temporary = join(layout.tmp, name)
  inProgress.add(name)
  try {
    const info = await writeTemporary(temporary, content, options)
    await publish(temporary, layout.pathOf(info.sha256))
    return info
  } finally {
    await rm(temporary, { force: true })
    inProgress.delete(name)
  }
}

async function writeTemporary(path: string, content: Readable | Uint8Array, options: { maxBytes: number; signal?: AbortSignal }): Promise<BlobInfo> {
  const { maxBytes, signal } = options
  const hash = createHash('sha256')
  const source = content instanceof Readable ? content : Readable.from([content])
  // Until the file is open nobody iterates: a stream that fails before that must not end the process; iterating throws its error.
  source.on('error', () => undefined)
  let sizeBytes = 0
  const destroy = () => source.destroy(signal?.reason)
  signal?.addEventListener('abort', destroy, { once: true })
  const file = await open(path, 'wx', 0o644).catch((error: unknown) => {
    source.destroy()
    throw error
  })
  try {
    signal?.throwIfAborted()
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk)
      sizeBytes += bytes.length
      if (sizeBytes > maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', `The content is larger than the ${maxBytes} bytes allowed here.`)
      hash.update(bytes)
      await file.writeFile(bytes)
      crashPoint('mid_artifact_write')
    }
    signal?.throwIfAborted()
    await file.sync()
  } finally {
    signal?.removeEventListener('abort', destroy)
    await file.close()
  }
  return { sha256: hash.digest('hex'), sizeBytes }
}

/** Under its digest only once its bytes are on disk; the folder is synced so that the name survives as well. A present blob counts as written anew. */
async function publish(temporary: string, path: string): Promise<void> {
  const now = new Date()
  const present = await touch(path, now)
  if (present) return
  const folder = dirname(path)
  const made = await mkdir(folder, { recursive: true })
  await rename(temporary, path)
  await syncFolder(folder)
  if (made) await syncFolder(dirname(folder))
}

/** False where there is no such file, or a link that the new one is to replace. */
async function touch(path: string, now: Date): Promise<boolean> {
  try {
    if (!(await lstat(path)).isFile()) return false
    await utimes(path, now, now)
    return true
  } catch {
    return false
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const missing = (sha256: string, cause: unknown): unknown =>
  ['ENOENT', 'ELOOP'].includes(errorCodeOf(cause)) ? new AppError('RESOURCE_DOES_NOT_EXIST', `There is no blob ${sha256}.`, { cause }) : cause

/** Never through a link: what it points at is no blob, wherever it lies. */
async function openFile(path: string, sha256: string) {
  return open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch((error: unknown) => {
    throw missing(sha256, error)
  })
}

async function openBlob(path: string, sha256: string, range?: { start: number; end: number }): Promise<Readable> {
  const file = await openFile(path, sha256)
  return file.createReadStream(range)
}

async function readBlob(path: string, sha256: string, maxBytes: number): Promise<Buffer> {
  const file = await openFile(path, sha256)
  try {
    const { size } = await file.stat()
    if (size > maxBytes) throw new AppError('PAYLOAD_TOO_LARGE', `Blob ${sha256} has ${size} bytes, at most ${maxBytes} are read here.`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

async function statBlob(path: string, sha256: string): Promise<BlobInfo | null> {
  try {
    const found = await lstat(path)
    return found.isFile() ? { sha256, sizeBytes: found.size } : null
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return null
    throw error
  }
}

async function* listBlobs(root: string): AsyncGenerator<BlobInfo & { writtenAt: Date }> {
  refuseInsideTransaction('listing blobs')
  for await (const entry of await opendir(join(root, 'sha256'), { recursive: true })) {
    if (!entry.isFile() || !DIGEST.test(entry.name)) continue
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => null)
    if (found) yield { sha256: entry.name, sizeBytes: found.size, writtenAt: found.mtime }
  }
}
