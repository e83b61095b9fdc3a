import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ExternalArtifacts, ExternalPlace } from '@millrace/platform/blobs/external-artifacts.ts'
import { AppError, TransientError } from '@millrace/platform/errors.ts'

export interface MemoryExternal extends ExternalArtifacts {
  /** By `s3://…` address. */
  readonly objects: Map<string, string>
  /** Addresses of the files that were opened, in order. */
  readonly opened: string[]
  /** Addresses that fail, as a store does that is away. */
  readonly away: Set<string>
}

const PAGE = 2

const byCode = (left: string, right: string): number => (left < right ? -1 : 1)

/** Buckets in memory, in pages of two. Whoever uses it must keep to the roots. */
export function createMemoryExternal(): MemoryExternal {
  const objects = new Map<string, string>()
  const opened: string[] = []
  const away = new Set<string>()
  const addressOf = ({ bucket, key }: ExternalPlace): string => `s3://${bucket}/${key}`
  const etagOf = (content: string): string => createHash('md5').update(content).digest('hex')
  const namesIn = (folder: ExternalPlace): string[] => [
    ...new Set([...objects.keys()].filter((key) => key.startsWith(`${addressOf(folder)}/`)).map((key) => key.slice(addressOf(folder).length + 1))),
  ]
  return {
    objects,
    opened,
    away,
    async list(folder, pageToken = '0') {
      const entries = [...new Set(namesIn(folder).map((name) => name.replace(/\/.*$/, '/')))].sort(byCode)
      const start = Number(pageToken)
      const page = entries.slice(start, start + PAGE)
      return {
        folders: page.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1)),
        files: page.filter((name) => !name.endsWith('/')).map((name) => ({ name, sizeBytes: objects.get(`${addressOf(folder)}/${name}`)?.length ?? 0 })),
        nextPageToken: start + PAGE < entries.length ? String(start + PAGE) : null,
      }
    },
    async tree(place, limit) {
      const keys = namesIn(place).map((name) => `${place.key}/${name}`)
      const found = keys.length > 0 ? keys.sort(byCode) : [place.key]
      return found.slice(0, limit).flatMap((key) => {
        const file = { bucket: place.bucket, key }
        const content = objects.get(addressOf(file))
        return content === undefined ? [] : { place: file, sizeBytes: content.length, etag: etagOf(content) }
      })
    },
    async open(file, etag) {
      const address = addressOf(file)
      if (away.has(address)) throw new TransientError(`${address} does not answer`)
      const content = objects.get(address)
      if (content === undefined) throw new AppError('RESOURCE_DOES_NOT_EXIST', `There is no ${address}`)
      if (etag !== undefined && etag !== etagOf(content)) throw new TransientError(`${address} was replaced`)
      opened.push(address)
      return { content: Readable.from([Buffer.from(content)]), sizeBytes: content.length }
    },
  }
}
