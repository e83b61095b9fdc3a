import { AbortMultipartUploadCommand, DeleteObjectCommand, ListMultipartUploadsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import type { Bucket } from './s3-bucket.ts'

/** Removes what killed processes left behind: unfinished uploads and temporary objects that began before `before`. Younger ones may be in progress elsewhere. */
export async function sweepLeftovers(bucket: Bucket, before: Date): Promise<{ uploads: number; objects: number }> {
  const uploads = await abortUploads(bucket, before)
  const objects = await removeTemporary(bucket, before)
  return { uploads, objects }
}

async function abortUploads(bucket: Bucket, before: Date): Promise<number> {
  const { client, name: Bucket, prefix: Prefix } = bucket
  let aborted = 0
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | null = {}
  while (marker) {
    const request: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({ Bucket, Prefix, ...marker })
    const page = await client.send(request)
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (!Key || !Initiated || Initiated >= before || !isOurs(bucket, Key)) continue
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
      aborted += 1
    }
    marker = page.IsTruncated && page.NextKeyMarker ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker ?? '' } : null
  }
  return aborted
}

/** The bucket may hold other things: only what this adapter writes is its own. */
const isOurs = ({ prefix }: Bucket, key: string): boolean => key.startsWith(`${prefix}tmp/`) || key.startsWith(`${prefix}sha256/`)

async function removeTemporary({ client, name: Bucket, prefix }: Bucket, before: Date): Promise<number> {
  let removed = 0
  for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: `${prefix}tmp/` })) {
    for (const { Key, LastModified } of page.Contents ?? []) {
      if (!Key || !LastModified || LastModified >= before) continue
      await client.send(new DeleteObjectCommand({ Bucket, Key }))
      removed += 1
    }
  }
  return removed
}
