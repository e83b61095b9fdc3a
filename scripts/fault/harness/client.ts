import { HEADER_GENERATION, HEADER_MODEL_VERSION } from '@millrace/contracts/http/inference.ts'
import type { ServiceIdentity } from '@millrace/platform/http/identity.ts'
import { type ServiceName, serviceNames } from '../../cluster/plan.ts'
import type { ClientRecord, PredictionRecord, WriteRecord } from '../check/evidence.ts'

export interface Answer {
  /** 0 where there was no answer. */
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export interface Sending {
  readonly body?: unknown
  readonly bytes?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** Base URL, where not any process of the service will do. */
  readonly url?: string
  readonly timeoutMs?: number
  /** The service that calls for itself; the gateway for an administrator unless set. */
  readonly as?: ServiceName
}

/** Calls services as the gateway does for an administrator, or as a service for itself, and keeps what it was told. */
export interface Client {
  readonly history: readonly ClientRecord[]
  send(service: ServiceName, method: string, path: string, sending?: Sending): Promise<Answer>
  /** A call that changes something: its outcome goes into the history under the key that names the effect. */
  write(key: string | ((answer: Answer) => string), service: ServiceName, method: string, path: string, sending?: Sending): Promise<Answer>
  /** Asks a scale model of two numbers; the answer goes into the history. */
  predict(model: string, input: readonly [number, number], pod?: { name: string; url: string }): Promise<PredictionRecord>
}

const NO_ANSWER: Answer = { status: 0, headers: new Headers(), body: {} }

export function createClient(urlsOf: (service: ServiceName) => readonly string[], identityOf: (service: ServiceName) => ServiceIdentity): Client {
  const history: ClientRecord[] = []
  const identities = new Map(serviceNames.map((name) => [name, identityOf(name)]))
  let turn = 0

  async function send(service: ServiceName, method: string, path: string, sending: Sending = {}): Promise<Answer> {
    const urls = urlsOf(service)
    const { body, bytes, headers = {}, url = urls[turn++ % urls.length], timeoutMs = 15_000, as } = sending
    const user = as ? undefined : ({ user: 'ana', role: 'admin' } as const)
    const token = service === 'gateway' ? null : await identities.get(as ?? 'gateway')?.sign(service, user)
    const content = bytes ? { body: Buffer.from(bytes) } : body === undefined ? {} : { body: JSON.stringify(body) }
    const all = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(bytes ? {} : { 'content-type': 'application/json' }), ...headers }
    try {
      const answer = await fetch(`${url}${path}`, { method, headers: all, ...content, signal: AbortSignal.timeout(timeoutMs) })
      return { status: answer.status, headers: answer.headers, body: readJson(await answer.text()) }
    } catch {
      return NO_ANSWER
    }
  }
  const outcomeOf = ({ status }: Answer): WriteRecord['outcome'] =>
    status >= 200 && status < 300 ? 'acked' : status >= 400 && status < 500 ? 'refused' : 'unknown'
  return {
    history,
    send,
    async write(key, service, method, path, sending) {
      const answer = await send(service, method, path, sending)
      const outcome = outcomeOf(answer)
      const named = typeof key === 'string' || outcome === 'acked'
      if (named) history.push({ kind: 'write', key: typeof key === 'string' ? key : key(answer), outcome, atMs: Date.now() })
      return answer
    },
    async predict(model, input, pod) {
      const beganMs = Date.now()
      const body = { inputs: [{ name: 'x', shape: [1, 2], datatype: 'FP32', data: input }] }
      const answer = await send(pod ? 'inference' : 'gateway', 'POST', `/v2/models/${model}/infer`, { body, ...(pod ? { url: pod.url } : {}) })
      const { status, headers } = answer
      const version = headers.get(HEADER_MODEL_VERSION) ?? ''
      const generation = Number(headers.get(HEADER_GENERATION) ?? 0)
      const seen = { model, pod: pod?.name ?? null, status, version, generation, input, output: outputOf(answer), beganMs, endedMs: Date.now() }
      const record: PredictionRecord = { kind: 'prediction', ...seen }
      history.push(record)
      return record
    },
  }
}

function readJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function outputOf({ body }: Answer): number[] {
  const [first]: unknown[] = Array.isArray(body['outputs']) ? body['outputs'] : []
  const data = typeof first === 'object' && first !== null && 'data' in first ? first.data : []
  return Array.isArray(data) ? data.map(Number) : []
}
