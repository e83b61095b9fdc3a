import { expect, test } from 'vitest'
import { compare, compareKeyed, SqlParameters } from './compile-condition.ts'
import { afterClause, decodePageToken, encodePageToken, missingLast, orderClause, type SortColumn } from './keyset.ts'

const startTime: SortColumn = { expression: 'r.start_time', type: 'bigint', ascending: false, rank: missingLast('r.start_time') }
const runId: SortColumn = { expression: 'r.run_id', type: 'text', ascending: true }
const columns = [startTime, runId]

test('rows come by rank before value, texts by byte', () => {
  expect(orderClause(columns)).toBe('case when r.start_time is null then 2 else 0 end, (r.start_time) desc, (r.run_id) collate "C" asc')
})

test('the rows after a key are those behind in rank, in value or in what breaks the tie', () => {
  const parameters = new SqlParameters()
  const rank = missingLast('r.start_time')
  expect(afterClause(columns, [0, 17, 0, 'a'], parameters)).toBe(
    `((${rank} > $1::int) or (${rank} = $1::int and (r.start_time) < $2::bigint) or (${rank} = $1::int and (r.start_time) = $2::bigint and (r.run_id) collate "C" > $3::text))`,
  )
  expect(parameters.values).toEqual([0, 17, 'a'])
})

test('a page token comes back as it was', () => {
  expect(decodePageToken(encodePageToken([2, null, 0, 'a'], { filter: 'x' }), columns)).toEqual({ key: [2, null, 0, 'a'], bound: { filter: 'x' } })
  expect(decodePageToken('', columns)).toBeNull()
  expect(decodePageToken(undefined, columns)).toBeNull()
})

test.each([
  ['nonsense'],
  [encodePageToken([0, 1])],
  [encodePageToken([0, 'x', 0, 'a'])],
  [encodePageToken([0, 1, 0, null])],
  [encodePageToken([0, 1.5, 0, 'a'])],
])('the page token %s is refused', (token) => {
  expect(() => decodePageToken(token, columns)).toThrow(/^Invalid page token, /)
})

test('what a caller wrote enters a statement as a parameter only', () => {
  const parameters = new SqlParameters()
  const hostile = "x'; drop table run; --"
  const text = [
    compare('r.name', { comparator: 'ILIKE', value: hostile }, parameters),
    compare('r.name', { comparator: 'NOT IN', value: [hostile] }, parameters),
    compareKeyed({ table: 'tag', owner: 'kv.run_id = r.run_id' }, { entity: 'tag', key: hostile, comparator: '=', value: hostile }, parameters),
  ].join(' and ')
  expect(text).toBe(
    "r.name ilike $1::text escape '' and r.name <> all($2::text[]) and exists (select 1 from tag kv where kv.run_id = r.run_id and kv.key = $3 and kv.value = $4::text)",
  )
  expect(parameters.values).toEqual([hostile, [hostile], hostile, hostile])
})

test('IS NULL asks for resources that lack the key', () => {
  const parameters = new SqlParameters()
  const table = { table: 'tag', owner: 'kv.run_id = r.run_id' }
  expect(compareKeyed(table, { entity: 'tag', key: 'a', comparator: 'IS NULL', value: null }, parameters)).toMatch(/^not exists \(/)
  expect(compareKeyed(table, { entity: 'tag', key: 'a', comparator: 'IS NOT NULL', value: null }, parameters)).toMatch(/^exists \(/)
})
