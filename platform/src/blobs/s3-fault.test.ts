import { S3ServiceException } from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { AppError } from '../errors.ts'
import { explainS3Fault, explainUnusable } from './s3-fault.ts'

const where = 's3://models at http://store'
const fault = (name: string, httpStatusCode: number): S3ServiceException =>
  new S3ServiceException({ name, message: name, $fault: httpStatusCode < 500 ? 'client' : 'server', $metadata: { httpStatusCode } })

test.each([
  ['InsufficientStorage', 507],
  ['QuotaExceeded', 403],
  ['XMinioStorageFull', 507],
  ['AnythingElse', 507],
])('%s (%i) is a full store, and says what to do', (name, status) => {
  expect(explainS3Fault(where, fault(name, status))).toMatchObject({ code: 'STORAGE_FULL', message: expect.stringContaining(`Cannot store in ${where}`) })
})

test.each([
  ['SlowDown', 503],
  ['InternalError', 500],
  ['TooManyRequests', 429],
  ['AccessDenied', 403],
  ['NoSuchBucket', 404],
])('%s (%i) may pass', (name, status) => {
  expect(explainS3Fault(where, fault(name, status))).toMatchObject({ name: 'TransientError', message: expect.stringContaining(where) })
})

test('a store that is not reached may be later; a refusal and a bug stay what they are', () => {
  expect(explainS3Fault(where, Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))).toMatchObject({ name: 'TransientError' })
  const refusal = new AppError('PAYLOAD_TOO_LARGE', 'too large')
  const bug = fault('InvalidArgument', 400)
  expect([explainS3Fault(where, refusal), explainS3Fault(where, bug)]).toEqual([refusal, bug])
})

test.each([
  ['NoSuchBucket', 404, 'RESOURCE_DOES_NOT_EXIST'],
  ['InvalidAccessKeyId', 404, 'PERMISSION_DENIED'],
  ['SignatureDoesNotMatch', 403, 'PERMISSION_DENIED'],
])('a bucket that answers %s (%i) at the start is %s', (name, status, code) => {
  expect(explainUnusable(where, fault(name, status))).toMatchObject({ code, message: expect.stringContaining(where) })
})

test('a bucket that is overloaded at the start may be later', () => {
  expect(explainUnusable(where, fault('SlowDown', 503))).toMatchObject({ name: 'TransientError' })
})
