import type { TensorSpec } from '@millrace/contracts/model/model-spec.ts'
import { expect, test } from 'vitest'
import { labelsFrom } from './model-labels.ts'

const output = (classes: number): TensorSpec => ({ name: 'p', datatype: 'FP32', shape: [-1, classes] })
const names = (note: Record<string, unknown>, last = output(2)) => labelsFrom([note], last)?.map(({ label }) => label) ?? null

test.each<[string, Record<string, unknown>]>([
  ['a JSON list', { class_names: '["cat", "dog"]' }],
  ['a list', { classes: ['cat', 'dog'] }],
  ['a JSON mapping from indices', { labels: '{"1": "dog", "0": "cat"}' }],
  ['a mapping as Python prints it', { names: '{0: \'cat\', 1: "dog"}' }],
  ['names between commas', { labels: 'cat, dog' }],
  ['names on lines', { class_labels: 'cat\ndog' }],
])('classes are read from %s', (_name, note) => {
  expect(names(note)).toEqual(['cat', 'dog'])
})

test.each<[string, Record<string, unknown>, TensorSpec?]>([
  ['there are none', {}],
  ['they are fewer than the output has', { classes: ['cat', 'dog'] }, output(3)],
  ['two are the same', { classes: ['cat', 'cat'] }],
  ['an index is left out', { labels: '{"0": "cat", "2": "dog"}' }],
  ['one has no name', { classes: ['cat', ''] }],
  ['they are no names', { classes: [{}, []], labels: 7 }],
  ['the last output is no probability', { classes: ['cat', 'dog'] }, { name: 'label', datatype: 'INT64', shape: [-1, 2] }],
])('there are no classes where %s', (_name, note, last) => {
  expect(names(note, last)).toBeNull()
})
