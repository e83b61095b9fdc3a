import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bucketUri, parseBucketUri, parseBucketUris } from './bucket-place.ts'

test.each([
  ['s3://bucket', { bucket: 'bucket', key: '' }],
  ['s3://bucket/', { bucket: 'bucket', key: '' }],
  ['s3://a.b-1/x/y z/', { bucket: 'a.b-1', key: 'x/y z' }],
  ['s3://bucket/a=1/..b', { bucket: 'bucket', key: 'a=1/..b' }],
])('%s is a place', (uri, place) => {
  expect(parseBucketUri(uri)).toEqual(place)
})

test.each([
  '',
  's3:/bucket/x',
  's3:///x',
  'S3://bucket/x',
  's3a://bucket/x',
  's3://user@bucket/x',
  's3://bucket:80/x',
  's3://Bucket/x',
  's3://b/x',
  's3://bucket/../x',
  's3://bucket/a/%2e%2e/x',
  's3://bucket/a/%252e%252e/x',
  's3://bucket/a/./x',
  's3://bucket//x',
  's3://bucket/a//x',
  's3://bucket/a\\x',
  's3://bucket/a?x',
  's3://bucket/a#x',
  's3://bucket/a;x',
  's3://bucket/a\nx',
  'https://bucket/x',
])('%j is none', (uri) => {
  expect(parseBucketUri(uri)).toBeNull()
})

test('what is read as a place is written as the same place', () => {
  const part = fc.constantFrom('a', '..', '.', '/', '//', '%', '%2e', '%2f', '?', '#', ';', 'é', ' ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const place = parseBucketUri(`s3://bucket/${parts.join('')}`)
      if (!place) return
      expect(parseBucketUri(bucketUri(place))).toEqual(place)
      expect(place.key.split('/')).not.toContain('..')
    }),
    { numRuns: 2000 },
  )
})

test('a list is read as a whole or not at all', () => {
  expect(parseBucketUris('')).toEqual([])
  expect(parseBucketUris(' s3://one/x , s3://two,')).toEqual([
    { bucket: 'one', key: 'x' },
    { bucket: 'two', key: '' },
  ])
  expect(parseBucketUris('s3://one/x,gs://two')).toBeNull()
})
