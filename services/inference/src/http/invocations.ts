import { AppError } from '@millrace/platform/errors.ts'
import { parseJsonText } from '@millrace/platform/http/json-text.ts'
import { findModel, servedModels } from '../choose-arm.ts'
import { parseCsv } from '../domain/parse-csv.ts'
import { asksTable, parseScoring, type ScoringBody, scoringInputs } from '../domain/parse-scoring.ts'
import { renderNested, renderRecords } from '../domain/render-tensor.ts'
import { isRefusal, type Refusal, type Tensor } from '../domain/tensor.ts'
import type { ServedModel } from '../served-model.ts'
import type { ServingSet } from '../serving-set.ts'
import type { AskModel } from './ask-model.ts'
import type { Exchange, Reply } from './exchange.ts'
import { readBody } from './read-body.ts'
import { utf8Text } from './read-json.ts'
import { type ScoringForm, scoringFormOf } from './scoring-form.ts'
import { wishFor, wishOf } from './version-wish.ts'

export interface InvocationsDeps {
  readonly serving: ServingSet
  readonly ask: AskModel
  readonly maxBodyBytes: number
  /** Answers a body of JSON lines, line by line. */
  readonly scoreLines: (exchange: Exchange, served: ServedModel) => Promise<Reply>
}

/** POST /invocations, /models/M[/versions/V]/invocations: MLflow's scoring server with its ONNX flavour. */
export const createInvocations = ({ serving, ask, maxBodyBytes, scoreLines }: InvocationsDeps) =>
  async function invocations(exchange: Exchange): Promise<Reply> {
    const { request, params } = exchange
    const served = modelOf(serving, params.model)
    const form = scoringFormOf(request.headers['content-type'])
    if (form === 'lines') return scoreLines(exchange, served)
    const content = await readBody(request, { maxBytes: maxBodyBytes, deadlineMs: exchange.deadlineMs })
    const body = parse(utf8Text(content), form)
    const wish = wishOf(served, request, wishFor(served, params.version))
    const answered = await ask(exchange, { served, wish, read: (spec) => scoringInputs(spec, body) })
    return { status: 200, headers: answered.headers, body: `{"predictions":${render(answered.outputs, asksTable(answered.spec, body))}}` }
  }

/** The bare path is answered where one model is served. */
function modelOf(serving: ServingSet, name: string | null): ServedModel {
  const models = servedModels(serving)
  if (name !== null || models.length < 2) return findModel(serving, name)
  const paths = models.map(({ model }) => `/models/${encodeURIComponent(model)}/invocations`)
  throw new AppError('BAD_REQUEST', `Several models are in service: use ${paths.slice(0, 20).join(' or ')}.`)
}

function parse(text: string, form: ScoringForm): ScoringBody {
  const body = form === 'csv' ? csvBody(text) : parseScoring(parseJsonText(text))
  if (isRefusal(body)) throw new AppError('BAD_REQUEST', `${body.refused}.`)
  return body
}

function csvBody(text: string): ScoringBody | Refusal {
  const table = parseCsv(text)
  return isRefusal(table) ? table : { form: 'table', table, text: true }
}

/** Tables are answered by records, one key per output; tensors by output name. */
function render(outputs: readonly Tensor[], asTable: boolean): string {
  if (asTable) return `[${renderRecords(outputs, true).join(',')}]`
  return `{${outputs.map((output) => `${JSON.stringify(output.name)}:${renderNested(output)}`).join(',')}}`
}
