import type { Label, TensorSpec } from '@millrace/contracts/model/model-spec.ts'

/** Names under which exporters note the classes of a model. */
const KEYS = ['class_names', 'classes', 'labels', 'label_names', 'names', 'class_labels']
const MAX_LABELS = 10_000
const MAX_TEXT = 1_048_576

const nameOf = (value: unknown): string | null => (typeof value === 'string' || typeof value === 'number' ? String(value) : null)

/** `{0: 'a', 1: 'b'}` as Python prints it. */
function readPythonDict(text: string): string[] | null {
  if (!/^\{.*\}$/s.test(text)) return null
  const entries = [...text.matchAll(/(\d{1,5})\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)")/g)]
  return inOrder(entries.map(([, index, single, double]) => [Number(index), single ?? double ?? '']))
}

/** Names by index: all from 0 up, or nothing. */
function inOrder(entries: readonly (readonly [number, unknown])[]): string[] | null {
  const sorted = [...entries].sort(([a], [b]) => a - b)
  return sorted.every(([index], at) => index === at) ? allNames(sorted.map(([, value]) => value)) : null
}

function allNames(values: readonly unknown[]): string[] | null {
  const names = values.map(nameOf)
  return names.length > 0 && names.every((name) => name !== null && name !== '') ? names.flatMap((name) => name ?? []) : null
}

function readText(text: string): string[] | null {
  if (text.length > MAX_TEXT) return null
  try {
    return readValue(JSON.parse(text))
  } catch {
    return readPythonDict(text) ?? (/[,\n]/.test(text) && !/^[[{]/.test(text) ? allNames(text.split(/[,\n]/).map((part) => part.trim())) : null)
  }
}

function readValue(value: unknown): string[] | null {
  if (typeof value === 'string') return readText(value)
  if (Array.isArray(value)) return allNames(value)
  if (typeof value !== 'object' || value === null) return null
  return inOrder(Object.entries(value).map(([index, name]) => [/^\d{1,5}$/.test(index) ? Number(index) : Number.NaN, name]))
}

const isProbabilities = ({ datatype, shape }: TensorSpec, classes: number): boolean =>
  datatype.startsWith('FP') && shape.length === 2 && (shape[1] === classes || shape[1] === -1)

/**
 * The classes that a model names in its own notes: a JSON list, a mapping from index to name, or names between commas. Null where there are none, or where
 * they do not agree with the last output, which has one value per class.
 */
export function labelsFrom(notes: readonly Readonly<Record<string, unknown>>[], last: TensorSpec | undefined): Label[] | null {
  for (const note of notes) {
    for (const key of KEYS) {
      const names = readValue(note[key])
      const distinct = names && names.length <= MAX_LABELS && new Set(names).size === names.length
      if (names && distinct && names.length > 1 && last && isProbabilities(last, names.length)) return names.map((name) => ({ class: name, label: name }))
    }
  }
  return null
}
