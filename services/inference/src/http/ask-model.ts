import { createHash } from 'node:crypto'
import type { ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import type { NewId } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { ChosenArm } from '../choose-arm.ts'
import { pickOutputs } from '../domain/parse-request.ts'
import { isRefusal, type Refusal, rowsOf, type Tensor } from '../domain/tensor.ts'
import { rawBytesOf } from '../domain/tensor-bytes.ts'
import type { LoadedVersion } from '../loaded-version.ts'
import type { LogPrediction } from '../log-prediction.ts'
import type { InferenceResult, RunInference, VersionInput } from '../run-inference.ts'
import type { RunShadow } from '../run-shadow.ts'
import type { ServedModel } from '../served-model.ts'
import type { ServingSet } from '../serving-set.ts'
import { answerHeaders } from './answer-headers.ts'
import { type Exchange, predictionIdOf, routingKeyOf } from './exchange.ts'

export interface AskDeps {
  readonly serving: ServingSet
  readonly run: RunInference
  readonly logPrediction: LogPrediction
  readonly shadow: RunShadow
  readonly newId: NewId
  readonly maxRows: number
}

/** What every dialect comes down to: tensors for a model. */
export interface Question {
  readonly served: ServedModel
  readonly wish: { readonly version: string | null; readonly label: string | null }
  /** An arm that the caller chose and holds already. */
  readonly chosen?: ChosenArm
  readonly predictionId?: string
  /** What the body says that the split is to be sticky to. */
  readonly routingKey?: unknown
  /** Earlier than the exchange's own. */
  readonly deadlineMs?: number
  /** The inputs for the version that answers. */
  readonly read: (spec: ModelSpec) => { readonly inputs: readonly Tensor[] } | Refusal
  /** The outputs that are wanted, in this order; all where none are named. */
  readonly outputs?: readonly string[] | undefined
}

export interface Answered {
  readonly result: InferenceResult
  readonly spec: ModelSpec
  /** Those that were asked for, in the order asked. */
  readonly outputs: readonly Tensor[]
  readonly headers: Record<string, string>
  readonly predictionId: string
}

/** Asks a model, logs the prediction and shows it to the shadows. @throws AppError as the status table says, in no dialect yet */
export type AskModel = (exchange: Exchange, question: Question) => Promise<Answered>

export const createAskModel = (deps: AskDeps): AskModel =>
  async function askModel(exchange, question) {
    const { request, signal } = exchange
    const { served, wish, chosen } = question
    exchange.requireUse(served.model)
    const predictionId = question.predictionId ?? predictionIdOf(request, deps.newId)
    const routingKey = routingKeyOf(request, question.routingKey, predictionId)
    const readFor = (loaded: LoadedVersion) => readQuestion(loaded, question, deps.maxRows)
    const deadlineMs = Math.min(exchange.deadlineMs, question.deadlineMs ?? Number.POSITIVE_INFINITY)
    const result = await deps.run({ model: served.model, wish: { ...wish, routingKey }, ...(chosen ? { chosen } : {}), deadlineMs, signal, readFor })
    deps.logPrediction(result, predictionId)
    deps.shadow({ readFor }, result, predictionId)
    const { spec } = result.chosen.loaded
    const outputs = askedOutputs(spec, question).flatMap((name) => result.answer.outputs.find((output) => output.name === name) ?? [])
    return { result, spec, outputs, headers: answerHeaders(result, predictionId), predictionId }
  }

function readQuestion({ spec }: LoadedVersion, question: Question, maxRows: number): VersionInput {
  const outputs = askedOutputs(spec, question)
  const read = question.read(spec)
  if (isRefusal(read)) throw new AppError('BAD_REQUEST', `${read.refused}.`)
  const { inputs } = read
  const rows = inputs[0] ? rowsOf(inputs[0]) : 1
  if (rows > maxRows) {
    throw new AppError('PAYLOAD_TOO_LARGE', `The request has ${rows} rows; at most ${maxRows} are taken: send it in parts, or as JSON lines to /invocations.`)
  }
  const named = outputs.join('\0')
  return { contentKey: () => `tensors:${named}:${digestOf(inputs)}`, prepare: async () => ({ inputs, statistics: null }) }
}

function askedOutputs({ signature }: ModelSpec, { outputs }: Question): string[] {
  const picked = pickOutputs(signature, outputs)
  if (isRefusal(picked)) throw new AppError('BAD_REQUEST', `${picked.refused}.`)
  return picked.outputs
}

/** Canonical content: name-sorted, datatype, shape, bytes. Never the id, headers or text, so that every dialect finds the same answer. */
function digestOf(inputs: readonly Tensor[]): string {
  const hash = createHash('sha256')
  for (const tensor of inputs.length < 2 ? inputs : [...inputs].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(JSON.stringify([tensor.name, tensor.datatype, tensor.shape]))
    hash.update(rawBytesOf(tensor))
  }
  return hash.digest('hex')
}
