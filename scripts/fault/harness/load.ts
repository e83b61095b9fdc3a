import { Agent, request } from 'node:http'
import { HEADER_MODEL_VERSION } from '@millrace/contracts/http/inference.ts'

export interface Answered {
  /** 0 where the connection broke. */
  readonly status: number
  readonly version: string
  readonly retryAfter: string | undefined
  /** Whether the numbers are those that the model computes of the input. */
  readonly right: boolean
  readonly text: string
}

export interface Load {
  readonly url: string
  readonly model: string
  readonly connections: number
  /** What the model makes of two numbers; not looked at where it is left out. */
  readonly expected?: (input: readonly number[]) => readonly number[]
}

/** Predictions on many connections, each sending its next when it has the answer to the last, until `work` is over; at least one on each. Answers them all. */
export async function loadWhile<T>({ url, model, connections, expected }: Load, work: () => Promise<T>): Promise<{ answers: Answered[]; result: T }> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let over = false
  let next = 0
  const answers: Answered[] = []
  const loops = Array.from({ length: connections }, async () => {
    do {
      const input = [next % 1000, Math.floor(next++ / 1000) % 1000]
      answers.push(await ask(agent, `${url}/v2/models/${model}/infer`, input, expected))
    } while (!over)
  })
  try {
    const result = await work()
    over = true
    await Promise.all(loops)
    return { answers, result }
  } finally {
    over = true
    agent.destroy()
  }
}

function ask(agent: Agent, url: string, input: readonly number[], expected: Load['expected']): Promise<Answered> {
  const content = JSON.stringify({ inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: input }] })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }
  const { promise, resolve } = Promise.withResolvers<Answered>()
  const broken = (error: Error): void => resolve({ status: 0, version: '', retryAfter: undefined, right: false, text: error.message })
  const sent = request(url, { method: 'POST', agent, headers }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.once('error', broken)
    response.once('end', () => {
      const text = Buffer.concat(chunks).toString()
      const status = response.statusCode ?? 0
      const right = status === 200 && (expected === undefined || JSON.stringify(dataOf(text)) === JSON.stringify(expected(input)))
      resolve({
        status,
        version: String(response.headers[HEADER_MODEL_VERSION] ?? ''),
        retryAfter: response.headers['retry-after'],
        right,
        text: right ? '' : text,
      })
    })
  })
  sent.once('error', broken)
  sent.end(content)
  return promise
}

function dataOf(text: string): unknown {
  const { outputs } = JSON.parse(text)
  return outputs[0].data
}

/** The sum of the samples of a metric whose line holds all of `parts`. */
export async function metricOf(url: string, ...parts: readonly string[]): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && parts.every((part) => line.includes(part)))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
