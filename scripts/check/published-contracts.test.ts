import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelPromoted } from '@millrace/contracts/events/model-events.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { extendDigests, goldenEvents, parseDigests, publishedSchemas, readDigests } from './digest-list.ts'
import { brokenPromises } from './published-contracts.ts'

const repository = join(import.meta.dirname, '..', '..')
const PROMOTED = 'io.millrace.model.promoted.v1'
const schema = join('contracts/schemas/events', PROMOTED, '1.0.json')
const golden = join('contracts/golden', PROMOTED, '0/first.json')

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-contracts-'))
  for (const folder of ['contracts/schemas', 'contracts/golden']) cpSync(join(repository, folder), join(root, folder), { recursive: true })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const git = (...args: readonly string[]): void => {
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: root })
}
function commitAll(): void {
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'publish')
}
function edit(path: string, change: (parsed: Record<string, unknown>) => unknown): string {
  const text = JSON.stringify(change(JSON.parse(readFileSync(join(root, path), 'utf8'))))
  writeFileSync(join(root, path), text)
  return text
}
/** Adds what is on disk to the list, as the generator does. */
function record(path: string, content: string): void {
  const digests = extendDigests(readDigests(root, publishedSchemas), publishedSchemas, new Map([[path, content]]))
  writeFileSync(join(root, publishedSchemas.list), JSON.stringify(digests))
}

test('the repository keeps its promises', () => {
  expect(brokenPromises(repository)).toEqual([])
  expect(brokenPromises(root)).toEqual([])
})

test.each([
  ['a published schema', schema],
  ['a golden event', golden],
])('%s that was changed, if only by a blank, is found', (_what, path) => {
  appendFileSync(join(root, path), ' ')
  expect(brokenPromises(root)).toEqual([expect.stringMatching(`${PROMOTED}.*was changed after it was published`)])
})

test.each([
  ['a published schema', schema],
  ['a golden event', golden],
])('%s that was removed is found', (_what, path) => {
  rmSync(join(root, path))
  expect(brokenPromises(root)).toContainEqual(expect.stringMatching(`${PROMOTED}.*was removed`))
})

test('a golden event that nobody recorded is found', () => {
  cpSync(join(root, golden), join(root, 'contracts/golden', PROMOTED, '0/second.json'))
  expect(brokenPromises(root)).toEqual([expect.stringMatching(/second\.json is not recorded/)])
})

test.each([
  ['rewritten', () => '0'.repeat(64), /was changed after|was rewritten/],
  ['removed', () => undefined, /is not recorded|was removed/],
])('an entry that an earlier commit had may not be %s', (_how, digest, expected) => {
  commitAll()
  edit(goldenEvents.list, (digests) => ({ ...digests, [`${PROMOTED}/0/first.json`]: digest() }))
  const problems = brokenPromises(root)
  expect(problems).toHaveLength(2)
  for (const line of problems) expect(line).toMatch(expected)
})

test('a golden event is not swapped for another by rewriting its digest too, not even in a later commit', () => {
  commitAll()
  rmSync(join(root, golden))
  edit(goldenEvents.list, ({ [`${PROMOTED}/0/first.json`]: _gone, ...rest }) => rest)
  git('commit', '--quiet', '--all', '-m', 'forget')
  expect(brokenPromises(root)).toEqual([`contracts/golden/digests.json: the entry of ${PROMOTED}/0/first.json was removed; the list only grows`])
})

test('a new minor that breaks an earlier one is found, and so is one that the definition does not know', () => {
  const { minor } = modelPromoted
  const path = schema.replace('1.0', `1.${minor + 1}`)
  cpSync(join(root, schema), join(root, path))
  record(
    path,
    edit(path, (old) => ({ ...old, required: [] })),
  )
  const problems = brokenPromises(root)
  expect(problems).toContain(`${PROMOTED}: minor ${minor + 1} is published, the definition says ${minor}`)
  expect(problems).toContain(`${PROMOTED} minor ${minor + 1} against 0: $.generation was required, is not any more`)
})

test.each(['[]', '"x"', '{"a": 1}'])('a list that is %s is refused by name', (text) => {
  expect(() => parseDigests(text, 'digests.json')).toThrow(/^digests\.json: expected/)
})
