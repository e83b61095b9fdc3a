import { expect, test } from 'vitest'
import { dvcPointerOf } from './dvc-pointer.ts'

const md5 = 'ec1d2935f811b77cc49b031b999cbf17'
const nothing = { path: null, md5: null, revision: null, repository: null, remote: null }
const pointerOf = (sourceType: string | null, source: unknown, tags: Record<string, string> = {}) =>
  dvcPointerOf({ name: 'fish', sourceType, source: typeof source === 'string' ? source : JSON.stringify(source) }, tags)

test('a source of type dvc tells path, digest and repository', () => {
  const source = { path: 'data/fish', md5: `${md5}.dir`, rev: 'v1.2', repo: 'https://git.example/fish', remote: 's3' }
  expect(pointerOf('dvc', source)).toEqual({ path: 'data/fish', md5: `${md5}.dir`, revision: 'v1.2', repository: 'https://git.example/fish', remote: 's3' })
})

test('a .dvc file is known by its name or by its content', () => {
  expect(pointerOf('local', { uri: 'data/fish.csv.dvc', md5 })).toMatchObject({ path: 'data/fish.csv.dvc', md5 })
  expect(pointerOf('local', 'data/fish.csv.dvc')).toEqual({ ...nothing, path: 'data/fish.csv.dvc' })
  expect(pointerOf('code', { outs: [{ md5, path: 'fish.csv', size: 3 }] })).toEqual({ ...nothing, path: 'fish.csv', md5 })
})

test('tags of the run tell it too, those of the data set before those of the run', () => {
  expect(pointerOf('local', 'data/fish.csv', { 'dvc.md5': md5, 'dvc.rev': 'c0ffee' })).toEqual({ ...nothing, md5, revision: 'c0ffee' })
  const tags = { 'dvc.fish.md5': md5, 'dvc.md5': '0'.repeat(32) }
  expect(pointerOf(null, 'x', tags)).toMatchObject({ md5 })
})

test.each([
  ['a source without DVC', 'local', { uri: 'data/fish.csv' }, {}],
  ['tags of another data set', 'local', 'x', { 'dvc.bird.md5': md5 }],
  ['a digest that is none', null, 'x', { 'dvc.md5': 'abc' }],
  ['JSON that is no object', 'dvc-like', '[1]', {}],
])('%s is no pointer', (_what, sourceType, source, tags) => {
  expect(pointerOf(sourceType, source, tags)).toBeNull()
})
