import type { ModelSpec } from '@millrace/contracts/model/model-spec.ts'
import type { NewId } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { parseJsonText } from '@millrace/platform/http/json-text.ts'
import { answerError } from '@millrace/platform/http/problem.ts'
import { type ChosenArm, chooseArm, findModel } from '../choose-arm.ts'
import type { Table } from '../domain/parse-csv.ts'
import { isObject } from '../domain/parse-infer-body.ts'
import { parseRecords } from '../domain/parse-scoring.ts'
import { renderRecords } from '../domain/render-tensor.ts'
import { tableInputs } from '../domain/table-inputs.ts'
import { isRefusal, type Refusal, refuse, type Tensor } from '../domain/tensor.ts'
import { wakeModel } from '../run-inference.ts'
import type { ServedModel } from '../served-model.ts'
import type { ServingSet } from '../serving-set.ts'
import type { AskModel } from './ask-model.ts'
import { type Exchange, predictionIdOf, type Reply } from './exchange.ts'
import { readLines } from './read-lines.ts'
import { wishFor, wishOf } from './version-wish.ts'

export interface ScoreLinesDeps {
  readonly serving: ServingSet
  readonly ask: AskModel
  readonly newId: NewId
  readonly maxLineBytes: number
  /** Rows that are asked at once. */
  readonly groupRows: number
}

/**
 * A body of JSON lines, each a row: an object of column to value, or a list of values. Answered line by line, in order, while it comes in, so that neither
 * side needs to hold it. One version answers it all: Production, or the one that the path names; no candidate takes a part of it.
 */
export const createScoreLines = (deps: ScoreLinesDeps) =>
  async function scoreLines(exchange: Exchange, served: ServedModel): Promise<Reply> {
    const chosen = await chooseOne(deps.serving, exchange, served)
    const giveBack = chosen.loaded.hold()
    try {
      const answers = scoreGroups(deps, exchange, { served, chosen, predictionId: predictionIdOf(exchange.request, deps.newId) })
      const first = await answers.next()
      if (first.done) throw new AppError('BAD_REQUEST', 'The body has no lines: send one row in each, such as {"column": value}.')
      return {
        status: 200,
        headers: { ...first.value.headers, 'content-type': 'application/jsonlines' },
        body: { pieces: texts(first.value, answers, exchange, giveBack) },
      }
    } catch (error) {
      giveBack()
      throw error
    }
  }

async function chooseOne(serving: ServingSet, { request, params, deadlineMs, signal }: Exchange, { model }: ServedModel): Promise<ChosenArm> {
  const present = findModel(serving, model)
  const wish = { ...wishOf(present, request, wishFor(present, params.version)), routingKey: '' }
  const served = await wakeModel(serving, { model, wish, deadlineMs, signal })
  return chooseArm({ ...served, state: { ...served.state, candidates: wish.version === null && wish.label === null ? [] : served.state.candidates } }, wish)
}

interface Scored {
  readonly text: string
  readonly headers: Record<string, string>
}

interface Held {
  readonly served: ServedModel
  readonly chosen: ChosenArm
  readonly predictionId: string
}

async function* scoreGroups(
  { ask, maxLineBytes, groupRows }: ScoreLinesDeps,
  exchange: Exchange,
  { served, chosen, predictionId }: Held,
): AsyncGenerator<Scored> {
  let from = 0
  for await (const lines of readLines(exchange.request, { maxLineBytes, maxLines: groupRows, deadlineMs: exchange.deadlineMs })) {
    const values = lines.map(parseJsonText)
    const first = from
    const read = (spec: ModelSpec) => lineInputs(spec, values, first)
    const { outputs, headers } = await ask(exchange, { served, wish: { version: null, label: null }, chosen, predictionId, read })
    from += lines.length
    yield { text: `${renderRecords(outputs, true).join('\n')}\n`, headers }
  }
}

/** What breaks in the middle is told in a last line, and the connection is cut: what is missing must not look complete. */
async function* texts(first: Scored, others: AsyncGenerator<Scored>, { requestId }: Exchange, giveBack: () => void): AsyncGenerator<string> {
  try {
    yield first.text
    for await (const { text } of others) yield text
  } catch (error) {
    yield `${JSON.stringify(answerError(error, 'mlflow', requestId).body)}\n`
    throw error
  } finally {
    giveBack()
  }
}

function lineInputs(spec: ModelSpec, values: readonly unknown[], from: number): { inputs: Tensor[] } | Refusal {
  const table = lineTable(values)
  const inputs = isRefusal(table) ? table : tableInputs(spec, table, { text: false })
  return isRefusal(inputs) ? refuse(`Of the rows from ${from} on: ${inputs.refused}`) : inputs
}

function lineTable(values: readonly unknown[]): Table | Refusal {
  if (values.every(isObject)) return parseRecords(values, 'The lines')
  const rows = values.filter((value) => Array.isArray(value))
  return rows.length === values.length ? { columns: null, rows } : refuse('every line must be an object of column to value, or every line a list of values')
}
