import { S3Client } from '@aws-sdk/client-s3'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { explainS3Fault } from './s3-fault.ts'

export interface S3BucketOptions {
  readonly bucket: string
  readonly region: string
  /** Of an S3-compatible store, such as `http://127.0.0.1:9000`; left out for Amazon's own. */
  readonly endpoint?: string
  /** Left out: the SDK's own search (environment, files, instance role). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** The bucket in the path rather than in the host name, as most stores other than Amazon's want it. Default: true where there is an endpoint. */
  readonly forcePathStyle?: boolean
  /** In front of every key, such as `millrace/`. Default none. */
  readonly prefix?: string
  /** Longest silence of the store before a call is given up. Default 30 s. */
  readonly silenceMs?: number
  readonly log?: Log
}

/** One bucket, as the parts of the adapter share it. */
export interface Bucket {
  readonly client: S3Client
  /** For bodies: connections of its own, so that open downloads keep no other call waiting, and no timeout for a reader that takes its time. */
  readonly reader: S3Client
  readonly name: string
  readonly prefix: string
  /** For messages. */
  readonly where: string
  readonly silenceMs: number
  keyOf(sha256: string): string
  close(): void
  /** Names what the store threw in the terms of the `Blobs` port. */
  guard<T>(call: () => Promise<T>): Promise<T>
}

const DIGEST = /^[0-9a-f]{64}$/

export function connectBucket(options: S3BucketOptions): Bucket {
  const { bucket: name, region, endpoint, credentials, prefix = '', silenceMs = 30_000, forcePathStyle = endpoint !== undefined } = options
  const where = `s3://${name} ${endpoint ? `at ${endpoint}` : `in ${region}`}`
  const connect = (timeouts: { socketTimeout: number } | { requestTimeout: number; throwOnRequestTimeout: true }): S3Client => {
    const agent = { keepAlive: true, maxSockets: 200 }
    return new S3Client({
      region,
      forcePathStyle,
      ...(endpoint ? { endpoint } : {}),
      ...(credentials ? { credentials } : {}),
      // Checksums are sent where this adapter names them: not every store knows the trailing ones that the SDK adds otherwise.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: 5_000, httpAgent: agent, httpsAgent: agent, ...timeouts },
    })
  }
  const client = connect({ socketTimeout: silenceMs })
  const reader = connect({ requestTimeout: silenceMs, throwOnRequestTimeout: true })
  return {
    client,
    reader,
    name,
    prefix,
    where,
    silenceMs,
    keyOf(sha256) {
      if (!DIGEST.test(sha256)) throw new AppError('INVALID_PARAMETER_VALUE', 'A blob is named by its SHA-256: 64 lower-case hexadecimal digits.')
      return `${prefix}sha256/${sha256.slice(0, 2)}/${sha256}`
    },
    close() {
      client.destroy()
      reader.destroy()
    },
    async guard(call) {
      try {
        return await call()
      } catch (error) {
        throw explainS3Fault(where, error)
      }
    },
  }
}
