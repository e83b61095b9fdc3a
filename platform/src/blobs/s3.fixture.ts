import { randomUUID } from 'node:crypto'
import { DeleteObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { onTestFinished } from 'vitest'
import { s3ForTests } from '../testing/real-infrastructure.ts'
import { createS3Blobs, type S3BlobsOptions } from './s3.ts'
import { connectBucket } from './s3-bucket.ts'

const settings = s3ForTests()

/** Empty where there is no server: then the tests that use it do not run. */
export const s3Address = {
  endpoint: settings?.['S3_ENDPOINT'] ?? 'http://127.0.0.1:1',
  bucket: settings?.['S3_BUCKET'] ?? '',
  region: settings?.['AWS_REGION'] ?? '',
  credentials: { accessKeyId: settings?.['AWS_ACCESS_KEY_ID'] ?? '', secretAccessKey: settings?.['AWS_SECRET_ACCESS_KEY'] ?? '' },
}

/** An empty place in the bucket, emptied again when the test ends. */
export function freshPlace() {
  const { client, name: Bucket, prefix } = connectBucket({ ...s3Address, prefix: `test/${randomUUID()}/` })
  const keys = () => listKeys(client, Bucket, prefix)
  onTestFinished(async () => {
    for (let found = await keys(); found.length > 0; found = await keys()) {
      for (const Key of found) await client.send(new DeleteObjectCommand({ Bucket, Key }))
    }
    client.destroy()
  })
  const write = (path: string, content: string | Uint8Array) => client.send(new PutObjectCommand({ Bucket, Key: `${prefix}${path}`, Body: content }))
  const unfinished = async (): Promise<number> => (await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix }))).Uploads?.length ?? 0
  return { client, bucket: Bucket, prefix, keys, unfinished, write }
}

async function listKeys(client: S3Client, Bucket: string, Prefix: string): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }))
  return Contents.flatMap(({ Key }) => Key ?? [])
}

/** A store in an empty place. */
export async function freshBlobs(options: Partial<S3BlobsOptions> = {}) {
  const place = freshPlace()
  const { value: blobs, stop } = await createS3Blobs({ ...s3Address, prefix: place.prefix, ...options })
  onTestFinished(stop)
  return { ...place, blobs }
}
