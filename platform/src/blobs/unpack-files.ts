import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { AppError } from '../errors.ts'
import type { Blobs } from './blobs.ts'

const isInside = (path: string): boolean => !path.split('/').some((segment) => ['', '.', '..'].includes(segment)) && !/[\\\0:]/.test(path)

/**
 * Writes the files of a sealed manifest under `folder`, each checked against its digest.
 * @throws AppError INVALID_PARAMETER_VALUE for a path that would leave the folder or bytes that are not what the manifest says; RESOURCE_DOES_NOT_EXIST for a missing blob
 */
export async function unpackFiles(blobs: Blobs, files: readonly ManifestFile[], folder: string, signal?: AbortSignal): Promise<void> {
  const outside = files.find((file) => !isInside(file.path))
  if (outside) throw new AppError('INVALID_PARAMETER_VALUE', `The manifest names ${JSON.stringify(outside.path)}, which is not a path inside the artifact`)
  for (const file of files) await unpackFile(blobs, file, join(folder, file.path), signal)
}

async function unpackFile(blobs: Blobs, file: ManifestFile, target: string, signal?: AbortSignal): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  await pipeline(await blobs.open(file.sha256), hashing, createWriteStream(target), signal ? { signal } : {})
  if (hash.digest('hex') === file.sha256) return
  throw new AppError('INVALID_PARAMETER_VALUE', `${file.path} does not have the bytes that its manifest names: the store holds something else`)
}
