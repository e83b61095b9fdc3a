import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { LoadFailure } from './load-failure.ts'

export interface ArtifactCacheOptions {
  readonly directory: string
  readonly blobs: Blobs
  readonly maxBytes: number
}

/** Verified content by digest on the local disk, so that a rollback costs no download and a pod can restart while the store is away. */
export interface ArtifactCache {
  /**
   * The path of a file whose bytes have this digest: checked just now, or by this process before and not written to since. What the disk held wrongly is
   * fetched anew.
   * @throws LoadFailure deterministic where the store has other bytes or none; transient faults as they come
   */
  file(sha256: string, signal: AbortSignal): Promise<string>
  /** Removes what was used least recently beyond the limit, sparing `keep`. */
  evict(keep: ReadonlySet<string>): Promise<void>
}

/** What a crashed process left half-written is removed here. */
export async function openArtifactCache({ directory, blobs, maxBytes }: ArtifactCacheOptions): Promise<ArtifactCache> {
  const [content, tmp] = [join(directory, 'content'), join(directory, 'tmp')]
  await rm(tmp, { recursive: true, force: true })
  await mkdir(content, { recursive: true })
  await mkdir(tmp, { recursive: true })
  const checked = new Map<string, string>()
  return {
    async file(sha256, signal) {
      const path = join(content, sha256)
      if (!(await holds({ path, sha256, stamp: checked.get(sha256) ?? null }, signal))) {
        await download(blobs, { path, sha256, temporary: join(tmp, randomUUID()) }, signal)
      }
      checked.set(sha256, await markUsed(path))
      return path
    },
    async evict(keep) {
      for (const sha256 of await evict(content, maxBytes, keep)) checked.delete(sha256)
    },
  }
}

/** Changes with every write to the file, and with every use that `markUsed` notes. */
async function stampOf(path: string): Promise<string | null> {
  const info = await stat(path, { bigint: true }).catch(() => null)
  return info && `${info.ino} ${info.size} ${info.ctimeNs}`
}

async function markUsed(path: string): Promise<string> {
  const now = new Date()
  await utimes(path, now, now)
  return (await stampOf(path)) ?? ''
}

/** Whether the disk has the content, whole. */
async function holds({ path, sha256, stamp }: { path: string; sha256: string; stamp: string | null }, signal: AbortSignal): Promise<boolean> {
  const present = await stampOf(path)
  if (present === null) return false
  if (present === stamp) return true
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 262_144 })) hash.update(chunk)
  if (hash.digest('hex') === sha256) return true
  await rm(path, { force: true })
  return false
}

interface Download {
  readonly path: string
  readonly temporary: string
  readonly sha256: string
}

/** Under its name only when it is whole and right. */
async function download(blobs: Blobs, { path, temporary, sha256 }: Download, signal: AbortSignal): Promise<void> {
  const source = await blobs.open(sha256).catch((cause: unknown) => {
    throw cause instanceof AppError && cause.code === 'RESOURCE_DOES_NOT_EXIST'
      ? new LoadFailure('deterministic', 'fetch', `The artifact store has no content ${sha256}`, { cause })
      : cause
  })
  try {
    const found = await copy(source, temporary, signal)
    if (found !== sha256) throw new LoadFailure('deterministic', 'verify', `The content of ${sha256} has the digest ${found}: it was changed in the store`)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function copy(source: Readable, path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(
    source,
    async function* hashing(chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        yield chunk
      }
    },
    createWriteStream(path, { flags: 'wx' }),
    { signal },
  )
  return hash.digest('hex')
}

/** Says what it removed. */
async function evict(content: string, maxBytes: number, keep: ReadonlySet<string>): Promise<string[]> {
  const removed: string[] = []
  const found = await Promise.all(
    (await readdir(content)).map(async (name) => {
      const info = await stat(join(content, name)).catch(() => null)
      return { name, sizeBytes: info?.size ?? 0, usedMs: info?.mtimeMs ?? 0 }
    }),
  )
  let total = found.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  for (const { name, sizeBytes } of found.sort((a, b) => a.usedMs - b.usedMs)) {
    if (total <= maxBytes) break
    if (keep.has(name)) continue
    await rm(join(content, name), { force: true })
    removed.push(name)
    total -= sizeBytes
  }
  return removed
}
