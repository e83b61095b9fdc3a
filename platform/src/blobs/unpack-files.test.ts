import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Blobs } from './blobs.ts'
import { createFolderBlobs } from './folder.ts'
import { unpackFiles } from './unpack-files.ts'

async function withBlobs(): Promise<{ blobs: Blobs; folder: string }> {
  const root = await mkdtemp(join(tmpdir(), 'unpack-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  return { blobs: await createFolderBlobs({ root: join(root, 'blobs') }), folder: join(root, 'out') }
}

test('files are written under their paths', async () => {
  const { blobs, folder } = await withBlobs()
  const stored = await blobs.put(Buffer.from('weights'))
  await unpackFiles(blobs, [{ path: 'deep/model.onnx', ...stored }], folder)
  expect(await readFile(join(folder, 'deep/model.onnx'), 'utf8')).toBe('weights')
})

test.each(['../out.txt', 'a/../../out.txt', '/etc/out.txt', 'a//b', './a', 'C:\\out.txt', 'a\0b'])(
  'the path %j is refused before anything is written',
  async (path) => {
    const { blobs, folder } = await withBlobs()
    const stored = await blobs.put(Buffer.from('x'))
    const files = [
      { path: 'fine.txt', ...stored },
      { path, ...stored },
    ]
    await expect(unpackFiles(blobs, files, folder)).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' })
    expect(await readdir(folder).catch(() => [])).toEqual([])
  },
)

test('bytes that are not what the manifest says are refused', async () => {
  const { blobs, folder } = await withBlobs()
  const { sha256, sizeBytes } = await blobs.put(Buffer.from('right'))
  const lying: Blobs = { ...blobs, open: async () => blobs.open((await blobs.put(Buffer.from('wrong'))).sha256) }
  await expect(unpackFiles(lying, [{ path: 'a', sha256, sizeBytes }], folder)).rejects.toThrow('does not have the bytes')
})

test('a blob that is gone is told as missing', async () => {
  const { blobs, folder } = await withBlobs()
  await expect(unpackFiles(blobs, [{ path: 'a', sha256: '0'.repeat(64), sizeBytes: 1 }], folder)).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' })
})
