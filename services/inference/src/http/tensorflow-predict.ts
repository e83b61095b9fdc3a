import { AppError } from '@millrace/platform/errors.ts'
import { findModel } from '../choose-arm.ts'
import { parseRows, type RowsBody, rowsInputs } from '../domain/parse-rows.ts'
import { renderNested, renderRowsWithBase64 } from '../domain/render-tensor.ts'
import { isRefusal, rowsOf, type Tensor } from '../domain/tensor.ts'
import type { ServingSet } from '../serving-set.ts'
import type { AskModel } from './ask-model.ts'
import type { Exchange, Reply } from './exchange.ts'
import { readJson } from './read-json.ts'
import { wishFor, wishOf } from './version-wish.ts'

export interface TensorflowPredictDeps {
  readonly serving: ServingSet
  readonly ask: AskModel
  readonly maxBodyBytes: number
}

const EXPECTED = 'send {"instances": [...]} (rows) or {"inputs": ...} (columns)'

/** POST /v1/models/M[/versions/V|/labels/L]:predict, as TensorFlow Serving answers it. */
export const createTensorflowPredict = ({ serving, ask, maxBodyBytes }: TensorflowPredictDeps) =>
  async function tensorflowPredict(exchange: Exchange): Promise<Reply> {
    const { params } = exchange
    const served = findModel(serving, params.model)
    const body = parseRows(await readJson(exchange, maxBodyBytes, EXPECTED))
    if (isRefusal(body)) throw new AppError('BAD_REQUEST', `${body.refused}.`)
    const named = params.label === null ? wishFor(served, params.version) : { version: null, label: params.label }
    const wish = wishOf(served, exchange.request, named)
    const { outputs, headers } = await ask(exchange, { served, wish, read: ({ signature }) => rowsInputs(signature, body) })
    return { status: 200, headers, body: render(outputs, body) }
  }

function render(outputs: readonly Tensor[], { form, value }: RowsBody): string {
  const [only, ...others] = outputs
  if (form === 'columns') {
    const texts = outputs.map((output) => `${JSON.stringify(output.name)}:${renderColumn(output)}`)
    return `{"outputs":${only && others.length === 0 ? renderColumn(only) : `{${texts.join(',')}}`}}`
  }
  const rows = Array.isArray(value) ? value.length : 0
  if (outputs.some((output) => rowsOf(output) !== rows)) {
    throw new AppError('BAD_REQUEST', 'The model does not answer one row for each instance: send its inputs as columns ({"inputs": ...}).')
  }
  const columns = outputs.map((output) => ({ key: JSON.stringify(output.name), texts: renderRowsWithBase64(output) }))
  const rowText = (row: number): string => columns.map(({ key, texts }) => (others.length === 0 ? '' : `${key}:`) + texts[row]).join(',')
  const texts = Array.from({ length: rows }, (_, row) => (others.length === 0 ? rowText(row) : `{${rowText(row)}}`))
  return `{"predictions":[${texts.join(',')}]}`
}

const renderColumn = (output: Tensor): string => (output.shape.length === 0 ? renderNested(output) : `[${renderRowsWithBase64(output).join(',')}]`)
