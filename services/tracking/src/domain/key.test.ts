import { expect, test } from 'vitest'
import { refuseKey, truncate } from './key.ts'

test.each(['acc', 'val/acc', 'a.b-c d:e_1', 'größe', 'a/..b', '..a', 'x'.repeat(250)])('%j is a key', (key) => {
  expect(refuseKey(key, 'key')).toBeNull()
})

test.each([
  ['', "Missing value for required parameter 'params[1].key'"],
  ['x'.repeat(251), "'params[1].key' exceeds the maximum length of 250 characters"],
  ['a$b', 'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).'],
  ['a\0', 'Names may only contain'],
  ['a//b', "This name would resolve to 'a/b'"],
  ['/a', "This name would resolve to '/a'"],
  ['a/../b', "This name would resolve to 'b'"],
  ['../a', "This name would resolve to '../a'"],
  ['..', "This name would resolve to '..'"],
  ['.', "This name would resolve to '.'"],
  ['./a', "This name would resolve to 'a'"],
  ['a/', "This name would resolve to 'a'"],
])('%j is refused', (key, text) => {
  expect(refuseKey(key, 'params[1].key')).toContain(text)
})

test('long values are cut at whole characters', () => {
  expect(truncate('abc', 3)).toBe('abc')
  expect(truncate('😀😀😀', 2)).toBe('😀😀')
  expect(truncate('😀😀😀', 3)).toBe('😀😀😀')
})
