import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Blobs } from '@millrace/platform/blobs/blobs.ts'
import { createFolderBlobs } from '@millrace/platform/blobs/folder.ts'
import { expect, test } from 'vitest'
import { openArtifactCache } from './artifact-cache.ts'
import { temporaryDirectory } from './testing/temporary-directory.ts'

const signal = new AbortController().signal

async function setUp(maxBytes = 1000, change: (blobs: Blobs) => Blobs = (blobs) => blobs) {
  const directory = await temporaryDirectory()
  const blobs = await createFolderBlobs({ root: join(directory, 'blobs') })
  const cache = await openArtifactCache({ directory: join(directory, 'cache'), blobs: change(blobs), maxBytes })
  return { directory, blobs, cache, put: async (text: string) => (await blobs.put(Buffer.from(text))).sha256 }
}

test('content is fetched once, and is there when the store is away', async () => {
  const { cache, blobs, put } = await setUp()
  const sha256 = await put('weights')
  await cache.file(sha256, signal)
  await blobs.remove(sha256)
  expect(await readFile(await cache.file(sha256, signal), 'utf8')).toBe('weights')
})

test('what rotted on the disk is fetched anew', async () => {
  const { cache, put } = await setUp()
  const sha256 = await put('weights')
  await writeFile(await cache.file(sha256, signal), 'weighty')
  expect(await readFile(await cache.file(sha256, signal), 'utf8')).toBe('weights')
})

test('content that the store does not have, or has wrongly, is a failure that lasts', async () => {
  const { cache } = await setUp()
  await expect(cache.file('0'.repeat(64), signal)).rejects.toMatchObject({ kind: 'deterministic', stage: 'fetch' })
  const changed = await setUp(1000, (blobs) => ({ ...blobs, open: async () => Readable.from([Buffer.from('changed')]) }))
  await expect(changed.cache.file(await changed.put('weights'), signal)).rejects.toMatchObject({ kind: 'deterministic', stage: 'verify' })
  expect(await readdir(join(changed.directory, 'cache', 'content'))).toEqual([])
  expect(await readdir(join(changed.directory, 'cache', 'tmp'))).toEqual([])
})

test('beyond the limit what was used least recently goes first, and what is in use stays', async () => {
  const { cache, put } = await setUp(16)
  const digests = await Promise.all(['first...', 'second..', 'third...'].map(put))
  const paths: string[] = []
  for (const [index, sha256] of digests.entries()) {
    const path = await cache.file(sha256, signal)
    paths.push(path)
    await utimes(path, new Date(index * 1000), new Date(index * 1000))
  }
  await cache.evict(new Set(digests.slice(0, 1)))
  const left = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => null)))
  expect(left).toEqual(['first...', null, 'third...'])
})

test('what a crashed process left half-written is removed at the start', async () => {
  const { directory, blobs } = await setUp()
  await writeFile(join(directory, 'cache', 'tmp', 'half'), 'half')
  await openArtifactCache({ directory: join(directory, 'cache'), blobs, maxBytes: 1000 })
  expect(await readdir(join(directory, 'cache', 'tmp'))).toEqual([])
})
