import type { ManifestFile } from '@millrace/contracts/model/artifact-manifest.ts'
import { MODEL_SPEC_FILE, type ModelSpec, modelSpec, type Signature } from '@millrace/contracts/model/model-spec.ts'

/** Whether pods can serve an artifact. */
export type Servability = { servable: true; format: string; signature: Signature } | { servable: false; format: string; reason: string }

export const MLMODEL_FILE = 'MLmodel'
const FORMATS = ['onnx', 'onnx-chain']
const CURE = `Export the model as ONNX and log it with a ${MODEL_SPEC_FILE} beside the .onnx file (its signature, labels and preprocessing), then register that.`

const MAX_PROBLEMS = 10

const unservable = (format: string, reason: string): Servability => ({ servable: false, format, reason })

/** An artifact that describes itself by `millrace-model.json`: every file that it names must be in the sealed manifest. */
export function judgeModelSpec(text: string, files: readonly ManifestFile[]): Servability {
  const parsed = parseSpec(text)
  if (typeof parsed === 'string') return unservable('unknown', `${MODEL_SPEC_FILE} is not valid: ${parsed}. Correct it and register the model again.`)
  const problem = problemOfSpec(parsed, new Set(files.map((file) => file.path)))
  if (problem) return unservable(parsed.format, `${MODEL_SPEC_FILE} ${problem}. Correct it and register the model again.`)
  return { servable: true, format: parsed.format, signature: parsed.signature }
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

/** An artifact logged by an MLflow client: tracked as it is, with the way to make it servable. */
export function judgeMlmodel(text: string): Servability {
  const flavors = flavorsOf(text)
  const own = flavors.filter((flavor) => flavor !== 'python_function')
  const format = `mlflow:${own[0] ?? flavors[0] ?? 'unknown'}`
  if (flavors.includes('onnx')) {
    return unservable(
      format,
      `it has the MLflow flavor 'onnx' but no ${MODEL_SPEC_FILE}, which says how to feed the network. Add one beside the .onnx file and register it again.`,
    )
  }
  const name = own.length > 0 ? `the MLflow flavor '${own.join("', '")}'` : 'no MLflow flavor that is known'
  return unservable(format, `it has ${name}, which needs Python to run and may execute code when it is loaded. ${CURE}`)
}

/** Files alone: no description at all. */
export function judgeFiles(files: readonly ManifestFile[]): Servability {
  const pickle = files.find((file) => /\.(pkl|pickle|joblib|pt|pth|h5|keras)$/i.test(file.path))
  if (pickle) return unservable('files', `it is a file of its framework (${pickle.path}), which needs Python to run. ${CURE}`)
  const onnx = files.find((file) => /\.onnx$/i.test(file.path))
  if (onnx)
    return unservable('files', `${onnx.path} is there but no ${MODEL_SPEC_FILE}, which says how to feed the network. Add one beside it and register it again.`)
  return unservable('files', `it has neither a ${MODEL_SPEC_FILE} nor an ONNX file. ${CURE}`)
}

/** A source that Millrace does not keep. */
export const judgeExternal = (source: string): Servability =>
  unservable(
    'external',
    `its source '${source}' lies outside of Millrace, which serves only what it has sealed. Log the files to a run here and register that.`,
  )

export const judgePrompt: Servability = unservable('prompt', 'it is a prompt, not a model: there is nothing to serve.')

/** The keys below `flavors:` in an MLmodel file, which its writers always lay out in block style with two spaces. */
export function flavorsOf(mlmodel: string): string[] {
  const lines = mlmodel.split(/\r?\n/)
  const start = lines.findIndex((line) => /^flavors:\s*$/.test(line))
  if (start < 0) return []
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => /^\S/.test(line))
  return rest.slice(0, end < 0 ? undefined : end).flatMap((line) => /^ {2}([\w.-]+):\s*$/.exec(line)?.[1] ?? [])
}
