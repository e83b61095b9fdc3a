import { expect, test } from 'vitest'
import { parseInferJson } from './parse-infer-json.ts'

const numbers = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, index) => index / 4))
const parse = (text: string): unknown => parseInferJson(Buffer.from(text))
/** With every list of numbers as an array. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, item) => (item instanceof Float64Array ? Array.from(item) : item)))
const isRead = (value: unknown): boolean => JSON.stringify(value, (_, item) => (item instanceof Float64Array ? 'read' : item)).includes('"read"')

const tensor = (name: string, data = numbers(4000)): string => `{"name":"${name}","datatype":"FP32","shape":[1,4000],"data" : ${data},"parameters":{}}`
const read = [
  ['one input', `{"id":"é","inputs":[${tensor('x')}],"outputs":[{"name":"y"}]}`],
  ['two inputs', `{"inputs":[${tensor('x')},${tensor('y')}]}`],
  ['a tensor with the name of the key', `{"inputs":[${tensor('data')}]}`],
]

test.each(read)('large lists of numbers are read from the bytes: %s', (_, text) => {
  const body = parse(text)
  expect(isRead(body)).toBe(true)
  expect(plain(body)).toEqual(JSON.parse(text))
})

const parsed = [
  ['a small body', `{"inputs":[${tensor('x', '[1]')}]}`],
  ['an escape', `{"id":"\\n","inputs":[${tensor('x')}]}`],
  ['a list that is no input of its own', `{"inputs":[${tensor('x', 'null')}],"outputs":[{"data":${numbers(4000)}}]}`],
  ['the key twice', `{"inputs":[{"data":${numbers(4000)},"data":[1]}]}`],
  ['two lists under a key and one under none', `{"inputs":[{"data":${numbers(4000)},"data":[1]},{"data":null}]}`],
  ['nested lists', `{"inputs":[${tensor('x', `[${numbers(4000)}]`)}]}`],
  ['a list elsewhere', `{"data":${numbers(4000)}}`],
]

test.each(parsed)('anything else is parsed as a whole: %s', (_, text) => {
  const body = parse(text)
  expect(isRead(body)).toBe(false)
  expect(body).toEqual(JSON.parse(text))
})

test('broken JSON around a list is refused at its place', () => {
  const text = `{"inputs":[${tensor('x')}]`
  expect(() => parse(text)).toThrow(`position ${text.length}`)
  expect(() => parse(`{"inputs":[${tensor('x')}],"__proto__":{}}`)).toThrow('__proto__')
})
