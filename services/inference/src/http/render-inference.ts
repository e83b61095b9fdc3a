import type { InferBody } from '../domain/parse-infer-body.ts'
import { renderBinaryTensor, renderPieces, renderTensor } from '../domain/render-tensor.ts'
import type { Tensor } from '../domain/tensor.ts'
import { rawBytesOf } from '../domain/tensor-bytes.ts'
import type { Answered } from './ask-model.ts'
import type { Reply } from './exchange.ts'

/** Says where the JSON of a body ends and its binary tensors begin. */
export const HEADER_LENGTH = 'inference-header-content-length'

/** Answers of more elements than this are written in pieces. */
const WHOLE_ELEMENTS = 100_000

/** An answer of the Open Inference Protocol: its outputs in the JSON, or behind it as bytes, each as it was asked for. */
export function renderInference(answered: Answered, asked: Pick<InferBody, 'id' | 'outputs' | 'binaryOutputs'>): Reply {
  const head = headOf(answered, asked.id)
  const { outputs, headers } = answered
  const isBinary = (index: number): boolean => asked.outputs?.[index]?.binary ?? asked.binaryOutputs
  if (outputs.some((_, index) => isBinary(index))) return renderMixed(head, outputs, headers, isBinary)
  const elements = outputs.reduce((sum, { data }) => sum + data.length, 0)
  if (elements > WHOLE_ELEMENTS) return { status: 200, headers, body: { pieces: inPieces(head, outputs) } }
  return { status: 200, headers, body: `${head}${outputs.map(renderTensor).join(',')}]}` }
}

function headOf({ result }: Answered, id: string | null): string {
  const { loaded, arm } = result.chosen
  const echoed = id === null ? '' : `,"id":${JSON.stringify(id)}`
  return `{"model_name":${JSON.stringify(loaded.model)},"model_version":${JSON.stringify(arm.version)}${echoed},"outputs":[`
}

function* inPieces(head: string, outputs: readonly Tensor[]): Generator<string> {
  yield head
  for (const [index, output] of outputs.entries()) {
    if (index > 0) yield ','
    yield* renderPieces(output)
  }
  yield ']}'
}

function renderMixed(head: string, outputs: readonly Tensor[], headers: Record<string, string>, isBinary: (index: number) => boolean): Reply {
  const binaries: Uint8Array[] = []
  const texts = outputs.map((output, index) => {
    if (!isBinary(index)) return renderTensor(output)
    const bytes = rawBytesOf(output)
    binaries.push(bytes)
    return renderBinaryTensor(output, bytes.length)
  })
  const json = Buffer.from(`${head}${texts.join(',')}]}`)
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(json.length) },
    body: Buffer.concat([json, ...binaries]),
  }
}
