import { createHash } from 'node:crypto'
import { type InferRequest, inferRequest } from '@millrace/contracts/http/inference.ts'
import type { NewId } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { parseInput } from '@millrace/platform/http/invalid-input.ts'
import { parseJsonText } from '@millrace/platform/http/json-text.ts'
import { findModel } from '../choose-arm.ts'
import { parseInputs, pickOutputs } from '../domain/parse-request.ts'
import type { RawTensor } from '../domain/parse-tensor.ts'
import { renderTensor } from '../domain/render-tensor.ts'
import { isRefusal, rowsOf, type Tensor } from '../domain/tensor.ts'
import { rawBytesOf } from '../domain/tensor-bytes.ts'
import type { LoadedVersion } from '../loaded-version.ts'
import type { LogPrediction } from '../log-prediction.ts'
import type { InferenceResult, RunInference, VersionInput } from '../run-inference.ts'
import type { RunShadow } from '../run-shadow.ts'
import type { ServingSet } from '../serving-set.ts'
import { answerHeaders } from './answer-headers.ts'
import { type Exchange, predictionIdOf, type Reply, routingKeyOf } from './exchange.ts'
import { readBody } from './read-body.ts'
import { wishFor } from './version-wish.ts'

export interface InferDeps {
  readonly serving: ServingSet
  readonly run: RunInference
  readonly logPrediction: LogPrediction
  readonly shadow: RunShadow
  readonly newId: NewId
  readonly maxBodyBytes: number
  readonly maxRows: number
}

/** POST /v2/models/M[/versions/V]/infer: tensors in, tensors out (Open Inference Protocol v2, JSON form). */
export const createInfer = (deps: InferDeps) =>
  async function infer(exchange: Exchange): Promise<Reply> {
    const { request, params, signal } = exchange
    const served = findModel(deps.serving, params.model)
    const body = await readRequest(exchange, deps.maxBodyBytes)
    const predictionId = predictionIdOf(request, deps.newId)
    const routingKey = routingKeyOf(request, body.parameters?.['routing_key'], predictionId)
    const readFor = (loaded: LoadedVersion) => readTensors(loaded, body, deps.maxRows)
    const result = await deps.run({
      model: served.model,
      wish: { ...wishFor(served, params.version), routingKey },
      deadlineMs: shortened(exchange, body.parameters?.['timeout']),
      signal,
      readFor,
    })
    deps.logPrediction(result, predictionId)
    deps.shadow({ readFor }, result, predictionId)
    return render(result, body, answerHeaders(result.chosen, predictionId))
  }

async function readRequest(exchange: Exchange, maxBytes: number): Promise<InferRequest> {
  const { request, deadlineMs } = exchange
  const type = request.headers['content-type']
  if (type && !/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new AppError(
      'UNSUPPORTED_MEDIA_TYPE',
      `The content type is ${JSON.stringify(type.slice(0, 100))}; expected application/json (binary tensors are not offered).`,
    )
  }
  const content = await readBody(request, { maxBytes, deadlineMs })
  if (content.length === 0)
    throw new AppError('BAD_REQUEST', 'The body is empty; expected an inference request such as {"inputs": [{"name", "shape", "datatype", "data"}]}.')
  const body = checkShape(parseJsonText(decode(content)))
  refuseUnoffered(body)
  return body
}

function decode(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (cause) {
    throw new AppError('BAD_REQUEST', 'The body is not valid UTF-8.', { cause })
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks all but the elements, which are checked once, against the model: they may be millions. */
function checkShape(value: unknown): InferRequest {
  const inputs = isObject(value) && Array.isArray(value['inputs']) ? value['inputs'] : []
  const emptied = inputs.map((input) => (isObject(input) && Array.isArray(input['data']) ? { ...input, data: [] } : input))
  const checked = inferRequest.parse(parseInput(inferRequest, isObject(value) && inputs.length > 0 ? { ...value, inputs: emptied } : value, 'oip', 'request'))
  return { ...checked, inputs: checked.inputs.map((input, index) => ({ ...input, data: dataOf(inputs[index]) })) }
}

const dataOf = (input: unknown): unknown[] => (isObject(input) && Array.isArray(input['data']) ? input['data'] : [])

/** Better a clear no than an answer that means something else. */
function refuseUnoffered({ parameters = {}, inputs, outputs = [] }: InferRequest): void {
  const sequence = Object.keys(parameters).find((name) => name.startsWith('sequence_'))
  if (sequence) throw new AppError('BAD_REQUEST', `The parameter '${sequence}' is not offered: every request stands alone.`)
  const binary = [...inputs, ...outputs].some(({ parameters: own }) => isObject(own) && ('binary_data_size' in own || own['binary_data'] === true))
  if (binary || parameters['binary_data_output'] === true) throw new AppError('BAD_REQUEST', 'Binary tensors are not offered: send and ask for JSON data.')
}

/** Triton's `timeout` is in microseconds. */
function shortened({ startedMs, deadlineMs }: Exchange, timeout: unknown): number {
  if (timeout === undefined) return deadlineMs
  if (typeof timeout !== 'number' || !(timeout > 0)) throw new AppError('BAD_REQUEST', "The parameter 'timeout' must be a number of microseconds above 0.")
  return Math.min(deadlineMs, startedMs + timeout / 1000)
}

function readTensors({ spec }: LoadedVersion, body: InferRequest, maxRows: number): VersionInput {
  const raw: RawTensor[] = body.inputs.map(({ name, datatype, shape, data }) => ({ name, datatype, shape, data }))
  const parsed = parseInputs(spec.signature, raw)
  if (isRefusal(parsed)) throw new AppError('BAD_REQUEST', parsed.refused)
  const outputs = askedOutputs(spec, body)
  const rows = parsed.inputs[0] ? rowsOf(parsed.inputs[0]) : 1
  if (rows > maxRows) throw new AppError('PAYLOAD_TOO_LARGE', `The request has ${rows} rows; at most ${maxRows} are taken: send it in parts.`)
  return { contentKey: `tensors:${outputs.join('\0')}:${digestOf(parsed.inputs)}`, prepare: async () => ({ inputs: parsed.inputs, statistics: null }) }
}

function askedOutputs(spec: LoadedVersion['spec'], body: InferRequest): string[] {
  const picked = pickOutputs(
    spec.signature,
    body.outputs?.map(({ name }) => name),
  )
  if (isRefusal(picked)) throw new AppError('BAD_REQUEST', picked.refused)
  return picked.outputs
}

/** Canonical content: name-sorted, datatype, shape, bytes. Never the id, headers or JSON text. */
function digestOf(inputs: readonly Tensor[]): string {
  const hash = createHash('sha256')
  for (const tensor of [...inputs].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(JSON.stringify([tensor.name, tensor.datatype, tensor.shape]))
    hash.update(rawBytesOf(tensor))
  }
  return hash.digest('hex')
}

function render({ chosen, answer }: InferenceResult, body: InferRequest, headers: Record<string, string>): Reply {
  const { model, spec } = chosen.loaded
  const outputs = askedOutputs(spec, body).flatMap((name) => answer.outputs.find((output) => output.name === name) ?? [])
  const id = body.id === undefined ? '' : `,"id":${JSON.stringify(body.id)}`
  const head = `{"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(chosen.arm.version)}${id}`
  return { status: 200, headers, text: `${head},"outputs":[${outputs.map(renderTensor).join(',')}]}` }
}
