import { expect, test } from 'vitest'
import { silentLog } from '../log.ts'
import { openExternal } from './open-external.ts'

const open = (prefix: string, bucket: string, key: string) =>
  openExternal({ S3_BUCKET: 'own', S3_PREFIX: prefix, AWS_REGION: 'us-east-1' }, [{ bucket, key }], silentLog)

test.each([
  ['', 'own', ''],
  ['', 'own', 'sha256'],
  ['', 'own', 'sha256/ab'],
  ['', 'own', 'tmp'],
  ['millrace/', 'own', ''],
  ['millrace/', 'own', 'millrace'],
  ['a/b/', 'own', 'a'],
  ['a/b/', 'own', 'a/b/tmp/x'],
])('with the prefix %j, s3://%s/%s would show what the platform keeps, or lose to its collection what others write', (prefix, bucket, key) => {
  expect(() => open(prefix, bucket, key)).toThrow(/S3_BUCKET and S3_PREFIX.*choose another/)
})

test.each([
  ['', 'other', ''],
  ['', 'own', 'experiments'],
  ['', 'own', 'sha256-of-mine'],
  ['millrace/', 'own', 'millrace-experiments'],
  ['millrace/', 'own', 'tmp'],
])('with the prefix %j, s3://%s/%s is apart', async (prefix, bucket, key) => {
  await open(prefix, bucket, key).stop()
})
