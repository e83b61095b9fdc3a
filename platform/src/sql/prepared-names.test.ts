import { expect, test } from 'vitest'
import { createPreparedNames } from './prepared-names.ts'

test('a statement is prepared once it was asked for often, always by the same name', () => {
  const { nameOf } = createPreparedNames()
  const names = Array.from({ length: 10 }, () => nameOf('select 1'))
  expect(names.slice(0, 7)).toEqual(Array(7).fill(undefined))
  expect(new Set(names.slice(7))).toEqual(new Set(['s0']))
  for (let n = 0; n < 8; n += 1) nameOf('select 2')
  expect(nameOf('select 2')).toBe('s1')
})

test('endless texts take up no memory and no names beyond a bound', () => {
  const { nameOf } = createPreparedNames()
  for (let n = 0; n < 10_000; n += 1) expect(nameOf(`select ${n}`)).toBeUndefined()
  for (let n = 0; n < 8 * 500; n += 1) nameOf(`often ${n % 500}`)
  const named = Array.from({ length: 500 }, (_, n) => nameOf(`often ${n}`)).filter((name) => name !== undefined)
  expect(named).toHaveLength(200)
})
