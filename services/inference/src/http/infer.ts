import { AppError } from '@millrace/platform/errors.ts'
import { findModel } from '../choose-arm.ts'
import { wholeBodyTensor } from '../domain/binary-tensor.ts'
import { type InferBody, parseInferBody } from '../domain/parse-infer-body.ts'
import { parseInputs } from '../domain/parse-request.ts'
import { isRefusal } from '../domain/tensor.ts'
import type { ServingSet } from '../serving-set.ts'
import type { Answered, AskModel } from './ask-model.ts'
import type { Exchange, Reply } from './exchange.ts'
import { parseInferJson } from './parse-infer-json.ts'
import { readBody } from './read-body.ts'
import { isJsonType, mediaTypeOf } from './read-json.ts'
import { HEADER_LENGTH, renderInference } from './render-inference.ts'
import { wishFor, wishOf } from './version-wish.ts'

export interface InferDeps {
  readonly serving: ServingSet
  readonly ask: AskModel
  readonly maxBodyBytes: number
}

/** POST /v2/models/M[/versions/V]/infer: tensors in, tensors out (Open Inference Protocol v2 with its binary tensor extension). */
export const createInfer = ({ serving, ask, maxBodyBytes }: InferDeps) =>
  async function infer(exchange: Exchange): Promise<Reply> {
    const { request, params } = exchange
    const served = findModel(serving, params.model)
    const jsonBytes = jsonLengthOf(exchange)
    const content = await readBody(request, { maxBytes: maxBodyBytes, deadlineMs: exchange.deadlineMs })
    const wish = wishOf(served, request, wishFor(served, params.version))
    if (jsonBytes === 0) return renderInference(await askWholeBody(exchange, { served, wish, ask }, content), BINARY)
    const body = parseRequest(content, jsonBytes)
    const { timeout, routing_key: routingKey } = body.parameters
    const answered = await ask(exchange, {
      served,
      wish,
      routingKey,
      ...(typeof timeout === 'number' && timeout > 0 ? { deadlineMs: exchange.startedMs + timeout / 1000 } : {}),
      read: ({ signature }) => parseInputs(signature, body.inputs),
      outputs: body.outputs?.map(({ name }) => name),
    })
    return renderInference(answered, body)
  }

/** A body without JSON is answered without any tensor in the JSON. */
const BINARY: Pick<InferBody, 'id' | 'outputs' | 'binaryOutputs'> = { id: null, outputs: null, binaryOutputs: true }

type Asking = Pick<Parameters<AskModel>[1], 'served' | 'wish'> & { ask: AskModel }

const askWholeBody = (exchange: Exchange, { served, wish, ask }: Asking, content: Buffer): Promise<Answered> =>
  ask(exchange, {
    served,
    wish,
    read({ signature }) {
      const tensor = wholeBodyTensor(signature.inputs, content)
      return isRefusal(tensor) ? tensor : parseInputs(signature, [tensor])
    },
  })

/** How many bytes of the body are JSON; null: all of them. @throws AppError BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE */
function jsonLengthOf(exchange: Exchange): number | null {
  const header = exchange.request.headers[HEADER_LENGTH]
  if (header === undefined) {
    if (isJsonType(mediaTypeOf(exchange))) return null
    throw new AppError(
      'UNSUPPORTED_MEDIA_TYPE',
      'The content type must be application/json; binary tensors need application/octet-stream and the header Inference-Header-Content-Length.',
    )
  }
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header)
  throw new AppError('BAD_REQUEST', 'The header Inference-Header-Content-Length must be the number of bytes of JSON at the beginning of the body.')
}

function parseRequest(content: Buffer, jsonBytes: number | null): InferBody {
  if (content.length === 0) {
    throw new AppError('BAD_REQUEST', 'The body is empty; expected an inference request such as {"inputs": [{"name", "shape", "datatype", "data"}]}.')
  }
  if (jsonBytes !== null && jsonBytes > content.length) {
    throw new AppError('BAD_REQUEST', `Inference-Header-Content-Length says ${jsonBytes} bytes of JSON; the whole body has ${content.length}.`)
  }
  const json = jsonBytes === null ? content : content.subarray(0, jsonBytes)
  const body = parseInferBody(parseInferJson(json), jsonBytes === null ? null : content.subarray(jsonBytes))
  if (isRefusal(body)) throw new AppError('BAD_REQUEST', `${body.refused}.`)
  return body
}
