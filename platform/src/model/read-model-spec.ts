import { MODEL_SPEC_FILE, type ModelSpec, modelSpec } from '@millrace/contracts/model/model-spec.ts'

const FORMATS = ['onnx', 'onnx-chain']
const MAX_PROBLEMS = 10

export type ReadSpec = { kind: 'spec'; spec: ModelSpec } | { kind: 'invalid'; format: string; reason: string }

const invalid = (format: string, problem: string): ReadSpec => ({
  kind: 'invalid',
  format,
  reason: `${MODEL_SPEC_FILE} ${problem}. Correct it and register the model again.`,
})

/** Reads a `millrace-model.json`: every file that it names must be among the artifact's `paths`. */
export function readModelSpec(text: string, paths: readonly string[]): ReadSpec {
  const parsed = parseSpec(text)
  if (typeof parsed === 'string') return invalid('unknown', `is not valid: ${parsed}`)
  const problem = problemOfSpec(parsed, new Set(paths))
  return problem ? invalid(parsed.format, problem) : { kind: 'spec', spec: parsed }
}

function parseSpec(text: string): ModelSpec | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'it is not JSON'
  }
  const result = modelSpec.safeParse(value)
  if (result.success) return result.data
  const problems = result.error.issues.slice(0, MAX_PROBLEMS).map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
  return problems.join('; ')
}

function problemOfSpec(spec: ModelSpec, paths: ReadonlySet<string>): string | null {
  if (!FORMATS.includes(spec.format)) return `names the format '${spec.format}', which is not one of ${FORMATS.join(', ')}`
  if (spec.format === 'onnx' && spec.chain.length > 1) return `names ${spec.chain.length} files, but the format 'onnx' has one: call it 'onnx-chain'`
  const named = [...spec.chain.map((link) => link.file), spec.inputExample, spec.parity, spec.referenceProfile]
  const absent = named.find((file) => file !== null && !paths.has(file))
  if (absent) return `names '${absent}', which is not among the files of the artifact`
  const names = spec.signature.inputs.map((input) => input.name)
  if (new Set(names).size !== names.length) return 'has two inputs of the same name in its signature'
  if (spec.task === 'image-classification' && (!spec.labels || !spec.preprocessing))
    return "has the task 'image-classification', which needs labels and preprocessing"
  return null
}
