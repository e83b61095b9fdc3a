import { expect, test } from 'vitest'
import { addressOf } from './dataset-address.ts'

test.each([
  ['{"uri":"s3://data/churn/train.csv"}', 's3://data', 'churn/train.csv'],
  ['{"uri":"gs://data"}', 'gs://data', '/'],
  ['{"url":"https://user:secret@example.test/a/b.csv?token=x"}', 'https://example.test', 'a/b.csv'],
  ['{"path":"data/fish"}', 'file', 'data/fish'],
  ['file:///data/fish.csv', 'file', '/data/fish.csv'],
  ['file:/data/fish.csv', 'file', '/data/fish.csv'],
  ['data/größe x.csv', 'file', 'data/größe x.csv'],
  ['postgres://db.test:5432/shop.public.orders', 'postgres://db.test:5432', 'shop.public.orders'],
])('%s is %s, %s', (source, namespace, name) => {
  expect(addressOf(source)).toEqual({ namespace, name })
})

test.each([[null], ['{'], ['{"tags":{}}'], ['[1]'], [''], ['{"uri":""}'], ['hdfs:x'], ['line\nbreak']])('%j names no place', (source) => {
  expect(addressOf(source)).toBeNull()
})
