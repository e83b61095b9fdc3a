import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3'
import { connectBucket, type S3BucketOptions } from '../blobs/s3-bucket.ts'

/** Makes the bucket unless it is there; answers whether it was made. For an administrator's user: that of the services need not be allowed to. */
export async function ensureBucket(options: S3BucketOptions): Promise<boolean> {
  const { client, name: Bucket, guard } = connectBucket(options)
  try {
    const exists = await client.send(new HeadBucketCommand({ Bucket })).then(
      () => true,
      () => false,
    )
    if (!exists) await guard(() => client.send(new CreateBucketCommand({ Bucket })))
    return !exists
  } finally {
    client.destroy()
  }
}
