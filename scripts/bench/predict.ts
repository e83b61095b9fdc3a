import { Agent, request } from 'node:http'
import { HEADER_MODEL_VERSION } from '@millrace/contracts/http/inference.ts'
import { z } from 'zod'

/** What a client got: `ok` when the output is what the version in the header computes, `mixed` when it is not, `failed` for everything else. */
export interface Answered {
  readonly kind: 'ok' | 'mixed' | 'failed'
  readonly version: string
  /** Why it failed. */
  readonly reason: string
}

const body = z.looseObject({ outputs: z.array(z.looseObject({ data: z.array(z.number()) })) })

export const createAgent = (): Agent => new Agent({ keepAlive: true, maxSockets: 256 })

/** The n-th input: no two of a million are alike, so that no answer comes from a cache. */
const inputOf = (n: number): [number, number] => [n % 1000, Math.floor(n / 1000) % 1000]

/** Asks a model whose version v computes v * x + 1. Never rejects. */
export function predict(agent: Agent, target: { url: string; model: string; token?: string }, n: number): Promise<Answered> {
  const input = inputOf(n)
  const content = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: input }] })
  const authorization = target.token ? { authorization: `Bearer ${target.token}` } : {}
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content), ...authorization }
  const failed = (reason: string): Answered => ({ kind: 'failed', version: '', reason })
  return new Promise((resolve) => {
    const sent = request(`${target.url}/v2/models/${target.model}/infer`, { method: 'POST', agent, headers, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('error', (error) => resolve(failed(error.message)))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const version = String(response.headers[HEADER_MODEL_VERSION] ?? '')
        resolve(response.statusCode === 200 ? judge(text, version, input) : failed(`${response.statusCode}: ${text.slice(0, 300)}`))
      })
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')))
    sent.on('error', (error) => resolve(failed(error.message)))
    sent.end(content)
  })
}

export function judge(text: string, version: string, input: readonly number[]): Answered {
  const parsed = body.safeParse(parseJson(text))
  const data = parsed.success ? parsed.data.outputs[0]?.data : null
  if (!data) return { kind: 'failed', version, reason: `no output: ${text.slice(0, 300)}` }
  const right = data.length === input.length && input.every((x, index) => data[index] === Number(version) * x + 1)
  return { kind: right ? 'ok' : 'mixed', version, reason: right ? '' : `version ${version} answered [${data}] to [${input}]` }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
