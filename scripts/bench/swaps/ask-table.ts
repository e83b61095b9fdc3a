import { type Agent, request } from 'node:http'
import { HEADER_GENERATION, HEADER_MODEL_VERSION } from '@millrace/contracts/http/inference.ts'
import { z } from 'zod'
import { cellOf } from './table-model.ts'

/** `mixed`: the answer is not what the version that it names holds. */
export interface TableAnswer {
  readonly kind: 'ok' | 'mixed' | 'failed'
  readonly generation: number
  readonly reason: string
}

const body = z.looseObject({ outputs: z.array(z.looseObject({ data: z.array(z.number()) })).min(1) })
const TIMEOUT_MS = 30_000

/** Asks for one row. Never rejects. */
export function askTable(agent: Agent, target: { url: string; token: string }, model: string, index: number): Promise<TableAnswer> {
  const content = JSON.stringify({ inputs: [{ name: 'index', shape: [1], datatype: 'INT64', data: [index] }] })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content), authorization: `Bearer ${target.token}` }
  const { promise, resolve } = Promise.withResolvers<TableAnswer>()
  const fail = (reason: string) => resolve({ kind: 'failed', generation: 0, reason })
  const sent = request(`${target.url}/v2/models/${model}/infer`, { method: 'POST', agent, headers, timeout: TIMEOUT_MS }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', (error) => fail(error.message))
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      if (response.statusCode !== 200) return fail(`${response.statusCode}: ${text.slice(0, 300)}`)
      const generation = Number(response.headers[HEADER_GENERATION])
      resolve({ generation, ...judge(text, Number(response.headers[HEADER_MODEL_VERSION]), index) })
    })
  })
  sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)))
  sent.on('error', (error) => fail(error.message))
  sent.end(content)
  return promise
}

function judge(text: string, version: number, index: number): Pick<TableAnswer, 'kind' | 'reason'> {
  const row = body.parse(JSON.parse(text)).outputs[0]?.data ?? []
  const right = row.length === 8 && row.every((value, column) => value === cellOf(version, index) + column)
  return right ? { kind: 'ok', reason: '' } : { kind: 'mixed', reason: `version ${version} answered [${row}] for row ${index}` }
}
